"""Small worlds in which numbers change: bronnen deliver under old and new numbers, and each persoon lives in a partition of its own."""

from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

from hypothesis import strategies as st

from schemas.codec import decode_signaal
from schemas.nummers import Nummerwijziging
from schemas.partitioner import partition_of
from schemas.sources import NUMMERWIJZIGINGEN, is_overdrachten
from schemas.values import ElkSignaal, Mutatie
from streams.core.timeline import is_head, timeline_of
from streams.effects import Effects
from streams.encoded import rows_in
from tests.property.basis_worlds import delivered
from tests.property.kerns import Both, Delivered, codec_of
from tests.property.worlds import Told

PARTITIES = 3
PERSONEN = (b"A" * 52, b"B" * 52, b"C" * 52)  # each in another partition
Answers = Callable[[bytes, str], Iterable[Delivered]]
Queues = dict[tuple[str, int], deque[Delivered]]


class Net:
    """Workers of all partitions, by both cores; what stands in the topics is taken in an order that is drawn."""

    def __init__(self, diensten: int = 0) -> None:
        self.engines = [Both(diensten, partition=p) for p in range(PARTITIES)]
        self.signalen: list[ElkSignaal] = []
        self.counts: dict[str, int] = {}
        self.delivered = 0
        self.refused: list[bytes] = []  # reasons
        self.quarantine: list[Delivered] = []
        self.asked, self.ended = set[bytes](), set[bytes]()  # personen for whom bronnen were asked, and no longer
        self.erased: list[bytes] = []  # personen of whom a bron was told that nothing is kept, once for each
        self.places: dict[tuple[str, int, int], Mutatie] = {}  # what stands where, of what was taken
        self._waiting: Queues = {}

    def put(self, delivery: Delivered) -> None:
        """A record onto its topic; a tick onto every partition."""
        for p in range(PARTITIES) if delivery.key is None else [partition_of(delivery.key, PARTITIES)]:
            self._waiting.setdefault((delivery.topic, p), deque()).append(delivery)
            self.delivered += 1

    def take(self, draw: Random, answers: Answers = lambda _persoon, _bron: (), twice: float = 0) -> None:
        """Work until nothing waits; some of what goes over comes twice."""
        while waiting := sorted(tp for tp, queue in self._waiting.items() if queue):
            topic, partition = draw.choice(waiting)
            delivery = self._waiting[topic, partition].popleft()
            engine = self.engines[partition]
            effects = engine.take([delivery])
            if topic.startswith("mutaties."):
                offset = effects.offsets[topic, partition] - 1
                self.places[topic, partition, offset] = codec_of(0).decode_mutatie(topic, delivery.value)
            self._told(effects, draw, answers, twice)

    def _told(self, effects: Effects, draw: Random, answers: Answers, twice: float) -> None:
        for key, number in effects.counts.items():
            self.counts[key.split()[1]] = self.counts.get(key.split()[1], 0) + number
        for (topic, _), rows in effects.routed(PARTITIES).items():
            for key, value, headers in rows_in(rows):
                if topic.startswith("signalen."):
                    self.signalen.append(decode_signaal(value))
                elif is_overdrachten(topic):
                    for _ in range(1 + (draw.random() < twice)):
                        self.put(Delivered(topic, key, value))
                elif topic == "quarantaine":
                    self.refused.append(dict(headers)["reden"])
                    self.quarantine.append(Delivered(dict(headers)["topic"].decode(), key, value))
                else:
                    self._asked(topic.removeprefix("volgverzoeken."), key, value, answers)

    def _asked(self, bron: str, key: bytes, value: bytes | None, answers: Answers) -> None:
        if value is None:
            self.erased.append(key)
        elif not codec_of(0).decode_volgverzoek(value).volgt:
            self.ended.add(key)
        else:
            self.asked.add(key)
            for answer in answers(key, bron):
                self.put(answer)

    def rows(self, persoon: bytes) -> dict[bytes, bytes]:
        """What is kept of a persoon."""
        return {k: v for e in self.engines for k, v in e.store.rows.items() if k.startswith(persoon)}

    def known(self) -> set[bytes]:
        """The personen of whom records are kept."""
        heads = [(key, timeline_of(key, e.store.rows.get)) for e in self.engines for key in e.store.rows if is_head(key)]
        return {key for key, t in heads if t.head.gronden or any(page.size for page in t.pages())}


def became(old: bytes, new: bytes | None, versie: int = 1) -> Delivered:
    """A nummerwijziging."""
    wijziging = Nummerwijziging(versie, 1_770_000_000_000 + versie, None if new is None else new.decode())
    return Delivered(NUMMERWIJZIGINGEN, old, codec_of(0).encode_nummerwijziging(wijziging))


def newest(signalen: Iterable[ElkSignaal]) -> list[ElkSignaal]:
    """Each signaal in its highest versie, as an ontvanger holds it."""
    found: dict[str, ElkSignaal] = {}
    for s in signalen:
        if s.signaal_id not in found or found[s.signaal_id].versie <= s.versie:
            found[s.signaal_id] = s
    return list(found.values())


Change = tuple[int, int, int]  # from and to which of PERSONEN, and the versie
CHAINS: list[list[Change]] = [[(0, 1, 1)], [(0, 1, 1), (1, 2, 1)], [(0, 2, 1), (1, 2, 1)], [(0, 1, 1), (1, 2, 1), (1, 2, 2)]]


@st.composite
def worlds(draw: st.DrawFn, told: st.SearchStrategy[list[Any]], *, together: bool = True) -> tuple[list[Any], list[Delivered]]:
    """Events and nummerwijzigingen in any order, as they are delivered; ``together``: each record under one number all along.

    In the end all numbers of which something comes are one persoon.
    """
    events, changes = draw(told), draw(st.sampled_from(CHAINS))
    numbers = sorted({n for old, new, _ in changes for n in (old, new)})
    homes: dict[Any, int] = {}
    deliveries = []
    for event in events:
        if not isinstance(event, Told):
            deliveries.append(delivered(event))
            continue
        number = draw(st.sampled_from(numbers))
        if together:
            number = homes.setdefault((event.soort, event.mutatie.record_id), number)
        deliveries.append(delivered(event, PERSONEN[number]))
    deliveries += [became(PERSONEN[old], PERSONEN[new], versie) for old, new, versie in changes]
    return events, draw(st.permutations(deliveries))
