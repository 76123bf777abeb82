"""What is kept of somebody ends on its day: with mutaties in any order, days without a tick, by both cores, against the days themselves."""

from collections.abc import Iterable

from hypothesis import given, settings

from schemas.codec import decode_signaal
from schemas.values import ElkSignaal, Mutatie
from streams.core.due import is_due
from streams.core.timeline import persoon_of
from streams.effects import Effects
from streams.encoded import rows_in
from tests.property.basis_worlds import Tick, delivered
from tests.property.kerns import Both, Delivered, codec_of
from tests.property.retention_worlds import BIJSTAND, LOON, OWN, TERMIJN, About, Days, Event, years
from tests.property.test_basis_invariants import restore
from tests.property.worlds import FIRST, Told

P = b"P" * 52
some = settings(max_examples=100)


def on_the_log(event: Event) -> Delivered:
    return delivered(event) if isinstance(event, Tick) else delivered(event.told, event.persoon)


def known(engine: Both) -> set[bytes]:
    """Everybody of whom any row is left."""
    return {persoon_of(key) for key in engine.store.rows} - {b"#dag"}


def signalen(effects: Effects) -> list[ElkSignaal]:
    rows = [row for (topic, _), rows in effects.messages.items() if topic.startswith("signalen.") for row in rows_in(rows)]
    return [decode_signaal(value) for _, value, _ in rows]


def asked(effects: Effects) -> Iterable[tuple[str, bytes, bytes | None]]:
    """(topic, persoon, value) of what goes to bronnen."""
    for (topic, _), rows in effects.messages.items():
        if topic.startswith("volgverzoeken."):
            yield from ((topic, key or b"", value) for key, value, _ in rows_in(rows))


class World:
    """The engine beside the days, and who is told of and asked about."""

    def __init__(self) -> None:
        self.engine, self.days = Both(0), Days()
        self.signalen: list[tuple[bytes, ElkSignaal]] = []  # with the persoon
        self.asked: dict[tuple[str, bytes], bytes | None] = {}  # what stands in the topics of volgverzoeken, compacted
        self._places: dict[tuple[str, int], bytes] = {}

    def take(self, event: Event) -> tuple[Effects, set[bytes]]:
        """Take an event; what it leads to, and who is over by the days."""
        one = on_the_log(event)
        if one.key is not None:
            self._places[one.topic, self.engine._next.get(one.topic, 70)] = one.key
        effects = self.engine.take([one])
        told = [(self._places[s.basisfeit.topic, s.basisfeit.offset], s) for s in signalen(effects)]
        over = self.days.take(event, {persoon for persoon, _ in told} if isinstance(event, Tick) else set())
        self.signalen += told
        self.asked |= {(topic, key): value for topic, key, value in asked(effects)}
        return effects, over


@some
@given(years())
def test_who_is_known_is_who_may_be_known_by_the_days_and_nothing_of_anybody_else_is_left(events: list[Event]) -> None:
    world = World()
    for event in events:
        told = len(world.signalen)
        effects, over = world.take(event)
        assert known(world.engine) == world.days.lives.keys()
        assert effects.erased == len(over)
        assert not over & {persoon for persoon, _ in world.signalen[told:]}
        assert {p for (_, p), value in world.asked.items() if value is not None} <= world.days.lives.keys()


@some
@given(years())
def test_the_versions_of_a_signaal_begin_anew_only_when_every_earlier_one_is_gone_from_its_topic(events: list[Event]) -> None:
    world, last = World(), dict[tuple[bytes, str], tuple[int, int]]()  # whose signaal → versie, and how often the klok had struck
    for event in events:
        told = len(world.signalen)
        world.take(event)
        struck = world.days.struck
        for persoon, s in world.signalen[told:]:
            versie, when = last.get((persoon, s.signaal_id), (0, 0))
            if s.versie != versie + 1:
                assert s.versie == 1
                assert struck[when] + TERMIJN <= struck[-1]
            last[persoon, s.signaal_id] = s.versie, len(struck)


@some
@given(years())
def test_a_worker_that_restores_erases_the_same_and_takes_in_any_transactions_the_same(events: list[Event]) -> None:
    world, together = World(), Both(0)
    for event in events:
        world.take(event)
        resumed = Both(0)
        restore(resumed.store, world.engine.store)
        resumed._next = world.engine._next
        world.engine = resumed
    together.take([on_the_log(e) for e in events])
    assert known(together) == known(world.engine)
    days = [{key: row for key, row in e.store.rows.items() if is_due(key)} for e in (together, world.engine)]
    assert days[0] == days[1]


def test_of_a_persoon_who_is_erased_each_bron_that_was_asked_hears_a_null_once_and_a_new_basisfeit_begins_anew() -> None:
    world = World()
    mine = Told(BIJSTAND, Mutatie("b-1", 1, 1_760_000_000_000, {"begindatum": FIRST, "einddatum": FIRST + 9, **OWN[BIJSTAND]}))
    for event in (Tick(FIRST), About(P, mine), Tick(FIRST + 1)):
        world.take(event)
    due = FIRST + 10 + TERMIJN
    before, _ = world.take(Tick(due - 1))
    assert (before.erased, known(world.engine)) == (0, {P})
    effects, _ = world.take(Tick(due))
    assert (effects.erased, known(world.engine)) == (1, set())
    nulls = [(topic, key) for topic, key, value in asked(effects) if value is None]
    assert sorted(nulls) == sorted(tp for tp in world.asked if tp[1] == P)
    assert len(nulls) > 5
    again, _ = world.take(Tick(due + 1))
    assert (again.erased, list(asked(again)), again.counts) == (0, [], {"klok opgeslagen": 1})
    loon = Told(LOON, Mutatie("l-1", 1, 1_760_000_000_000, {"begindatum": FIRST, "einddatum": None, **OWN[LOON]}))
    late, _ = world.take(About(P, loon))
    assert late.counts == {f"mutaties.{LOON} niet_bewaard": 1}
    anew, _ = world.take(About(P, mine))
    codec = codec_of(0)
    assert {codec.decode_volgverzoek(value).versie for _, _, value in asked(anew)} == {1}
