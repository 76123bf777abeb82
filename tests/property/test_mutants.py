"""The properties can fail: each of these planted errors in the rules is found by one of them."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.values import Mutatie
from streams.core import diff as diff_module
from streams.core import pairs, rules, step
from streams.core.period import Period
from streams.core.record import Record
from streams.core.rules import Wanted
from tests.property import test_invariants as invariants
from tests.property.hunting import found
from tests.property.worlds import deliveries


def _equal_versions_win(known: Record | None, mutatie: Mutatie) -> bool:
    return known is None or mutatie.versie >= known.versie


def _last_arrival_wins(known: Record | None, mutatie: Mutatie) -> bool:
    return True


def _touching_is_sharing(self: Period, other: Period) -> Period | None:
    start = max(self.start, other.start)
    end = min((e for e in (self.end, other.end) if e is not None), default=None)
    return Period(start, end) if end is None or start <= end else None


def _without_last_day(cls: type[Period], begin: int, end: int | None) -> Period:
    return Period(begin, None if end is None else max(end, begin + 1))


def _fields_do_not_count(self: Wanted) -> bytes:
    return str((self.kenmerk, self.shared)).encode()


def _never_withdraws(sent: Any, dienst: int, basis: int, wanted: Wanted | None) -> Any:
    return (c for c in _diff(sent, dienst, basis, wanted) if c.soort != "VERVALLEN")


def _forgets_what_was_sent(sent: Any, changes: Any) -> Any:
    return ()


def _keeps_everything(*_: Any) -> bool:
    return True


_diff = diff_module.diff

STANDS = invariants.test_what_stands_is_what_the_days_say_whatever_the_order_of_arrival, invariants.SELF_FILTERING
AGAIN = invariants.test_to_take_everything_once_more_changes_nothing, invariants.SELF_FILTERING
VERSIONS = invariants.test_a_signaal_has_one_name_and_its_versions_run_without_gaps, invariants.SELF_FILTERING
NO_TRACE = invariants.test_a_persoon_without_any_basisfeit_leaves_no_trace, invariants.FOLLOWED

MUTANTS: dict[str, tuple[Any, str, Any, tuple[Callable[..., None], str]]] = {
    "the last arrival wins": (step, "newer", _last_arrival_wins, STANDS),
    "an equal versie counts again": (step, "newer", _equal_versions_win, AGAIN),
    "periods that only touch share a day": (Period, "shared_with", _touching_is_sharing, STANDS),
    "the last day is lost": (Period, "tot_en_met", classmethod(_without_last_day), STANDS),
    "a changed field is no change": (rules.Wanted, "digest", _fields_do_not_count, STANDS),
    "no signal is ever withdrawn": (pairs, "diff", _never_withdraws, STANDS),
    "what was sent is forgotten": (pairs, "remember", _forgets_what_was_sent, VERSIONS),
    "facts about anybody are kept": (step, "_may_keep", _keeps_everything, NO_TRACE),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    where, name, mutant, (prop, soort) = MUTANTS[planted]
    found(monkeypatch, (where, name, mutant), (prop, (deliveries(soort),)))
