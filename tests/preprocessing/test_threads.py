import os

import pytest

from digitcli.preprocessing.threads import MAX_THREADS, thread_count


@pytest.mark.parametrize(("cores", "expected"), [(1, 1), (2, 2), (64, MAX_THREADS)])
def test_threads_are_no_more_than_cores_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch, cores: int, expected: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 128)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)
    assert thread_count() == expected
