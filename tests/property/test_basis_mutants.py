"""The properties of the patterns that judge all feiten of a basisfeit together can fail: each of these planted errors is found by one."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st

from streams.core import diff as diff_module
from streams.core import spells, step
from streams.core.due import Due
from streams.core.period import Period
from streams.core.timeline import Timeline
from streams.due import DueIndex
from tests.property import test_basis_invariants as invariants
from tests.property import test_drempel as thresholds
from tests.property.basis_worlds import events, leavers
from tests.property.debtor_worlds import answered, earners
from tests.property.hunting import Property, found


def _all_days(dienst: Any, leeftijd: Any, basis: Any) -> Any:
    return basis.period


def _ends_do_not_matter(feiten: Any) -> Any:
    last = max((f.period.end or f.period.start for _, f in feiten), default=None)
    return [Period(spells.BEFORE if last is None else last, None)]


def _a_day_sooner(day: int, termijn: str) -> int:
    return _day_after(day, termijn) - (termijn != "P0D")


def _ends_of_all_soorten(dienst: Any, regel: Any, basis: Any, feiten: Any) -> Any:
    renamed = [(replace(soort, naam=regel.van), feit) for soort, feit in feiten]
    return _beeindiging(dienst, regel, basis, renamed)


def _reached_is_above(found: Any, grens: int) -> Any:
    return _above(found, max(grens, 0) - 1)


def _each_stretch_is_a_run(found: Any, grens: int) -> Any:
    return (period for period, som in found if som > max(grens, 0))


def _rounded_up(bedrag: int, tijdvak: str, period: Period) -> int | None:
    down = _per_maand(-bedrag, tijdvak, period)
    return None if down is None else -down


def _four_weeks_are_a_month(bedrag: int, tijdvak: str, period: Period) -> int | None:
    return bedrag if tijdvak == "VIER_WEKEN" else _per_maand(bedrag, tijdvak, period)


def _unknown_is_nothing(bedrag: int, tijdvak: str, period: Period) -> int:
    return _per_maand(bedrag, tijdvak, period) or 0


def _highest_counts(bedragen: Any) -> Any:
    held = list(bedragen)
    for period, _ in _sums(held):
        yield period, max((bedrag for p, bedrag in held if period.start in p), default=0)


def _income_before_and_after_counts(window: Any, grens: Any, bedragen: Any) -> Any:
    return _runs(None if window is None else Period(spells.BEFORE, None), grens, bedragen)


def _told_while_it_lasts(*args: Any) -> Any:
    return (spell._replace(told=spell.standing.shared) for spell in _drempel(*args))


def _first_run_stays(*args: Any) -> Any:
    return (spell._replace(told=Period(spell.told.start, None)) for spell in _drempel(*args))


def _all_income_is_told(dienst: Any, regel: Any, basis: Any, feiten: Any) -> Any:
    for told, standing in _drempel(dienst, regel, basis, feiten):
        yield spells.Spell(told, spells._standing(dienst, basis, standing.shared, feiten))


def _never_due(found: Any, day: int) -> None:
    return None


def _due_a_day_late(found: Any, day: int) -> int | None:
    due = _next_border(found, day)
    return None if due is None else due + 1


def _says_it_again(sent: Any, dienst: int, basis: int, wanted: Any) -> Any:
    return _diff((), dienst, basis, wanted)


def _only_on_its_day(self: DueIndex, day: int) -> set[bytes]:
    return self._days.get(day, set())


def _due_is_not_written(self: Timeline, due: Due) -> Timeline:
    return self


def _today_only(rulebook: Any, timeline: Any, klok: int | None, day: int, place: Any, days: Any) -> Any:
    return _tick(rulebook, timeline, None, day, place, days)


_diff, _next_border, _tick = diff_module.diff, spells.next_border, step.tick
_beeindiging, _day_after = spells._beeindiging, spells.day_after
_drempel, _runs, _above, _sums, _per_maand = spells._drempel, spells._runs, spells.above, spells.sums, spells.per_maand

STANDS = invariants.test_what_stands_is_what_the_days_say_whatever_the_order_of_arrival, (events(),)
LEFT = invariants.test_who_left_school_stands_as_the_days_say_whatever_the_order_of_arrival, (leavers(),)
RISEN = thresholds.test_what_stands_is_what_the_days_add_up_to_whatever_the_order_of_arrival, (answered(earners()),)
VERSIONS = invariants.test_a_signaal_has_one_name_and_its_versions_run_without_gaps, (events(),)
DAYS = invariants.test_days_without_a_tick_pass_as_those_with_one, (events(ticks=0), st.integers(0, 50))

MUTANTS: dict[str, tuple[Any, str, Any, Property]] = {
    "the age does not matter": (spells, "_window", _all_days, STANDS),
    "only the last feit leaves a hole": (spells, "_holes", _ends_do_not_matter, STANDS),
    "a termijn is a day shorter": (spells, "day_after", _a_day_sooner, LEFT),
    "whatever ended last counts": (spells, "_beeindiging", _ends_of_all_soorten, LEFT),
    "to reach a threshold is to pass it": (spells, "above", _reached_is_above, RISEN),
    "each stretch of days is a run of its own": (spells, "above", _each_stretch_is_a_run, RISEN),
    "amounts are rounded up": (spells, "per_maand", _rounded_up, RISEN),
    "four weeks are a month": (spells, "per_maand", _four_weeks_are_a_month, RISEN),
    "an amount that is not known is told": (spells, "per_maand", _unknown_is_nothing, RISEN),
    "only the highest income counts": (spells, "sums", _highest_counts, RISEN),
    "income outside of the basisfeit counts": (spells, "_runs", _income_before_and_after_counts, RISEN),
    "a run is told only while it lasts": (spells, "_drempel", _told_while_it_lasts, RISEN),
    "the first run is told for ever": (spells, "_drempel", _first_run_stays, RISEN),
    "all income is told": (spells, "_drempel", _all_income_is_told, RISEN),
    "a run that begins later is never due": (step, "next_border", _never_due, RISEN),
    "time alone changes nothing": (step, "next_border", _never_due, STANDS),
    "time comes a day late": (step, "next_border", _due_a_day_late, RISEN),
    "a tick forgets who was due before": (DueIndex, "until", _only_on_its_day, STANDS),
    "nobody is ever due": (Timeline, "with_due", _due_is_not_written, STANDS),
    "what was sent is sent again": (step, "diff", _says_it_again, VERSIONS),
    "days without a tick are left out": ("streams.fold", "tick", _today_only, DAYS),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    *mutant, by = MUTANTS[planted]
    found(monkeypatch, tuple(mutant), by)
