"""Who judges knows that somebody was erased: a replay makes the same, and DuckDB accuses nobody who came again."""

from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from schemas.catalogue import Catalogue
from streams.audit.archive import Archive
from streams.audit.history import Scope
from streams.audit.run import Question, replay
from streams.audit.second_opinion import second_opinion
from tests.archived import APP, Log
from tests.kept import PARTITIES
from tests.property.basis_worlds import Tick, delivered
from tests.property.retention_worlds import BIJSTAND, DOOD, JONGERE, LOON, About, Event, years

CATALOGUE = Catalogue.load()  # no argument of a test: Hypothesis would write it out
few = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
ASKED = (LOON, DOOD)


def worked(events: list[Event]) -> Log:
    """An engine that took each as a transaction of its own, and at the end what the bronnen answer."""
    log = Log(CATALOGUE)
    for event in events:
        if isinstance(event, Tick):
            for partition in range(PARTITIES):
                log.take(partition, [("klok", [log.append("klok", partition, None, delivered(event).value)])])
        else:
            _put(log, event)
    for answer in _answers(events):
        _put(log, answer)
    return log


def _put(log: Log, event: About) -> None:
    told = event.told
    name = uuid5(NAMESPACE_OID, f"{event.persoon!r} {told.mutatie.record_id}")  # a record is about one persoon
    partition, frame = log.put(told.soort, event.persoon, replace(told.mutatie, record_id=str(name)))
    log.take(partition, [frame])


def _answers(events: list[Event]) -> list[About]:
    found = dict[tuple[bytes, str, str], About]()
    for e in events:
        if isinstance(e, About) and e.told.soort in ASKED:
            found[e.persoon, e.told.soort, e.told.mutatie.record_id] = e
    return list(found.values())


@few
@given(years(soorten=(BIJSTAND, JONGERE, *ASKED), rising=True))
def test_the_second_opinion_is_the_engines_also_of_whoever_was_erased_and_came_again(tmp_path: Path, events: list[Event]) -> None:
    number = sum(1 for _ in tmp_path.iterdir())
    archive = worked(events).archive(tmp_path / str(number))
    assert second_opinion(Archive(archive), [CATALOGUE], APP).findings == []


@few
@given(years())
def test_a_replay_makes_the_same_nulls_and_the_same_versions(tmp_path: Path, events: list[Event]) -> None:
    number = sum(1 for _ in tmp_path.iterdir())
    archive = worked(events).archive(tmp_path / str(number))
    assert replay(Question(archive, APP, Scope(), None), tmp_path / f"work-{number}", 0).findings == []
