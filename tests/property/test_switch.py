"""After a switch to other rules of a basisfeit, whenever it comes, stands what DuckDB says under the new ones, and a replay agrees."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalogue import Catalogue
from streams.audit.archive import Archive
from streams.audit.history import Scope
from streams.audit.run import Question, replay
from streams.audit.second_opinion import second_opinion
from tests.archived import APP, Log
from tests.property.basis_worlds import Event, Tick
from tests.property.test_basis_second_opinion import CATALOGUE, Arriving, arrivals, take
from tests.property.worlds import Told

few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

Change = Callable[[dict[str, Any]], None]


def of_other_ages(dienst: dict[str, Any]) -> None:
    dienst["regel"]["leeftijd"] = {"veld": "geboortedatum", "vanaf": 18}


def after_half_a_year(dienst: dict[str, Any]) -> None:
    dienst["regel"]["termijn"] = "P6M"


def of_every_tijdvak_a_month(dienst: dict[str, Any]) -> None:
    del dienst["regel"]["bedragen"][0]["tijdvak"]


def of_a_second_pattern(dienst: dict[str, Any]) -> None:
    """The rule of another name and nummer: the first is withdrawn, the second told."""
    dienst |= {"dienst": "een-andere", "nummer": 99}


CHANGES: dict[str, tuple[str, Change]] = {
    "other ages": ("jongeren-zonder-startkwalificatie", of_other_ages),
    "another termijn": ("voortijdig-schoolverlaters", after_half_a_year),
    "other amounts": ("inkomen-bij-terugvordering", of_every_tijdvak_a_month),
    "another dienst": ("voortijdig-schoolverlaters", of_a_second_pattern),
}


@pytest.fixture(scope="module", params=CHANGES.values(), ids=CHANGES.keys())
def other(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The published catalogue with one dienst changed."""
    name, change = request.param
    return changed(tmp_path_factory.mktemp("catalogus"), {name: change})


def changed(folder: Path, changes: dict[str, Change]) -> Catalogue:
    """The published catalogue with some diensten changed."""
    for path, data in CATALOGUE.bestanden.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    for name, change in changes.items():
        file = folder / "diensten" / f"{name}.yaml"
        dienst = yaml.safe_load(file.read_text())
        change(dienst)
        file.write_text(yaml.safe_dump(dienst))
    return Catalogue.load(folder)


@few
@given(arrivals(), arrivals(), st.booleans())
def test_after_a_switch_stands_what_the_second_opinion_says(
    tmp_path: Path, other: Catalogue, before: Arriving, after: Arriving, back: bool
) -> None:
    judge_a_switch(tmp_path, *((other, CATALOGUE) if back else (CATALOGUE, other)), before, after)


def going_on(before: Arriving, after: Arriving) -> Arriving:
    """What comes later, but for what says something else under the versie of before: of whom nobody had a ground, the first is not kept,
    and then nobody can hold it against the second."""
    said = {(e.soort, e.mutatie.record_id, e.mutatie.versie): e.mutatie.feit for _, e in before if isinstance(e, Told)}

    def fits(event: Event) -> bool:
        if isinstance(event, Tick):
            return True
        m = event.mutatie
        return said.get((event.soort, m.record_id, m.versie), m.feit) == m.feit

    return [(persoon, event) for persoon, event in after if fits(event)]


def judge_a_switch(tmp_path: Path, old: Catalogue, new: Catalogue, before: Arriving, after: Arriving) -> None:
    """Both opinions find nothing wrong with a history that goes over to other rules."""
    log = Log(old)
    log.take(0, [])
    take(log, before)
    log.switch(new)
    take(log, going_on(before, after))
    folder = log.archive(tmp_path / str(sum(1 for _ in tmp_path.iterdir())))
    assert second_opinion(Archive(folder), [old, new], APP).findings == []
    report = replay(Question(folder, APP, Scope()), tmp_path / "work", 0)
    assert report.findings == []
