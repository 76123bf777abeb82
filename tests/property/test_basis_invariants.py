"""Invariants 1 to 4 for the patterns that judge all feiten of a basisfeit together, with ticks of the klok in between; by both cores."""

from itertools import groupby, pairwise
from uuid import NAMESPACE_URL, uuid5

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode_signaal
from schemas.values import Place
from streams.audit import reproduce as reproducing
from streams.audit.reproduce import Input
from streams.effects import META_KEY
from streams.records import SourceRecord, run_of
from streams.store import PartitionStore
from tests.property.basis_worlds import PERSOON, Event, Tick, by_topic, delivered, events, leavers, live, said, told_by, truth
from tests.property.debtor_worlds import answered, debtors
from tests.property.kerns import PARTITION, Both


def restore(store: PartitionStore, other: PartitionStore) -> None:
    """As a worker does that comes after another."""
    store.restore({**other.rows, META_KEY: msgspec.json.encode(other.meta)}.items())
    store.restored()


MORE = ("gemeente.bijstand", "duo.studiefinanciering")


@given(events())
def test_what_stands_is_what_the_days_say_whatever_the_order_of_arrival(told: list[Event]) -> None:
    assert live(told_by(Both(0), ([e] for e in told))) == truth(told)


@given(leavers())
def test_who_left_school_stands_as_the_days_say_whatever_the_order_of_arrival(told: list[Event]) -> None:
    assert live(told_by(Both(0), ([e] for e in told))) == truth(told)


@given(events(MORE), st.lists(st.integers(0, 30), max_size=5))
def test_it_is_the_same_beside_other_diensten_and_however_it_is_cut(told: list[Event], cuts: list[int]) -> None:
    ends = sorted({0, *(c for c in cuts if c < len(told)), len(told)})
    transactions = [told[a:b] for a, b in pairwise(ends)]
    assert live(told_by(Both(0), transactions)) == truth(told)


@given(events() | debtors())
def test_a_signaal_has_one_name_and_its_versions_run_without_gaps(told: list[Event]) -> None:
    signalen = [decode_signaal(value) for _, value in told_by(Both(0), ([e] for e in told))]
    namespace = uuid5(NAMESPACE_URL, "urn:samenloop:signaal")
    for name, group in groupby(sorted(signalen, key=lambda s: (s.signaal_id, s.versie)), key=lambda s: s.signaal_id):
        versions = list(group)
        first = versions[0]
        parts = (first.dienst, first.ontvanger, first.basisfeit.soort, first.basisfeit.record_id, "", "")
        assert name == str(uuid5(namespace, "\x1f".join(parts)))
        assert [s.versie for s in versions] == list(range(1, len(versions) + 1))
        for before, after in zip([None, *versions], versions, strict=False):
            assert (after.soort == "NIEUW") != (before is not None and before.soort != "VERVALLEN")
            assert (after.soort == "VERVALLEN") == (after.gegevens is None)


@given(events() | debtors(), st.integers(0, 30))
def test_the_same_input_gives_the_same_bytes_also_from_restored_state(told: list[Event], crash: int) -> None:
    whole = told_by(Both(0), ([e] for e in told))
    begun, resumed = Both(0), Both(0)
    before = told_by(begun, ([e] for e in told[:crash]))
    restore(resumed.store, begun.store)
    resumed._next = dict(begun._next)
    resumed_at = [delivered(e) for e in told[crash:]]
    after = [row for one in resumed_at for row in said(resumed.take([one]))]
    assert [v for _, v in before + after] == [v for _, v in whole]


@given(events() | answered(debtors()))
def test_to_take_everything_once_more_changes_nothing(told: list[Event]) -> None:
    engine = Both(0)
    told_by(engine, ([e] for e in told))
    rows = engine.rows
    assert told_by(engine, ([e] for e in told)) == []
    assert engine.rows == rows


@given(events(ticks=0) | debtors(ticks=0), st.integers(0, 50))
def test_days_without_a_tick_pass_as_those_with_one(told: list[Event], days: int) -> None:
    first = min((t.mutatie.feit["begindatum"] for t in told if not isinstance(t, Tick) and t.mutatie.feit), default=20_000)
    daily, once = Both(0), Both(0)
    for engine in (daily, once):
        told_by(engine, [[*told, Tick(first - 1)]])
    each = told_by(daily, ([Tick(first + n)] for n in range(days + 1)))
    assert by_topic(told_by(once, [[Tick(first + days)]])) == by_topic(each)


@given(events() | debtors(), st.integers(19_990, 20_050))
def test_a_tick_looks_at_nobody_who_is_not_due(told: list[Event], day: int) -> None:
    engine = Both(0)
    told_by(engine, ([e] for e in told))
    due = engine.store.due(day)
    read: list[bytes] = []

    class Watched(PartitionStore):
        def get(self, key: bytes) -> bytes | None:
            read.append(key)
            return super().get(key)

    watched = Watched(engine.store.meta.layout)
    restore(watched, engine.store)
    one = delivered(Tick(day))
    effects = engine.python.fold(watched, 3, [(one.topic, run_of([SourceRecord(None, one.value, 999)]))])
    later = engine.store.klok is None or day > engine.store.klok
    assert any(not key.startswith(b"#") for key in read) == bool(due and later)
    assert any(not key.startswith(b"#") for key in effects.changes) == bool(due and later)


@given(events(ticks=3) | debtors(ticks=2))
def test_every_signaal_is_reproduced_byte_for_byte_from_its_records_and_the_klok(told: list[Event]) -> None:
    engine, sent, inputs = Both(0), dict[str, dict[int, list[bytes]]](), list[Input]()
    for number, event in enumerate(told):
        one = delivered(event)
        place = Place(one.topic, PARTITION, engine._next.get(one.topic, 70))
        if isinstance(event, Tick):
            inputs.append(reproducing.Tick(place, event.day, number))
        else:
            inputs.append(reproducing.Delivered(engine.python.rulebook.by_topic[one.topic], place, event.mutatie, number))
        for _, value in said(engine.take([one])):
            s = decode_signaal(value)
            sent.setdefault(s.signaal_id, {}).setdefault(s.versie, []).append(value)
    for name, versions in sent.items():
        found = reproducing.reproduce(engine.python.rulebook, PERSOON, name, inputs, versions)
        assert found.differences == ()
        assert len(found.order) == len(told)
