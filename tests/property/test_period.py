"""Periods, against sets of days."""

from hypothesis import given
from hypothesis import strategies as st

from streams.core.period import Period
from streams.core.record import pack, unpack

LAST = 60
starts = st.integers(0, 40)
periods = starts.flatmap(lambda s: st.builds(Period, st.just(s), st.none() | st.integers(s + 1, 50)))


def days(period: Period | None) -> set[int]:
    return set() if period is None else {day for day in range(LAST) if day in period}


@given(periods, periods)
def test_shared_days_are_those_in_both(a: Period, b: Period) -> None:
    assert days(a.shared_with(b)) == days(a) & days(b)
    assert a.shared_with(b) == b.shared_with(a)


@given(starts, st.none() | st.integers(0, 10))
def test_tot_en_met_includes_the_last_day(begin: int, length: int | None) -> None:
    end = None if length is None else begin + length
    period = Period.tot_en_met(begin, end)
    assert period.einddatum == end
    assert begin in period
    assert (LAST if end is None else end) in period
    assert end is None or end + 1 not in period


@given(st.uuids().map(str) | st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=100))
def test_a_record_id_comes_out_of_the_state_as_it_went_in(record_id: str) -> None:
    assert unpack(pack(record_id)) == record_id
