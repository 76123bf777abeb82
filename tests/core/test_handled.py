"""Handled signals in a whole history: a replay makes the same, the second opinion agrees, rules may switch, and tampering is found."""

from pathlib import Path
from typing import Any

import pytest

from bench.catalogues import own_filtering_catalogue
from connectors.bronnen.population import population
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.values import Afhandeling, ElkSignaal
from streams.audit.archive import Archive
from streams.audit.findings import Kind
from streams.audit.history import Scope
from streams.audit.run import Question, replay
from streams.audit.second_opinion import second_opinion
from tests.core.test_switch import changed, with_another_version
from tests.kept import APP, World, change_rows, keep, standing, told, versions_run_on

Lines = list[tuple[str, Any]]
AFHANDELINGEN = "afhandelingen"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_filtering_catalogue(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def lines(base: Path) -> Lines:
    return [(d.soort, d.line) for d in population(Catalogue.load(base), persons=20, seed=7, mutations=300)]


def live(world: World) -> list[ElkSignaal]:
    newest = {s.signaal_id: s for s in told(world)}
    return [s for name, s in sorted(newest.items()) if s.soort != "VERVALLEN"]


def report(world: World, signals: list[ElkSignaal]) -> None:
    """The ontvangers are done with these; some say so twice."""
    codec = Codec(world.catalogue)
    for s in [*signals, *signals[:3]]:
        place = s.basisfeit
        persoon = next(r.key for r in world.log[place.topic, place.partition] if r.offset == place.offset)
        world.append(AFHANDELINGEN, place.partition, persoon, codec.encode_afhandeling(Afhandeling(s.signaal_id, s.versie, 0)))
    world.work()


def again(world: World, lines: Lines) -> None:
    """Every feit is withdrawn, and stated again as it was."""
    newest: dict[tuple[str, str], tuple[int, Any]] = {}
    for soort, line in lines:
        key = soort, line["record_id"]
        newest[key] = max(newest.get(key, (0, None)), (line["versie"], line["feit"] and line), key=lambda x: x[0])
    feiten = [(soort, versie, line) for (soort, _), (versie, line) in newest.items() if line and soort != "gemeente.bijstand"]
    for more in (1, 2):
        world.publish(
            (soort, {**line, "versie": versie + more, "feit": line["feit"] if more == 2 else None}) for soort, versie, line in feiten
        )
        world.work()


@pytest.fixture
def world(base: Path, lines: Lines) -> World:
    """Half of what stood was handled before all of it was withdrawn and came again."""
    world = World(Catalogue.load(base), seed=3)
    world.publish(lines)
    world.work()
    report(world, live(world)[::2])
    return world


def test_of_what_comes_again_only_what_was_not_handled_is_sent(world: World, lines: Lines) -> None:
    before = live(world)
    done, open_ = standing(before[::2]), standing(before[1::2])
    assert min(len(done), len(open_)) > 10
    again(world, lines)
    assert standing(told(world)) == open_
    assert versions_run_on(told(world))


def test_a_replay_makes_the_same_and_the_second_opinion_agrees(world: World, lines: Lines, tmp_path: Path) -> None:
    again(world, lines)
    folder = keep(tmp_path / "archive", world).folder
    found = replay(Question(folder, APP, Scope()), tmp_path / "work", 0)
    assert (found.findings, found.same) == ([], len(told(world)))
    opinion = second_opinion(Archive(folder), [world.catalogue], APP)
    assert (opinion.findings, opinion.geldend) == ([], len(live(world)))


def test_without_the_reports_what_was_not_sent_is_missed(world: World, lines: Lines, tmp_path: Path) -> None:
    done = {s.signaal_id for s in live(world)[::2]}
    again(world, lines)
    folder = keep(tmp_path / "archive", world).folder
    for partition in Archive(folder).partitions(AFHANDELINGEN):
        change_rows(folder, AFHANDELINGEN, partition, lambda _: [])
    found = replay(Question(folder, APP, Scope()), tmp_path / "work", 0).findings
    assert {f.kind for f in found} == {Kind.INPUT, Kind.MISSING}
    findings = second_opinion(Archive(folder), [world.catalogue], APP).findings
    assert {f.waar for f in findings if f.soort == "ONTBREEKT"} == done
    assert {f.soort for f in findings} == {"ONTBREEKT", "RECORD_ONTBREEKT"}


def test_a_report_that_is_added_by_hand_explains_nothing_that_the_engine_did_not_take(world: World, lines: Lines, tmp_path: Path) -> None:
    again(world, lines)
    victim = live(world)[0]
    topic = f"signalen.{victim.ontvanger}"
    world.log[topic, 0] = [r for r in world.log[topic, 0] if (r.key, b'"soort":"NIEUW"' in r.value) != (victim.signaal_id.encode(), True)]
    place = victim.basisfeit
    value = Codec(world.catalogue).encode_afhandeling(Afhandeling(victim.signaal_id, victim.versie, 0))
    world.append(AFHANDELINGEN, place.partition, b"A" * 52, value)
    findings = second_opinion(Archive(keep(tmp_path / "archive", world).folder), [world.catalogue], APP).findings
    assert ("ONTBREEKT", victim.signaal_id) in {(f.soort, f.waar) for f in findings}


def test_a_switch_of_rules_does_not_tell_anew_what_was_handled(world: World, lines: Lines, base: Path, tmp_path: Path) -> None:
    again(world, lines)
    before = standing(told(world))
    world.switch(changed(base, tmp_path / "new", with_another_version))
    assert standing(told(world)) == before
    again(world, [(soort, {**line, "versie": line["versie"] + 2}) for soort, line in lines])
    assert standing(told(world)) == before
    found = replay(Question(keep(tmp_path / "archive", world).folder, APP, Scope()), tmp_path / "work", 0)
    assert found.findings == []
