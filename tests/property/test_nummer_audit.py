"""Whoever judges an engine that took numbers that change comes to the same: DuckDB from the mutaties, and a replay byte for byte."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalogue import Catalogue
from schemas.partitioner import partition_of
from streams.audit.archive import Archive
from streams.audit.history import Scope
from streams.audit.run import Question, replay
from streams.audit.second_opinion import second_opinion
from tests.kept import APP, PARTITIES, World, keep, told
from tests.property import basis_worlds, worlds
from tests.property.kerns import Delivered
from tests.property.number_worlds import newest
from tests.property.number_worlds import worlds as numbers

CATALOGUE = Catalogue.load()  # no argument of a test: Hypothesis would write it out
few = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
asked = worlds.histories(worlds.BASIS, 2).flatmap(lambda b: worlds.histories("uwv.inkomstenopgave", 3).map(lambda f: b + f))
kept = basis_worlds.events(more=("gemeente.bijstand", "duo.studiefinanciering"))


def archive_of(folder: Path, deliveries: list[Delivered], seed: int, catalogue: Catalogue = CATALOGUE) -> tuple[Archive, World]:
    """Nobody answers volgverzoeken: what was not kept, or forgotten, must not stand."""
    world = World(catalogue, seed)
    for d in deliveries:
        for partition in range(PARTITIES) if d.key is None else [partition_of(d.key, PARTITIES)]:
            world.append(d.topic, partition, d.key, d.value)
    world.work()
    return keep(folder / str(sum(1 for _ in folder.iterdir())), world), world


@few
@given(numbers(asked | kept), st.integers(0, 2**32))
def test_the_second_opinion_and_the_replay_are_the_engines(tmp_path: Path, world: tuple[list, list[Delivered]], seed: int) -> None:
    archive, engine = archive_of(tmp_path, world[1], seed)
    opinion = second_opinion(archive, [CATALOGUE], APP)
    live = [s for s in newest(told(engine)) if s.soort != "VERVALLEN"]
    assert (opinion.findings, opinion.geldend) == ([], len(live))
    found = replay(Question(archive.folder, APP, Scope()), tmp_path / "work", 0)
    assert (found.findings, found.same) == ([], len(told(engine)))
