"""Periods, against sets of days."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.period import Period, birthday, day_after, iso_day
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


@pytest.mark.parametrize(
    ("day", "termijn", "then"),
    [
        ("2026-01-31", "P1M", "2026-02-28"),
        ("2024-01-31", "P1M", "2024-02-29"),
        ("2025-11-30", "P3M", "2026-02-28"),
        ("2026-12-15", "P1M", "2027-01-15"),
        ("2026-02-27", "P2D", "2026-03-01"),
        ("2026-02-27", "P0D", "2026-02-27"),
    ],
)
def test_a_termijn_of_months_ends_with_a_month_that_is_too_short(day: str, termijn: str, then: str) -> None:
    assert iso_day(day_after(day_of(day), termijn)) == then


@pytest.mark.parametrize(
    ("born", "age", "then"),
    [
        ("2003-03-10", 23, "2026-03-10"),
        ("2000-02-29", 23, "2023-03-01"),
        ("2000-02-29", 24, "2024-02-29"),
        ("2001-12-31", 27, "2028-12-31"),
    ],
)
def test_who_was_born_on_29_february_turns_a_year_older_on_1_march(born: str, age: int, then: str) -> None:
    assert iso_day(birthday(day_of(born), age)) == then


def day_of(iso: str) -> int:
    return (date.fromisoformat(iso) - date(1970, 1, 1)).days
