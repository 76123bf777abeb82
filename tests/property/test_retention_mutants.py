"""Planted errors in how long somebody is kept: the days must find each."""

from typing import Any

import pytest
from msgspec.structs import replace

from streams.core import days, retention
from streams.core.days import Days
from streams.core.period import BEFORE
from streams.core.timeline import Timeline
from tests.property import test_retention as properties
from tests.property.hunting import Property, found
from tests.property.retention_worlds import years

_termijn, _latest, _look, _struck = retention._termijn, retention._latest, retention.look, days.struck


def _whatever_anybody_dies(dienst: Any, timeline: Timeline) -> Any:
    gronden = timeline.gronden(dienst.basis)
    return zip(gronden, gronden, strict=True)


def _only_records(rulebook: Any, timeline: Timeline, known: Days) -> int:
    return _latest(rulebook, timeline.with_due(replace(timeline.due, laatst=None)), known)


def _on_the_day_itself(self: Days, day: int) -> int:
    return max(day, self._days[0])


def _a_day_more(rulebook: Any, timeline: Timeline) -> int:
    return _termijn(rulebook, timeline) + 1


def _half_of_the_rows(read: Any, klok: int | None, day: int, termijn: int) -> Any:
    return _struck(read, klok, day, termijn // 2)


def _not_again(rulebook: Any, timeline: Timeline, *args: Any) -> Timeline | None:
    after = _look(rulebook, timeline, *args)
    return None if after is None else after.with_due(replace(after.due, bewaren=None))


def _the_first_row(persoon: bytes, pages: int) -> list[bytes]:
    return [persoon]


KNOWN: Property = properties.test_who_is_known_is_who_may_be_known_by_the_days_and_nothing_of_anybody_else_is_left, (years(),)

MUTANTS: dict[str, tuple[Any, str, Any]] = {
    "a death ends nothing": (retention, "counting", _whatever_anybody_dies),
    "what time alone made the node say does not count": (retention, "_latest", _only_records),
    "no offset tells a day": (Days, "taken", lambda self, nummer, offset: BEFORE),
    "what came on a day came before it": (Days, "behind", _on_the_day_itself),
    "it ends a day late": (retention, "_termijn", _a_day_more),
    "rows of days go too soon": ("streams.fold", "struck", _half_of_the_rows),
    "nobody looks a second time": ("streams.core.step", "look", _not_again),
    "the row of the klok is left": ("streams.fold", "keys_of", _the_first_row),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    found(monkeypatch, MUTANTS[planted], KNOWN)
