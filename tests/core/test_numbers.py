"""Numbers that change in a whole history: a replay makes the same, the second opinion agrees, rules may switch, and tampering is found."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bench.catalogues import own_filtering_catalogue
from connectors.bronnen.population import population
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue
from schemas.codec import Codec, encode_signaal
from schemas.nummers import Nummerwijziging
from schemas.partitioner import partition_of
from schemas.sources import NUMMERWIJZIGINGEN
from schemas.values import Mutatie
from streams.audit.archive import Archive
from streams.audit.findings import Kind
from streams.audit.history import Scope
from streams.audit.manifest import ArchiveError
from streams.audit.run import Question, replay
from streams.audit.second_opinion import AsOf, second_opinion
from tests.archived import Log
from tests.core.test_switch import changed, with_another_version
from tests.kept import APP, PARTITIES, World, change_rows, keep, standing, told, versions_run_on

Lines = list[tuple[str, Any]]
OVERDRACHTEN = f"{APP}-overdrachten"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_filtering_catalogue(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def lines(base: Path) -> Lines:
    return [(d.soort, d.line) for d in population(Catalogue.load(base), persons=20, seed=7, mutations=300)]


def persons(lines: Lines) -> list[str]:
    return sorted({line["bsn"] for _, line in lines})


def change(world: World, old: str, new: str) -> None:
    """The Basisregistratie Personen states it."""
    name = Pseudonymiser(bytes(range(32))).persoon
    value = Codec(world.catalogue).encode_nummerwijziging(Nummerwijziging(1, 1_790_000_000_000, name(new)))
    key = name(old).encode()
    world.append(NUMMERWIJZIGINGEN, partition_of(key, PARTITIES), key, value)


@pytest.fixture
def world(base: Path, lines: Lines) -> World:
    """In the middle of it every second of ten persons becomes the one before, and one of these a third."""
    world, bsns = World(Catalogue.load(base), seed=3), persons(lines)
    half = len(lines) // 2
    world.publish(lines[:half])
    world.work()
    for new, old in zip(bsns[:10:2], bsns[1:10:2], strict=True):
        change(world, old, new)
    change(world, bsns[0], bsns[10])
    world.publish(lines[half:])
    world.work()
    return world


def as_if(base: Path, lines: Lines) -> World:
    """The same when all came under the newest number from the beginning."""
    bsns = persons(lines)
    newest = {**dict(zip(bsns[1:10:2], bsns[:10:2], strict=True)), bsns[0]: bsns[10], bsns[1]: bsns[10]}
    world = World(Catalogue.load(base), seed=4)
    world.publish((soort, {**line, "bsn": newest.get(line["bsn"], line["bsn"])}) for soort, line in lines)
    world.work()
    return world


def test_what_stands_is_what_would_stand_under_the_newest_numbers_from_the_beginning(world: World, base: Path, lines: Lines) -> None:
    assert standing(told(world)) == standing(told(as_if(base, lines)))
    assert versions_run_on(told(world))
    assert sum(s.oorzaak.topic == OVERDRACHTEN for s in told(world)) > 20


def test_a_replay_makes_the_same(world: World, tmp_path: Path) -> None:
    folder = keep(tmp_path / "archive", world).folder
    found = replay(Question(folder, APP, Scope()), tmp_path / "work", 0)
    went_over = sum(len(rows) for (topic, _), rows in world.log.items() if topic == OVERDRACHTEN)
    assert (found.findings, found.same) == ([], len(told(world)))
    assert went_over > 10


def test_the_second_opinion_agrees(world: World, tmp_path: Path) -> None:
    opinion = second_opinion(keep(tmp_path / "archive", world), [world.catalogue], APP)
    assert (opinion.findings, opinion.geldend) == ([], len(standing(told(world))))
    with pytest.raises(ArchiveError, match="got another number"):
        second_opinion(Archive(tmp_path / "archive"), [world.catalogue], APP, AsOf(known_on=1_790_000_000_000))


def test_rules_may_switch_afterwards_and_a_replay_follows_that_too(world: World, base: Path, lines: Lines, tmp_path: Path) -> None:
    before = standing(told(world))
    world.switch(changed(base, tmp_path / "new", with_another_version))
    assert standing(told(world)) == before
    world.publish((soort, {**line, "versie": line["versie"] + 1, "feit": None}) for soort, line in lines if soort != "gemeente.bijstand")
    world.work()
    assert standing(told(world)) == {}, "what still comes under the old numbers goes over under these rules too"
    found = replay(Question(keep(tmp_path / "archive", world).folder, APP, Scope()), tmp_path / "work", 0)
    assert found.findings == []


@pytest.mark.parametrize("gone", [True, False])
def test_what_went_over_and_is_changed_or_gone_is_named_by_its_place(world: World, tmp_path: Path, *, gone: bool) -> None:
    folder = keep(tmp_path / "archive", world).folder
    partition = Archive(folder).partitions(OVERDRACHTEN)[0]
    victim = next(iter(Archive(folder).rows(OVERDRACHTEN, partition)))
    other = victim._replace(key=b"A" * 52)
    change_rows(folder, OVERDRACHTEN, partition, lambda rows: [*([] if gone else [other]), *rows[1:]])
    findings = replay(Question(folder, APP, Scope()), tmp_path / "work", 0).findings
    wanted = Kind.MISSING if gone else Kind.DIFFERENT
    about = dict(victim.headers)["ce_id"].decode()
    assert about in {f.about for f in findings if f.kind is wanted}
    if gone:
        assert Kind.INPUT in {f.kind for f in findings}
    else:
        assert f"{OVERDRACHTEN}-{partition}@{victim.offset}" in {f.place for f in findings}


def test_a_version_that_two_numbers_sent_at_once_is_no_finding_and_a_copy_that_differs_is(catalogue: Catalogue, tmp_path: Path) -> None:
    log = Log(catalogue)
    old, new = b"A" * 52, b"B" * 52
    velden = {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "soort_inkomstenverhouding": "15"}
    for persoon, end in ((old, 20_100), (new, 20_200)):  # the bron delivers under the new number before the change comes
        days = {"begindatum": 20_000, "einddatum": end}
        basis = days | {"houder": "gm0599", "kenmerk": "A-1", "wet": "IOAW"}
        for soort, feit in (("gemeente.bijstand", basis), ("uwv.inkomstenverhouding", days | velden)):
            partition, frame = log.put(soort, persoon, Mutatie("r-1", 1, 1_760_000_000_000, feit))
            log.take(partition, [frame])
    value = Codec(catalogue).encode_nummerwijziging(Nummerwijziging(1, 1_760_000_000_000, new.decode()))
    log.append(NUMMERWIJZIGINGEN, partition_of(old, PARTITIES), old, value)
    log.work()
    sent = told(log)
    assert sorted((s.versie, s.soort) for s in sent) == [(1, "NIEUW"), (1, "NIEUW"), (2, "VERVALLEN"), (3, "NIEUW")]
    assert second_opinion(Archive(log.archive(tmp_path / "right")), [catalogue], APP).findings == []
    log.append("signalen.gm0599", 0, sent[0].signaal_id.encode(), encode_signaal(replace(sent[0], kenmerk="A-2")))
    found = second_opinion(Archive(log.archive(tmp_path / "wrong")), [catalogue], APP).findings
    assert [(f.soort, f.waar) for f in found] == [("TWEE_INHOUDEN", sent[0].signaal_id)]
