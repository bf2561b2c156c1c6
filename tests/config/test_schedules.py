import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitcli.config.schedules import Constant, Cosine, OneCycle, rate_share

WARMUP = st.floats(0.01, 0.99)


def test_one_cycle_rises_and_falls_to_zero() -> None:
    values = [rate_share(OneCycle(type="one-cycle", warmup=0.25), step / 100) for step in range(101)]
    assert max(values) == pytest.approx(1)
    assert values.index(max(values)) == 25
    assert values[0] == pytest.approx(1 / 20)
    assert values[100] == pytest.approx(0, abs=1e-12)
    assert all(np.diff(values[:26]) > 0)
    assert all(np.diff(values[25:]) < 0)


def test_cosine_falls_to_its_final_share() -> None:
    schedule = Cosine(type="cosine", final=0.1)
    assert rate_share(schedule, 0.0) == 1
    assert rate_share(schedule, 0.5) == pytest.approx(0.55)
    assert rate_share(schedule, 1.0) == pytest.approx(0.1)


def test_constant_stays() -> None:
    assert {rate_share(Constant(type="constant"), fraction) for fraction in (0.0, 0.3, 1.0)} == {1.0}


@given(warmup=WARMUP, fraction=st.floats(0, 1))
def test_every_warm_up_rises_to_the_whole_rate(warmup: float, fraction: float) -> None:
    for schedule in (
        Constant(type="constant", warmup=warmup),
        Cosine(type="cosine", warmup=warmup),
        OneCycle(type="one-cycle", warmup=warmup),
    ):
        assert 0 <= rate_share(schedule, fraction) <= 1 + 1e-9
        assert rate_share(schedule, warmup) == pytest.approx(1)
        if fraction < warmup:
            assert rate_share(schedule, fraction) < rate_share(schedule, warmup)
