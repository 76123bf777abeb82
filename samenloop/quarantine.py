"""What stands in quarantine, folded from its topic: which records were refused, retried, refused again, or closed."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from connectors.ontvangers.topic_reader import read_topics
from samenloop.called import called
from samenloop.errors import NotDoneError
from schemas.catalogue import Catalogue
from schemas.quarantine import MAX_KEY, MAX_VALUE, QUARANTAINE, Closed, Refused, Retried, read_headers
from schemas.reasons import Reason
from schemas.values import Place
from streams.core.messages import iso_time
from streams.encoded import rows_in
from streams.fold import Folder
from streams.records import run_of
from streams.store import PartitionStore

NO_TOPIC: Final = "TOPIC_ONBEKEND"  # the present catalogue has no such topic: beside the reasons of the engine
FRAMING: Final = 5  # bytes: a zero, and the schema id
Judge = Callable[[Place, Any], str | None]  # place and record → why the present catalogue would refuse it, None when it would not


def schema_id_of(value: bytes | None) -> int | None:
    """The schema id that Confluent's framing names; None where there is no such framing."""
    if value is None or len(value) < FRAMING or value[0] != 0:
        return None
    return int.from_bytes(value[1:FRAMING], "big")


@dataclass(frozen=True, slots=True)
class Held:
    """A record in quarantine, without its bytes."""

    number: int  # its offset on the topic quarantaine
    reason: str
    place: Place  # where the bron put it
    key: bytes | None
    size: int  # bytes of the value as it came
    cut: bool  # whether quarantine holds only the beginning of it
    schema_id: int | None
    time: int  # when it was refused, milliseconds since the epoch
    refused_now: str | None = None  # why the present catalogue would refuse it, None when it would not
    copy: Place | None = None  # where a retry put it again
    retry_of: int | None = None  # the number of the record of which this is the copy
    again: int | None = None  # the number under which its copy was refused
    closed: str | None = None  # why an operator closed it without a retry

    @property
    def is_open(self) -> bool:
        """Whether nobody has retried or closed it yet."""
        return self.copy is None and self.closed is None

    @property
    def state(self) -> str:
        """What became of it."""
        if self.copy is None:
            return "open" if self.closed is None else f"closed: {self.closed}"
        return f"retried at {self.copy}" if self.again is None else f"retried at {self.copy}, refused again as {self.again}"

    def as_json(self) -> dict[str, Any]:
        """For machines; nothing of it is about a persoon."""
        return {
            "number": self.number,
            "open": self.is_open,
            "reason": self.reason,
            "topic": self.place.topic,
            "partition": self.place.partition,
            "offset": self.place.offset,
            "time": iso_time(self.time),
            "size": self.size,
            "cut": self.cut,
            "schema_id": self.schema_id,
            "refused_now": self.refused_now,
            "retry_of": self.retry_of,
            "retried_at": None if self.copy is None else self.copy._asdict(),
            "refused_again_as": self.again,
            "closed": self.closed,
        }


def text_of(reason: str) -> str:
    """One sentence for people; a reason may be that of a newer version of the engine."""
    if reason == NO_TOPIC:
        return "The catalogue has no such topic."
    return next((r.text for r in Reason if r == reason), "This version does not know the reason.")


