"""DuckDB and the engine agree on what stands of a basisfeit and all feiten together, in whatever order mutaties and ticks arrive."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalogue import Catalogue
from streams.audit.archive import Archive
from streams.audit.second_opinion import AsOf, Opinion, second_opinion
from tests.archived import APP, Log
from tests.kept import PARTITIES
from tests.property.basis_worlds import Event, Tick, delivered, events, leavers, named_by, truth
from tests.property.debtor_worlds import answers, debtors, earners, owed
from tests.property.worlds import Told

PERSONS = [b"A" * 52, b"B" * 52]
CATALOGUE = Catalogue.load()  # no argument of a test: Hypothesis would write it out
few = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])

Arriving = list[tuple[bytes, Event]]


@st.composite
def arrivals(draw: st.DrawFn) -> Arriving:
    """Events about some persons, in any order; ticks are those of all."""
    told: Arriving = []
    for persoon in PERSONS:
        for e in draw(events(ticks=2) | leavers() | debtors(ticks=2) | earners()):
            told.append((persoon, named_by(persoon, e)))
    told = draw(st.permutations(told))
    return told + [(persoon, a) for persoon in PERSONS for a in answers(e for p, e in told if p == persoon)]


def take(log: Log, arriving: Arriving) -> None:
    """Each as a transaction of its own; a tick comes to every partition."""
    for persoon, e in arriving:
        if isinstance(e, Told):
            partition, frame = log.put(e.soort, persoon, e.mutatie)
            log.take(partition, [frame])
            continue
        for partition in range(PARTITIES):
            log.take(partition, [("klok", [log.append("klok", partition, None, delivered(e).value)])])


def judged(folder: Path, arriving: Arriving, as_of: AsOf = AsOf()) -> Opinion:  # noqa: B008 - it cannot change
    log = Log(CATALOGUE)
    take(log, arriving)
    if not arriving:
        log.take(0, [])
    number = sum(1 for _ in folder.iterdir())
    return second_opinion(Archive(log.archive(folder / str(number))), [CATALOGUE], APP, as_of)


@few
@given(arrivals())
def test_the_second_opinion_is_the_engines(tmp_path: Path, arriving: Arriving) -> None:
    opinion = judged(tmp_path, arriving)
    assert opinion.findings == []
    of_each = [[e for p, e in arriving if p == persoon or isinstance(e, Tick)] for persoon in PERSONS]
    assert opinion.geldend == sum(len(truth(told)) + len(owed(told)) for told in of_each)


@few
@given(arrivals(), st.integers(0, 12))
def test_whatever_differs_on_a_moment_is_told_apart_when_the_order_of_arrival_accounts_for_it(
    tmp_path: Path, arriving: Arriving, after: int
) -> None:
    assert judged(tmp_path, arriving, AsOf(known_on=1_760_000_000_000 + after)).findings == []
