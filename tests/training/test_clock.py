import pytest

from digitcli.config.recipe import load_recipe
from digitcli.training.clock import TrainingClock


class FakeTime:
    """A clock that goes as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("time.perf_counter", lambda: self.now)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    return FakeTime(monkeypatch)


def clock(**options: object) -> TrainingClock:
    recipe = load_recipe("ci")[1].override(epochs=2)
    usual = {"steps": 10, "epochs_done": 0, "seconds_done": 0.0, "until": None, "networks": 1, "agree": float}
    return TrainingClock(recipe, **{**usual, **options})


def test_steps_go_once_through_the_schedule(now: FakeTime) -> None:
    follower = clock()
    shares = []
    while not follower.is_over:
        shares += follower.rate_shares(4)
        now.now += 1
        follower.advance(4)
    assert len(shares) == 20
    assert shares.index(max(shares)) == 4  # a fifth of the steps
    assert follower.fraction == 1
    assert follower.seconds_left == 0


def test_a_resumed_run_goes_on_in_the_schedule(now: FakeTime) -> None:
    whole, half = clock(), clock(epochs_done=1)
    whole.advance(10)
    assert half.rate_shares(10) == whole.rate_shares(10)


def test_seconds_decide_with_a_limit_whatever_the_speed(now: FakeTime) -> None:
    for speed in (0.1, 0.5, 2.0):
        follower = clock(until=now.now + 20)
        start = now.now
        while not follower.is_over:
            follower.rate_shares(4)
            now.now += 4 * speed
            follower.advance(4)
        assert now.now - start == pytest.approx(20, abs=4 * speed)


def test_the_last_validation_is_within_the_limit(now: FakeTime) -> None:
    follower = clock(until=now.now + 20)
    start = now.now
    while not follower.is_over:
        for _ in range(5):
            now.now += 0.5
            follower.advance(2)
            if follower.is_over:
                break
        with follower.validating():
            now.now += 2
    assert now.now - start == pytest.approx(20, abs=0.6)


def test_networks_to_come_get_their_part_of_the_time(now: FakeTime) -> None:
    follower = clock(until=now.now + 30, networks=3)
    now.now += 5
    follower.advance(1)
    assert follower.fraction == pytest.approx(0.5)


def test_one_step_is_always_done(now: FakeTime) -> None:
    follower = clock(until=now.now)
    now.now += 1
    assert not follower.is_over
    follower.advance(1)
    assert follower.is_over


def test_workers_follow_what_they_agree_on(now: FakeTime) -> None:
    follower = clock(until=now.now + 10, agree=lambda value: value / 2)
    now.now += 2.5
    follower.advance(1)
    assert follower.fraction == pytest.approx(0.25)  # half of 2.5 of an agreed 5 seconds
