"""How many threads images are prepared and read with."""

import os


def usable_cores() -> int:
    """Return the cores that this process may use; in a container or a batch job, not all of the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
