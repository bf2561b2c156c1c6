import pytest

from digitcli.config import load_recipe
from digitcli.pace import Pace


class Clock:
    """A clock that goes as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("time.perf_counter", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def pace(**options: object) -> Pace:
    recipe = load_recipe("ci")[1].override(epochs=2)
    usual = {"steps": 10, "epochs_done": 0, "seconds_done": 0.0, "until": None, "networks": 1, "agree": float}
    return Pace(recipe, **{**usual, **options})


def test_steps_go_once_through_the_schedule(clock: Clock) -> None:
    follower = pace()
    shares = []
    while not follower.is_over:
        shares += follower.moments(4)
        clock.now += 1
        follower.advance(4)
    assert len(shares) == 20
    assert shares.index(max(shares)) == 4  # a fifth of the steps
    assert follower.moment == 1
    assert follower.seconds_left == 0


def test_a_resumed_run_goes_on_in_the_schedule(clock: Clock) -> None:
    whole, half = pace(), pace(epochs_done=1)
    whole.advance(10)
    assert half.moments(10) == whole.moments(10)


def test_seconds_decide_with_a_limit_whatever_the_speed(clock: Clock) -> None:
    for speed in (0.1, 0.5, 2.0):
        follower = pace(until=clock.now + 20)
        start = clock.now
        while not follower.is_over:
            follower.moments(4)
            clock.now += 4 * speed
            follower.advance(4)
        assert clock.now - start == pytest.approx(20, abs=4 * speed)


def test_the_last_validation_is_within_the_limit(clock: Clock) -> None:
    follower = pace(until=clock.now + 20)
    start = clock.now
    while not follower.is_over:
        for _ in range(5):
            clock.now += 0.5
            follower.advance(2)
            if follower.is_over:
                break
        with follower.validating():
            clock.now += 2
    assert clock.now - start == pytest.approx(20, abs=0.6)


def test_networks_to_come_get_their_part_of_the_time(clock: Clock) -> None:
    follower = pace(until=clock.now + 30, networks=3)
    clock.now += 5
    follower.advance(1)
    assert follower.moment == pytest.approx(0.5)


def test_one_step_is_always_done(clock: Clock) -> None:
    follower = pace(until=clock.now)
    clock.now += 1
    assert not follower.is_over
    follower.advance(1)
    assert follower.is_over


def test_workers_follow_what_they_agree_on(clock: Clock) -> None:
    follower = pace(until=clock.now + 10, agree=lambda value: value / 2)
    clock.now += 2.5
    follower.advance(1)
    assert follower.moment == pytest.approx(0.25)  # half of 2.5 of an agreed 5 seconds
