"""Publishes a file of a bron line by line, and reports on every line."""

import hashlib
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self, TypeVar

from aiokafka.errors import KafkaError

from connectors.bronnen.producer import MutatieProducer
from connectors.bronnen.rejections import RejectedError, RejectionCode
from schemas.cloudevents import Headers

_BOM: Final = b"\xef\xbb\xbf"
_PENDING: Final = 50_000  # verdicts that may wait for Kafka


class Message(Protocol):
    """A line as it goes to Kafka."""

    @property
    def key(self) -> str:
        """Of the record in Kafka."""

    @property
    def record_id(self) -> str:
        """With ``versie`` what tells it from any other of its topic."""

    @property
    def versie(self) -> int:
        """See ``record_id``."""

    @property
    def value(self) -> bytes:
        """Of the record in Kafka."""

    @property
    def headers(self) -> Headers:
        """Of the record in Kafka."""


M_co = TypeVar("M_co", bound=Message, covariant=True)


class Reader(Protocol[M_co]):
    """Makes messages for one topic of lines."""

    @property
    def topic(self) -> str:
        """Where they go."""

    @property
    def named_by(self) -> str:
        """The field of a line that, with the versie, tells it from the others."""

    def read(self, line: bytes) -> M_co:
        """The message that ``line`` states; raises RejectedError."""


class PublishError(Exception):
    """The file was not published to its end; says up to which line it was. To publish it again does no harm."""


@dataclass
class Summary:
    """What became of the lines of a file."""

    published: int = 0
    rejected: Counter[RejectionCode] = field(default_factory=Counter)

    @property
    def lines(self) -> int:
        """All lines that were read."""
        return self.published + self.rejected.total()


class Verdict(NamedTuple):
    """One line of the verwerkingsverslag; it holds nothing of the line but its number. A record_id may be personal too."""

    regel: int
    uitkomst: str  # GEPUBLICEERD or AFGEKEURD
    reden: RejectionCode | None = None
    veld: str | None = None


class SeenKeys:
    """Which (record_id, versie) a file had already: exact, on disk, in constant memory."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)  # a private file that goes with the connection
        self._db.executescript(
            "PRAGMA cache_size=-8192; PRAGMA journal_mode=OFF; CREATE TABLE seen (key BLOB PRIMARY KEY) WITHOUT ROWID; BEGIN"
        )

    def __enter__(self) -> Self:
        """Open."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Forget."""
        self._db.close()

    def add(self, record_id: str, versie: int) -> bool:
        """Whether this is the first time."""
        key = hashlib.blake2b(f"{versie} {record_id}".encode(), digest_size=16).digest()
        return self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (key,)).rowcount == 1


class Verdicts:
    """Hands verdicts on in the order of the lines, GEPUBLICEERD only once Kafka has acknowledged that line and all before it."""

    def __init__(self, report: Callable[[Verdict], None], producer: MutatieProducer) -> None:
        self._report = report
        self._producer = producer
        self._pending: deque[Verdict] = deque()

    async def add(self, verdict: Verdict) -> None:
        """Take the verdict on the next line; raises KafkaError when Kafka has to be waited for and takes no more."""
        self._pending.append(verdict)
        if len(self._pending) >= _PENDING:
            self.release()
            if len(self._pending) >= _PENDING // 2:  # a batch for a partition that gets little keeps all later ones waiting
                await self._producer.flush()
                self.release()

    def release(self) -> None:
        """Hand on what is certain."""
        certain = self._producer.acknowledged
        while self._pending and (self._pending[0].regel < certain or self._pending[0].reden):
            self._report(self._pending.popleft())


def checked(lines: Iterable[bytes], reader: Reader[M_co], advance: Callable[[int], None]) -> Iterator[tuple[int, M_co | RejectedError]]:
    """Each line's number, from 1, with its message or why there is none; ``advance`` is told the bytes of each line."""
    with SeenKeys() as seen:
        for number, line in enumerate(lines, 1):
            advance(len(line))
            try:
                yield number, _checked(reader, line.removeprefix(_BOM) if number == 1 else line, seen)
            except RejectedError as e:
                yield number, e


async def publish(
    lines: Iterable[bytes],
    reader: Reader[Message],
    producer: MutatieProducer,
    report: Callable[[Verdict], None],
    advance: Callable[[int], None],
) -> Summary:
    """Publish ``lines``; raises PublishError when Kafka takes no more, TopicMissingError when it has no place for them."""
    await producer.require(reader.topic)
    summary = Summary()
    verdicts = Verdicts(report, producer)
    number = 0
    try:
        for number, found in checked(lines, reader, advance):
            if isinstance(found, RejectedError):
                summary.rejected[found.code] += 1
                await verdicts.add(Verdict(number, "AFGEKEURD", found.code, found.field))
            else:
                await producer.send(reader.topic, found.key, found.value, found.headers, number)
                summary.published += 1
                await verdicts.add(Verdict(number, "GEPUBLICEERD"))
        await producer.flush()
    except KafkaError as e:
        verdicts.release()
        done = max(producer.acknowledged - 1, 0)
        raise PublishError(f"Kafka took no more at line {number}: {e}; all lines up to {done} are done, publish the file again") from e
    verdicts.release()
    return summary


def _checked(reader: Reader[M_co], line: bytes, seen: SeenKeys) -> M_co:
    message = reader.read(line.rstrip(b"\r\n"))
    if not seen.add(message.record_id, message.versie):
        raise RejectedError(RejectionCode.DUBBELE_SLEUTEL, reader.named_by)
    return message
