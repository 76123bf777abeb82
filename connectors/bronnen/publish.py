"""Publishes a file of a bron line by line, and reports on every line."""

import hashlib
import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice
from types import TracebackType
from typing import Final, NamedTuple, Protocol, Self, TypeVar

from aiokafka.errors import KafkaError

from connectors.bronnen.producer import MutatieProducer
from connectors.bronnen.rejections import RejectedError, RejectionCode
from schemas.cloudevents import Headers

_BOM: Final = b"\xef\xbb\xbf"
_BLOCK: Final = 500  # lines that are read together
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
            "PRAGMA cache_size=-8192; PRAGMA journal_mode=OFF; CREATE TABLE seen (key BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID; BEGIN"
        )

    def __enter__(self) -> Self:
        """Open."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Forget."""
        self._db.close()

    def add(self, lines: Sequence[tuple[int, str, int]]) -> AbstractSet[int]:
        """Take lines, each with number, record_id and versie; returns the numbers of those that came before."""
        keys = [(hashlib.blake2b(f"{versie} {record_id}".encode(), digest_size=16).digest(), n) for n, record_id, versie in lines]
        if self._db.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", keys).rowcount == len(keys):
            return frozenset()
        return {n for key, n in keys if self._db.execute("SELECT line FROM seen WHERE key = ?", (key,)).fetchone() != (n,)}


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
    """Each line's number, from 1, with its message or why there is none; ``advance`` is told how many bytes were read."""
    numbered = enumerate(lines, 1)
    with SeenKeys() as seen:
        while block := list(islice(numbered, _BLOCK)):
            advance(sum(len(line) for _, line in block))
            found = [(n, _read(reader, line.removeprefix(_BOM) if n == 1 else line)) for n, line in block]
            again = seen.add([(n, m.record_id, m.versie) for n, m in found if not isinstance(m, RejectedError)])
            for number, message in found:
                yield number, RejectedError(RejectionCode.DUBBELE_SLEUTEL, reader.named_by) if number in again else message


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


def _read(reader: Reader[M_co], line: bytes) -> M_co | RejectedError:
    try:
        return reader.read(line.rstrip(b"\r\n"))
    except RejectedError as e:
        return e