@dataclass
class Quarantine:
    """The topic folded in the order of its log; its status is nowhere else.

    A place counts once: an engine that reads the log anew under another name refuses the same records again.
    """

    judge: Judge = lambda _place, _record: None
    strangers: int = 0  # records that neither the engine nor an operator's command wrote
    _held: dict[int, Held] = field(default_factory=dict)
    _places: dict[Place, int] = field(default_factory=dict)
    _copies: dict[int, Place] = field(default_factory=dict)
    _closed: dict[int, str] = field(default_factory=dict)

    def take(self, record: Any) -> None:  # noqa: ANN401 - aiokafka's ConsumerRecord
        """The next record of the topic."""
        said = read_headers(record.headers)
        if isinstance(said, Retried):
            self._copies.setdefault(said.number, said.place)
        elif isinstance(said, Closed):
            self._closed.setdefault(said.number, said.why)
        elif isinstance(said, Refused):
            if said.place not in self._places:
                self._places[said.place] = record.offset
                self._held[record.offset] = self._held_of(record, said)
        else:
            self.strangers += 1

    def _held_of(self, record: Any, said: Refused) -> Held:  # noqa: ANN401
        size = len(record.value or b"") if said.whole is None else said.whole
        return Held(
            number=record.offset,
            reason=said.reason,
            place=said.place,
            key=record.key,
            size=size,
            cut=said.whole is not None,
            schema_id=schema_id_of(record.value),
            time=record.timestamp,
            refused_now=self.judge(said.place, record),
        )

    def records(self) -> list[Held]:
        """All of them, with what became of them, in the order in which they came."""
        origin = {place: number for number, place in self._copies.items()}
        return [
            replace(
                h,
                copy=copy,
                retry_of=origin.get(h.place),
                again=None if copy is None else self._places.get(copy),
                closed=self._closed.get(h.number),
            )
            for h, copy in ((h, self._copies.get(h.number)) for h in self._held.values())
        ]

    def open_of(self, persoon: bytes) -> list[Held]:
        """Those about ``persoon`` that stand open; a record whose key is no pseudonym belongs to nobody that we know."""
        return [h for h in self.records() if h.is_open and h.key == persoon]

    def one(self, number: int) -> Held:
        """The record with this number; raises NotDoneError."""
        found = next((h for h in self.records() if h.number == number), None)
        if found is None:
            raise NotDoneError(f"there is no record {number} in quarantine: '{called()} quarantine list --all' shows all of them")
        return found


def quarantined_text(records: Sequence[Held]) -> list[str]:
    """What it means for a persoon that ``records`` stand in quarantine, in plain Dutch; nothing when there are none."""
    if not records:
        return []
    counts = "telt" if len(records) == 1 else "tellen"
    few = "1 record over deze persoon staat" if len(records) == 1 else f"{len(records)} records over deze persoon staan"
    return [
        "",
        f"Let op: {few} in quarantaine en {counts} niet mee. Wat hier staat kan daardoor onvolledig of verouderd zijn.",
        *(f"  nummer {h.number}: {h.place}, {h.reason}" for h in records),
        f"  De beheerder ziet met '{called()} quarantine show NUMMER' waarom, en verwerkt het na herstel met 'retry NUMMER'.",
    ]


def judge_of(catalogue: Catalogue, toepassing: str) -> Judge:
    """Asks the engine's own fold; whether a record is refused does not depend on what is known of its persoon."""
    folder = Folder(catalogue, toepassing)

    def judge(place: Place, record: Any) -> str | None:  # noqa: ANN401
        if place.topic not in folder.topics:
            return NO_TOPIC
        effects = folder.fold(PartitionStore(folder.rulebook.layout), place.partition, [(place.topic, run_of([record]))])
        refused = [read_headers(headers) for _, _, headers in rows_in(effects.messages.get((QUARANTAINE, 0), []))]
        return next((r.reason for r in refused if isinstance(r, Refused)), None)

    return judge


async def read_quarantine(brokers: str, judge: Judge | None = None) -> Quarantine:
    """The topic as it stands now; with ``judge`` each record is held against the present catalogue."""
    quarantine = Quarantine() if judge is None else Quarantine(judge)
    async for record in read_topics(brokers, [QUARANTAINE]):
        quarantine.take(record)
    return quarantine


def is_same(source: Any, record: Any) -> bool:  # noqa: ANN401 - aiokafka's ConsumerRecords
    """Whether the record at the place is still the one that was refused there: a topic can be made anew."""
    return (_beginning(source.key, MAX_KEY), _beginning(source.value, MAX_VALUE)) == (record.key, record.value)


def _beginning(whole: bytes | None, size: int) -> bytes | None:
    return None if whole is None else whole[:size]


@dataclass(frozen=True)
class Selection:
    """Which records an operator means: by number, or all that stand open, of some topics and reasons."""

    numbers: Collection[int] = ()
    topics: Collection[str] = ()  # none: of every topic
    reasons: Collection[str] = ()  # none: for every reason

    def of(self, records: Iterable[Held]) -> list[Held]:
        """The records that are meant."""
        return [
            h
            for h in records
            if (not self.numbers or h.number in self.numbers)
            and (not self.topics or h.place.topic in self.topics)
            and (not self.reasons or h.reason in self.reasons)
        ]
