"""How often a caller may ask (http-api, limits)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.foundation.limits import Buckets, Rate

PEOPLE = Rate(per_minute=100, burst=20)


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_is_allowed_at_once_and_the_next_call_waits() -> None:
    buckets = Buckets(Watch())

    allowed = [buckets.take("ann", PEOPLE) for _ in range(21)]

    assert [one.allowed for one in allowed] == [True] * 20 + [False]
    assert [one.remaining for one in allowed[:3]] == [19, 18, 17]
    assert (allowed[20].retry_after, allowed[20].limit) == (1, 20)


def test_after_the_time_that_it_says_a_call_is_allowed() -> None:
    watch = Watch()
    buckets = Buckets(watch)
    for _ in range(20):
        buckets.take("ann", PEOPLE)

    refused = buckets.take("ann", PEOPLE)
    watch.seconds += refused.retry_after

    assert not refused.allowed
    assert buckets.take("ann", PEOPLE).allowed


def test_callers_do_not_share_a_bucket() -> None:
    buckets = Buckets(Watch())
    for _ in range(20):
        buckets.take("ann", PEOPLE)

    assert not buckets.take("ann", PEOPLE).allowed
    assert buckets.take("bob", PEOPLE).allowed


def test_memory_is_bounded() -> None:
    buckets = Buckets(Watch(), most=3)

    for name in "abcdefgh":
        buckets.take(name, PEOPLE)

    assert len(buckets._levels) == 3


@given(
    rate=st.builds(Rate, per_minute=st.integers(1, 1000), burst=st.integers(1, 100)),
    pauses=st.lists(st.floats(0, 30), min_size=1, max_size=200),
)
def test_no_stretch_of_time_allows_more_than_burst_and_rate(rate: Rate, pauses: list[float]) -> None:
    watch = Watch()
    buckets = Buckets(watch)
    allowed = 0
    for pause in pauses:
        watch.seconds += pause
        allowed += buckets.take("ann", rate).allowed

    assert allowed <= rate.burst + watch.seconds * rate.per_minute / 60 + 1e-6


@pytest.mark.parametrize("per_minute", [100, 1000])
def test_a_steady_caller_at_the_rate_is_never_refused(per_minute: int) -> None:
    watch = Watch()
    buckets = Buckets(watch)
    rate = Rate(per_minute, burst=20)
    for _ in range(500):
        watch.seconds += 60 / per_minute
        assert buckets.take("ann", rate).allowed
