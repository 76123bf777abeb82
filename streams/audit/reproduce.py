"""Whether the records behind a signaal, in an order that their topics allow, make exactly the versions that were sent.

Topics have no order among each other: which of two records of different topics the engine took first shows only in what it said. So the
orders are searched, and an order counts only when ``step`` says in it, byte for byte, what stands on the topic of the ontvanger. Of a
persoon nothing matters to a signaal but its feiten and the basisfeiten, which decide whether a feit is kept, and to some the klok.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from schemas.codec import WireError, encode_signaal
from schemas.values import ElkSignaal, Mutatie, Place
from streams.core.days import begun, struck
from streams.core.rulebook import Rulebook, Soort
from streams.core.step import step, tick
from streams.core.timeline import Timeline, timeline_of

MAX_STATES: Final = 50_000  # of one search


class Delivered(NamedTuple):
    """A mutatie of the persoon, and when Kafka got it (milliseconds since the epoch)."""

    soort: Soort
    place: Place
    mutatie: Mutatie
    time: int


class Tick(NamedTuple):
    """A tick of the klok, and when Kafka got it."""

    place: Place
    day: int
    time: int


Input = Delivered | Tick


@dataclass(frozen=True)
class Difference:
    """A version that was not sent as the records make it."""

    versie: int
    sent: bytes | None  # what stands on the topic; None: it is missing there
    made: bytes | None  # what the records make; None: they do not make this version


@dataclass(frozen=True)
class Reproduction:
    """What came of it."""

    order: tuple[Place, ...]  # in which the records were taken
    differences: tuple[Difference, ...]


class UndecidedError(Exception):
    """There are more orders than can be tried."""


@dataclass(frozen=True)
class _State:
    taken: tuple[int, ...]  # how many records of each topic
    timeline: Timeline
    order: tuple[Place, ...]
    made: tuple[bytes, ...]  # the versions of the signaal so far
    klok: int | None = None
    days: Mapping[bytes, bytes | None] = field(default_factory=dict)  # rows of the klok's days


def reproduce(
    rulebook: Rulebook, persoon: bytes, signaal_id: str, inputs: Sequence[Input], sent: Mapping[int, Sequence[bytes]]
) -> Reproduction:
    """Search the orders of ``inputs`` for one that makes what was ``sent``: versie → the values that stand for it, one when all is well.

    A version that no order makes is set aside, so that those after it are judged as well. Raises UndecidedError.
    """
    queues = _queues(inputs)
    most = min(max(sent), 2 * len(inputs) + 1)  # a record leads to two versions at most; what was forged may say any number
    wanted: dict[int, Sequence[bytes] | None] = {v: sent.get(v) for v in range(1, most + 1)}
    instead: dict[int, bytes] = {}
    while True:
        search = _Search(rulebook, signaal_id, queues, wanted)
        found = search.run(timeline_of(persoon, lambda _: None))
        if found is not None:
            return Reproduction(found.order, tuple(_differences(sent, found.made, instead)))
        stuck = search.reached + 1
        if stuck in wanted and wanted[stuck] is None:  # nothing at all makes a version here
            wanted = {v: w for v, w in wanted.items() if v < stuck}
        else:
            wanted[stuck] = None
            if search.instead is not None:
                instead[stuck] = search.instead


def _queues(inputs: Sequence[Input]) -> list[list[Input]]:
    topics = sorted({i.place.topic for i in inputs})
    return [sorted((i for i in inputs if i.place.topic == t), key=lambda i: i.place.offset) for t in topics]


def _differences(sent: Mapping[int, Sequence[bytes]], made: Sequence[bytes], instead: Mapping[int, bytes]) -> Iterator[Difference]:
    for versie in sorted({*sent, *range(1, len(made) + 1)}):
        mine = made[versie - 1] if versie <= len(made) else None
        if versie not in sent:
            yield Difference(versie, None, mine)
        for value in dict.fromkeys(sent.get(versie, ())):
            if value != mine:
                yield Difference(versie, value, instead.get(versie, mine))


class _Search:
    """Depth first over the orders; those in which Kafka got the records come first."""

    def __init__(
        self, rulebook: Rulebook, signaal_id: str, queues: Sequence[Sequence[Input]], wanted: Mapping[int, Sequence[bytes] | None]
    ) -> None:
        self._rulebook = rulebook
        self._signaal_id = signaal_id
        self._queues = queues
        self._wanted = wanted
        self.reached = 0  # the highest version that was made as wanted
        self.instead: bytes | None = None  # the first thing that was made in the place of the next

    def run(self, timeline: Timeline) -> _State | None:
        """The state after all records, having made all that is wanted; None when no order leads there."""
        waiting = [_State((0,) * len(self._queues), timeline, (), ())]
        seen: set[tuple[object, ...]] = set()
        while waiting:
            state = waiting.pop()
            if all(n == len(q) for n, q in zip(state.taken, self._queues, strict=True)) and len(state.made) == len(self._wanted):
                return state
            key = (state.taken, state.made, state.klok, *sorted(state.timeline.rows().items()))
            if key in seen:
                continue
            if len(seen) == MAX_STATES:
                raise UndecidedError
            seen.add(key)
            waiting += self._next(state)
        return None

    def _next(self, state: _State) -> list[_State]:
        heads = [(q[n], number) for number, (n, q) in enumerate(zip(state.taken, self._queues, strict=True)) if n < len(q)]
        after = [self._after(state, number, one) for one, number in sorted(heads, key=lambda h: -h[0].time)]
        return [s for s in after if s is not None]

    def _after(self, state: _State, number: int, one: Input) -> _State | None:
        taken = tuple(n + (i == number) for i, n in enumerate(state.taken))
        klok, days = state.klok, state.days
        if isinstance(one, Tick):
            if klok is not None and one.day <= klok:
                return replace(state, taken=taken, order=(*state.order, one.place))
            known, rows = struck(days.get, klok, one.day, self._rulebook.bewaren)
            kept, signalen = tick(self._rulebook, state.timeline, klok, one.day, one.place, known)
            timeline = timeline_of(state.timeline.persoon, lambda _: None) if kept is None else kept
            klok = one.day
        else:
            rows = begun(days.get, klok, one.soort.nummer, lambda: one.place.offset)
            try:
                outcome = step(self._rulebook, state.timeline, one.soort, one.mutatie, one.place, klok)
            except WireError:  # it is in quarantine: as if it had not come
                return replace(state, taken=taken)
            timeline, signalen = outcome.timeline, outcome.signalen
        made = self._made(state.made, signalen)
        days = {**days, **rows} if rows else days
        return None if made is None else _State(taken, timeline, (*state.order, one.place), made, klok, days)

    def _made(self, made: tuple[bytes, ...], signalen: Iterable[ElkSignaal]) -> tuple[bytes, ...] | None:
        """The versions with those among ``signalen``; None when one is not what is wanted."""
        for signaal in signalen:
            if signaal.signaal_id == self._signaal_id:
                value = encode_signaal(signaal)
                if not self._fits(len(made) + 1, value):
                    return None
                made = (*made, value)
                self._note(len(made))
        return made

    def _fits(self, versie: int, value: bytes) -> bool:
        if versie not in self._wanted:
            return False
        wanted = self._wanted[versie]
        if wanted is None or value in wanted:
            return True
        if versie > self.reached and self.instead is None:
            self.instead = value
        return False

    def _note(self, versie: int) -> None:
        if versie > self.reached:
            self.reached, self.instead = versie, None
