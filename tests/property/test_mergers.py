"""Invariants 1 to 4 where gemeenten end: who is told depends on the klok, by both cores, after a switch, and in the second opinion."""

from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalogue import Catalogue
from schemas.codec import decode_signaal
from schemas.values import Place
from streams.audit import reproduce as reproducing
from streams.audit.archive import Archive
from streams.audit.history import Scope
from streams.audit.reproduce import Input
from streams.audit.run import Question, replay
from streams.audit.second_opinion import AsOf, second_opinion
from streams.core.due import due_of, is_due
from tests.archived import APP, Log
from tests.property.basis_worlds import PERSOON, Event, Tick, by_topic, delivered, named_by
from tests.property.kerns import PARTITION
from tests.property.merger_worlds import ENDS, Merging, catalogue_in, live, mergers, merging, told_by, told_on, truth
from tests.property.test_basis_second_opinion import Arriving, take
from tests.property.worlds import FIRST, HORIZON, Told

few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
some = settings(max_examples=40)


@given(mergers())
def test_what_stands_is_what_the_days_say_with_whoever_is_there_on_that_of_the_klok(told: list[Event]) -> None:
    assert live(told_by(Merging(), ([e] for e in told))) == truth(told)


@some
@given(mergers(), st.lists(st.integers(0, 30), max_size=3))
def test_it_is_the_same_however_it_is_cut(told: list[Event], cuts: list[int]) -> None:
    ends = sorted({0, *(c for c in cuts if c < len(told)), len(told)})
    assert live(told_by(Merging(), (told[a:b] for a, b in pairwise(ends)))) == truth(told)


@some
@given(mergers())
def test_each_is_told_once_and_versions_run_without_gaps(told: list[Event]) -> None:
    engine = Merging()
    signalen = [decode_signaal(value) for _, value in told_by(engine, ([e] for e in told))]
    for _, group in groupby(sorted(signalen, key=lambda s: (s.signaal_id, s.versie)), key=lambda s: s.signaal_id):
        versions = list(group)
        assert [s.versie for s in versions] == list(range(1, len(versions) + 1))
        for before, after in zip([None, *versions], versions, strict=False):
            assert (after.soort == "NIEUW") != (before is not None and before.soort != "VERVALLEN")
    rows = engine.rows
    assert told_by(engine, ([e] for e in told)) == []
    assert engine.rows == rows


@some
@given(mergers(ticks=0), st.integers(0, 25))
def test_days_without_a_tick_pass_as_those_with_one(told: list[Event], days: int) -> None:
    daily, once = Merging(), Merging()
    for engine in (daily, once):
        told_by(engine, [[*told, Tick(FIRST - 1)]])
    each = told_by(daily, ([Tick(FIRST + n)] for n in range(days + 1)))
    assert by_topic(told_by(once, [[Tick(FIRST + days)]])) == by_topic(each)


@some
@given(mergers(ticks=1))
def test_only_who_has_a_basisfeit_of_a_gemeente_that_will_end_waits_for_its_day(told: list[Event]) -> None:
    engine = Merging()
    pairs = [e for e in told if isinstance(e, Tick) or e.soort != "gemeente.jongere"]
    told_by(engine, ([e] for e in pairs))
    klok = max((e.day for e in told if isinstance(e, Tick)), default=FIRST - 100)
    last = {}
    for e in pairs:
        if isinstance(e, Told) and "houder" in (e.mutatie.feit or {"houder"}) and e.soort == "gemeente.bijstand":
            last[e.mutatie.record_id] = max(e, last.get(e.mutatie.record_id, e), key=lambda t: t.mutatie.versie)
    houders = {t.mutatie.feit["houder"] for t in last.values() if t.mutatie.feit is not None}
    days = [day for day in range(klok + 1, HORIZON) for h in houders if told_on(h, day) != told_on(h, day - 1)]
    found = [due_of(row).regels for key, row in engine.store.rows.items() if is_due(key)]
    assert [day for day in found if day is not None] == sorted(days)[:1]


@some
@given(mergers(ticks=3))
def test_every_signaal_is_reproduced_byte_for_byte_from_its_records_and_the_klok(told: list[Event]) -> None:
    engine, sent, inputs = Merging(), dict[str, dict[int, list[bytes]]](), list[Input]()
    for number, event in enumerate(told):
        one = delivered(event)
        place = Place(one.topic, PARTITION, engine._next.get(one.topic, 70))
        if isinstance(event, Tick):
            inputs.append(reproducing.Tick(place, event.day, number))
        else:
            inputs.append(reproducing.Delivered(engine.python.rulebook.by_topic[one.topic], place, event.mutatie, number))
        for _, value in told_by(engine, [[event]]):
            s = decode_signaal(value)
            sent.setdefault(s.signaal_id, {}).setdefault(s.versie, []).append(value)
    for name, versions in sent.items():
        assert reproducing.reproduce(engine.python.rulebook, PERSOON, name, inputs, versions).differences == ()


@cache
def divided_only() -> Catalogue:
    """That of these worlds before the others were known to end."""
    with TemporaryDirectory() as folder:
        return catalogue_in(Path(folder), {"gm0034": ENDS["gm0034"]})


@st.composite
def arrivals(draw: st.DrawFn) -> Arriving:
    """Events about two persons, each under names of its own."""
    told: Arriving = []
    for persoon in (PERSOON, b"Q" * 52):
        for e in draw(mergers(ticks=2)):
            told.append((persoon, named_by(persoon, e)))
    return draw(st.permutations(told))


@few
@given(arrivals(), st.none() | st.integers(0, 12))
def test_the_second_opinion_is_the_engines(tmp_path: Path, arriving: Arriving, after: int | None) -> None:
    log = Log(merging())
    log.take(0, [])
    take(log, arriving)
    folder = log.archive(tmp_path / str(sum(1 for _ in tmp_path.iterdir())))
    known = AsOf() if after is None else AsOf(known_on=1_760_000_000_000 + after)
    assert second_opinion(Archive(folder), [merging()], APP, known).findings == []


@few
@given(arrivals(), arrivals(), st.booleans())
def test_a_table_that_changes_is_a_switch_and_both_opinions_find_nothing_wrong(
    tmp_path: Path, before: Arriving, after: Arriving, back: bool
) -> None:
    old, new = (merging(), divided_only()) if back else (divided_only(), merging())
    log = Log(old)
    log.take(0, [])
    take(log, before)
    log.switch(new)
    take(log, after)
    folder = log.archive(tmp_path / str(sum(1 for _ in tmp_path.iterdir())))
    assert second_opinion(Archive(folder), [old, new], APP).findings == []
    assert replay(Question(folder, APP, Scope()), tmp_path / "work", 0).findings == []


def test_worlds_have_a_chain_and_one_that_is_divided() -> None:
    assert [told_on("gm0014", day) for day in (None, FIRST + 4, FIRST + 5, FIRST + 15)] == ["gm0014", "gm0014", "gm0599", "gm0363"]
    assert told_on("gm0034", FIRST + 10) is None
