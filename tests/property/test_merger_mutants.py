"""The properties where gemeenten end can fail: each of these planted errors is found by one."""

from typing import Any

import pytest
from hypothesis import strategies as st

from streams.core import pairs, rules, spells, step
from tests.property import test_mergers as invariants
from tests.property.hunting import Property, found
from tests.property.merger_worlds import mergers


def _houder_only(dienst: Any, houder: str, day: int) -> str:
    return houder


def _first_opvolger_for_ever(dienst: Any, houder: str, day: int) -> str | None:
    if houder not in dienst.beurten:
        return houder
    days, ontvanger = dienst.beurten[houder][0]
    return ontvanger if day in days else next((o for _, o in dienst.beurten[houder][1:]), None)


def _whole(found: Any, beurten: Any) -> Any:
    return found


def _never(rulebook: Any, timeline: Any, day: int) -> None:
    return None


def _a_day_late(rulebook: Any, timeline: Any, day: int) -> int | None:
    due = _next(rulebook, timeline, day)
    return None if due is None else due + 1


def _no_pair_waits(rulebook: Any, timeline: Any) -> bool:
    return False


def _today_only(rulebook: Any, timeline: Any, klok: int | None, day: int, place: Any, days: Any) -> Any:
    return _tick(rulebook, timeline, None, day, place, days)


_next, _tick = pairs.next_of_pairs, step.tick
STANDS = invariants.test_what_stands_is_what_the_days_say_with_whoever_is_there_on_that_of_the_klok, (mergers(),)
WAITS = invariants.test_only_who_has_a_basisfeit_of_a_gemeente_that_will_end_waits_for_its_day, (mergers(ticks=1),)
DAYS = invariants.test_days_without_a_tick_pass_as_those_with_one, (mergers(ticks=0), st.integers(0, 25))

MUTANTS: dict[str, tuple[Any, str, Any, Property]] = {
    "the houder is told of pairs for ever": (rules, "ontvanger_on", _houder_only, STANDS),
    "an opvolger has no opvolger": (rules, "ontvanger_on", _first_opvolger_for_ever, STANDS),
    "the houder is told of a basisfeit for ever": (spells, "_divided", _whole, STANDS),
    "nobody waits for the day": (step, "next_of_pairs", _never, STANDS),
    "the day comes late": (step, "next_of_pairs", _a_day_late, WAITS),
    "time alone moves no pair": (step, "know_the_klok", _no_pair_waits, STANDS),
    "an ontvanger between two ticks is left out": ("streams.fold", "tick", _today_only, DAYS),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    *mutant, by = MUTANTS[planted]
    found(monkeypatch, tuple(mutant), by)
