"""Invariants 1 to 4 where a bron's records are held for some days: by both cores, and in the second opinion."""

from itertools import groupby, pairwise
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import decode_signaal
from schemas.values import Place, Signaal
from streams.audit import reproduce as reproducing
from streams.audit.archive import Archive
from streams.audit.history import Scope
from streams.audit.reproduce import Input
from streams.audit.run import Question, replay
from streams.audit.second_opinion import AsOf, second_opinion
from streams.core.due import due_of, is_due
from streams.core.timeline import is_head, timeline_of
from tests.archived import APP, Log
from tests.kept import told as told_in
from tests.property import worlds
from tests.property.basis_worlds import PERSOON, Event, Tick
from tests.property.held_worlds import DAY_MS, WAIT, Holding, HoldingNet, delivered, holding, live, told_by, truth, waiting
from tests.property.kerns import PARTITION, Delivered
from tests.property.number_worlds import newest
from tests.property.number_worlds import worlds as numbers
from tests.property.test_basis_second_opinion import take
from tests.property.test_nummer_audit import archive_of
from tests.property.worlds import FIRST, HORIZON

few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
some = settings(max_examples=40)


@given(waiting())
def test_what_stands_is_what_the_days_say_of_what_is_no_longer_held_whatever_the_order_of_arrival(told: list[Event]) -> None:
    assert live(told_by(Holding(), ([e] for e in told))) == truth(told)


@some
@given(waiting(), st.lists(st.integers(0, 30), max_size=3))
def test_it_is_the_same_however_it_is_cut(told: list[Event], cuts: list[int]) -> None:
    ends = sorted({0, *(c for c in cuts if c < len(told)), len(told)})
    assert live(told_by(Holding(), (told[a:b] for a, b in pairwise(ends)))) == truth(told)


@some
@given(waiting())
def test_versions_run_without_gaps_and_nothing_is_said_twice(told: list[Event]) -> None:
    engine = Holding()
    signalen = [decode_signaal(value) for value in told_by(engine, ([e] for e in told))]
    for _, group in groupby(sorted(signalen, key=lambda s: (s.signaal_id, s.versie)), key=lambda s: s.signaal_id):
        versions = list(group)
        assert [s.versie for s in versions] == list(range(1, len(versions) + 1))
    rows = engine.rows
    assert told_by(engine, ([e] for e in told)) == []
    assert engine.rows == rows


@some
@given(waiting(ticks=0), st.integers(0, 40))
def test_days_without_a_tick_pass_as_those_with_one(told: list[Event], days: int) -> None:
    daily, once = Holding(), Holding()
    for engine in (daily, once):
        told_by(engine, [[*told, Tick(FIRST - 1)]])
    each = told_by(daily, ([Tick(FIRST + n)] for n in range(days + 1)))
    assert sorted(map(_without_cause, told_by(once, [[Tick(FIRST + days)]]))) == sorted(map(_without_cause, each))


def _without_cause(value: bytes) -> tuple[str, ...]:
    s = decode_signaal(value)
    return s.ontvanger, s.signaal_id, str(s.versie), s.soort, str(s.begindatum), str(s.einddatum), str(s.gegevens)


@some
@given(waiting())
def test_state_remembers_only_what_is_held_and_waits_for_the_first_of_its_days(told: list[Event]) -> None:
    engine = Holding()
    told_by(engine, ([e] for e in told))
    klok = max((e.day for e in told if isinstance(e, Tick)), default=FIRST - 100)
    held = {n: day for names in timeline_of(PERSOON, engine.store.get).head.held.values() for n, day in names.items()}
    first: dict[bytes, int] = {}
    for e in told:
        if not isinstance(e, Tick) and e.soort != "gemeente.bijstand":
            name = e.mutatie.record_id.encode()
            first[name] = min(first.get(name, HORIZON + 1), e.mutatie.registratietijd // DAY_MS)
    assert held == {name: day for name, day in first.items() if day + WAIT > klok}
    due = [due_of(row).regels for key, row in engine.store.rows.items() if is_due(key)]
    assert [day for day in due if day is not None] == sorted(day + WAIT for day in held.values())[:1]
    assert all(row[0] == (0x97 if held else 0x94) for key, row in engine.store.rows.items() if is_head(key)), "others keep their form"


@some
@given(waiting(ticks=3))
def test_every_signaal_is_reproduced_byte_for_byte_from_its_records_and_the_klok(told: list[Event]) -> None:
    engine, sent, inputs = Holding(), dict[str, dict[int, list[bytes]]](), list[Input]()
    for number, event in enumerate(told):
        one = delivered(event)
        place = Place(one.topic, PARTITION, engine._next.get(one.topic, 70))
        if isinstance(event, Tick):
            inputs.append(reproducing.Tick(place, event.day, number))
        else:
            inputs.append(reproducing.Delivered(engine.python.rulebook.by_topic[one.topic], place, event.mutatie, number))
        for value in told_by(engine, [[event]]):
            s = decode_signaal(value)
            sent.setdefault(s.signaal_id, {}).setdefault(s.versie, []).append(value)
    for name, versions in sent.items():
        assert reproducing.reproduce(engine.python.rulebook, PERSOON, name, inputs, versions).differences == ()


@given(numbers(waiting(), together=False), st.randoms(use_true_random=False), st.sampled_from((0, 0.3)))
def test_a_number_that_changes_takes_along_what_is_held(world: tuple[list[Event], list[Delivered]], draw: Random, twice: float) -> None:
    told, deliveries = world
    net = HoldingNet()
    for delivery in deliveries:
        net.put(delivery)
    net.take(draw, twice=twice)
    assert worlds.live([s for s in newest(net.signalen) if isinstance(s, Signaal)]) == truth(told)
    assert net.refused == []


@few
@given(numbers(waiting()), st.integers(0, 2**32))
def test_both_opinions_are_the_engines_where_numbers_change(tmp_path: Path, world: tuple[list, list[Delivered]], seed: int) -> None:
    archive, engine = archive_of(tmp_path, world[1], seed, holding())
    opinion = second_opinion(archive, [holding()], APP)
    live = [s for s in newest(told_in(engine)) if s.soort != "VERVALLEN"]
    assert (opinion.findings, opinion.geldend) == ([], len(live))
    found = replay(Question(archive.folder, APP, Scope()), tmp_path / "work", 0)
    assert (found.findings, found.same) == ([], len(told_in(engine)))


@few
@given(waiting(), st.none() | st.integers(FIRST, HORIZON + 10))
def test_both_opinions_are_the_engines(tmp_path: Path, told: list[Event], day: int | None) -> None:
    log = Log(holding())
    log.take(0, [])
    take(log, [(PERSOON, e) for e in told])
    folder = log.archive(tmp_path / str(sum(1 for _ in tmp_path.iterdir())))
    known = AsOf() if day is None else AsOf(known_on=day * DAY_MS + DAY_MS - 1)
    assert second_opinion(Archive(folder), [holding()], APP, known).findings == []
    assert replay(Question(folder, APP, Scope()), tmp_path / "work", 0).findings == []
