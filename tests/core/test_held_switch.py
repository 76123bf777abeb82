"""A switch to rules under which a bron's records are held for another time, or no longer, or only now."""

from pathlib import Path

import pytest

from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.sources import KLOK
from schemas.values import Mutatie
from streams.audit.archive import Archive
from streams.audit.history import Scope
from streams.audit.run import Question, replay
from streams.audit.second_opinion import second_opinion
from tests.archived import APP, Log
from tests.contract.spoiling import copied
from tests.kept import PARTITIES, told

DAY, PERSOON = 20_500, b"A" * 52
DOSSIER = {"begindatum": 20_000, "einddatum": None, "houder": "gm0599", "kenmerk": "A-1", "wet": "IOAW"}


def holding(folder: Path, wait: str | None) -> Catalogue:
    """The published catalogue, in which DJI's records are held so long."""
    bronnen = copied(folder) / "bronnen.yaml"
    bronnen.write_text(bronnen.read_text().replace(", aanhouden: P3D", "" if wait is None else f", aanhouden: {wait}"))
    return Catalogue.load(folder)


def klok(log: Log, day: int) -> None:
    value = Codec(log.catalogue).encode(log.catalogue.latest_schema(KLOK).id, {"datum": day})
    for partition in range(PARTITIES):
        log.take(partition, [(KLOK, [log.append(KLOK, partition, None, value)])])


def take(log: Log, soort: str, name: str, versie: int, feit: dict | None, registered: int) -> None:
    partition, frame = log.put(soort, PERSOON, Mutatie(name, versie, registered * 86_400_000, feit))
    log.take(partition, [frame])


def detained(log: Log, name: str, registered: int, versie: int = 1, begin: int = DAY) -> None:
    take(log, "dji.detentie", name, versie, {"begindatum": begin, "einddatum": None}, registered)


def said(log: Log) -> list[tuple[str, str, str]]:
    return [(s.bewijs[-1].record_id, s.soort, s.oorzaak.topic) for s in told(log)]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    """Somebody with bijstand who was detained on the day before the klok's and on that of the klok."""
    log = Log(holding(tmp_path / "was", "P3D"))
    klok(log, DAY)
    take(log, "gemeente.bijstand", "b-1", 1, DOSSIER, DAY - 400)
    detained(log, "d-1", DAY - 1)
    detained(log, "d-2", DAY)
    return log


@pytest.mark.parametrize(
    ("wait", "at_once", "then"),
    [(None, ["d-1", "d-2"], []), ("P1D", ["d-1"], ["d-2"]), ("P3D", [], []), ("P5D", [], [])],
)
def test_what_is_held_no_longer_is_told_at_the_switch_and_the_rest_on_its_new_day(
    log: Log, tmp_path: Path, wait: str | None, at_once: list[str], then: list[str]
) -> None:
    assert said(log) == []
    log.switch(holding(tmp_path / "is", wait))
    assert said(log) == [(name, "NIEUW", f"{APP}-verloop") for name in at_once]
    klok(log, DAY + 1)
    assert said(log)[len(at_once) :] == [(name, "NIEUW", KLOK) for name in then]
    klok(log, DAY + 5)
    assert {name for name, _, _ in said(log)} == {"d-1", "d-2"}
    judged(log, tmp_path)


def test_what_was_told_before_a_bron_was_held_stays_told_and_what_comes_after_is_held(log: Log, tmp_path: Path) -> None:
    log.switch(holding(tmp_path / "never", None))
    log.switch(holding(tmp_path / "again", "P3D"))
    assert [soort for _, soort, _ in said(log)] == ["NIEUW", "NIEUW"]
    detained(log, "d-2", DAY, 2, DAY - 7)
    detained(log, "d-3", DAY)
    assert [(name, soort) for name, soort, _ in said(log)][2:] == [("d-2", "GEWIJZIGD")]
    judged(log, tmp_path)
    klok(log, DAY + 3)
    assert said(log)[3:] == [("d-3", "NIEUW", KLOK)]
    judged(log, tmp_path)


def test_a_month_ends_where_the_next_one_is_too_short(tmp_path: Path) -> None:
    log = Log(holding(tmp_path / "month", "P1M"))
    take(log, "gemeente.bijstand", "b-1", 1, DOSSIER, DAY - 400)
    last_of_january = 20_484
    detained(log, "d-1", last_of_january, begin=last_of_january)
    klok(log, last_of_january + 27)
    assert said(log) == []
    judged(log, tmp_path)
    klok(log, last_of_january + 28)
    assert said(log) == [("d-1", "NIEUW", KLOK)]
    judged(log, tmp_path)


def judged(log: Log, tmp_path: Path) -> None:
    """Whoever judges finds nothing."""
    number = sum(1 for _ in tmp_path.iterdir())
    folder = log.archive(tmp_path / f"archive-{number}")
    assert second_opinion(Archive(folder), log.catalogues, APP).findings == []
    assert replay(Question(folder, APP, Scope()), tmp_path / f"work-{number}", 0).findings == []
