"""The properties of the pattern informatiepakket can fail: each of these planted errors is found by one."""

from typing import Any

import pytest

from streams.core import spells, step
from streams.core.period import Period
from tests.property import test_package_invariants as invariants
from tests.property.hunting import Property, found
from tests.property.package_worlds import applications

STANDS = invariants.test_what_stands_is_what_the_days_say_whatever_the_order_of_arrival, (applications(),)
ASKED = invariants.test_bronnen_are_asked_from_the_first_day_of_reference, (applications(),)
ENDS = invariants.test_a_package_is_told_when_its_time_comes_and_gone_when_its_ground_is, (applications(),)

_day_before, _informatiepakket, _reference = spells.day_before, spells._informatiepakket, spells.reference


def _a_day_less(day: int, termijn: str) -> int:
    return _day_before(day, termijn) + 1


def _the_peildatum_too(dienst: Any, regel: Any, basis: Any) -> Any:
    days = _reference(dienst, regel, basis)
    return days if days is None or regel.terug is None else Period(days.start, days.end + 1)


def _of_the_begindatum(dienst: Any, regel: Any, basis: Any) -> Any:
    return _reference(dienst, regel.model_copy(update={"peildatum": "begindatum"}), basis)


def _no_waiting(day: int, termijn: str) -> int:
    return day


def _for_ever(dienst: Any, regel: Any, basis: Any, feiten: Any, *end: Any) -> Any:
    return [s._replace(told=Period(s.told.start, None)) for s in _spells(dienst, regel, basis, feiten, *end)]


def _only_when_there_is_anything(dienst: Any, regel: Any, basis: Any, feiten: Any, *end: Any) -> Any:
    return [s for s in _spells(dienst, regel, basis, feiten, *end) if s.standing.delen]


def _only_what_lies_inside(dienst: Any, regel: Any, basis: Any, feiten: Any, *end: Any) -> Any:
    days = _reference(dienst, regel, basis)
    return _spells(dienst, regel, basis, [(s, f) for s, f in feiten if days is not None and f.period.shared_with(days) == f.period], *end)


def _whatever_is_known(dienst: Any, regel: Any, basis: Any, feiten: Any, *end: Any) -> Any:
    return [
        s._replace(standing=spells._standing(dienst, basis, s.standing.shared, feiten)) for s in _spells(dienst, regel, basis, feiten, *end)
    ]


def _spells(dienst: Any, regel: Any, basis: Any, feiten: Any, *end: Any) -> list[Any]:
    return list(_informatiepakket(dienst, regel, basis, feiten, *end))


def _since_the_application(dienst: Any, basis: Any) -> int | None:
    return None if basis.period is None else int(basis.period.start)


MUTANTS: dict[str, tuple[Any, str, Any, Property]] = {
    "the days of reference begin a day late": (spells, "day_before", _a_day_less, STANDS),
    "the day of the application counts too": (spells, "reference", _the_peildatum_too, STANDS),
    "the peildatum is the day of the application": (spells, "reference", _of_the_begindatum, STANDS),
    "the wachttijd does not matter": (spells, "day_after", _no_waiting, STANDS),
    "a package stands when its application is decided": (spells, "_informatiepakket", _for_ever, ENDS),
    "a package of nothing is not told": (spells, "_informatiepakket", _only_when_there_is_anything, STANDS),
    "a feit has to lie inside the days of reference": (spells, "_informatiepakket", _only_what_lies_inside, STANDS),
    "whatever is known is told": (spells, "_informatiepakket", _whatever_is_known, STANDS),
    "bronnen are asked from the application on": (step, "since", _since_the_application, ASKED),
    "what was not asked for is missing": (step, "since", _since_the_application, STANDS),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    *mutant, by = MUTANTS[planted]
    found(monkeypatch, tuple(mutant), by)
