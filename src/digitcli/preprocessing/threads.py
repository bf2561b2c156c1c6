"""How many threads images are decoded and classified with."""

import os

MAX_THREADS = 4  # more do not help so small a network; decoding takes as many, by convention


def usable_cores() -> int:
    """Return the cores that this process may use, in a container not all of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_count() -> int:
    """Return the cores that this process may use, up to four."""
    return min(usable_cores(), MAX_THREADS)
