"""Retries records of quarantine: each is written again where it came from, in one transaction with the marker that says so."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced

from connectors.ontvangers.topic_reader import read_places, read_topics
from samenloop.errors import NotDoneError
from samenloop.quarantine import Held, Selection, is_same, read_quarantine
from samenloop.quarantine_writer import PATIENCE, fencing_producer, send_rows, transaction
from schemas.quarantine import QUARANTAINE, RETRY_OF, Headers, retried_headers
from schemas.values import Place

_CHUNK_RECORDS: Final = 500  # of one transaction
_CHUNK_BYTES: Final = 400_000  # of one transaction of more than one record: below any topic's max.message.bytes, and within a batch


@dataclass
class Report:
    """What a retry did, by the numbers of the records."""

    retried: dict[int, Place] = field(default_factory=dict)  # where the copy stands now
    before: dict[int, Place] = field(default_factory=dict)  # retried earlier: nothing was done
    left: dict[int, str] = field(default_factory=dict)  # left as it is, and why
    meant: list[int] = field(default_factory=list)  # all that was to be retried when it began

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "retried": [{"number": n, **p._asdict()} for n, p in self.retried.items()],
            "retried_before": [{"number": n, **p._asdict()} for n, p in self.before.items()],
            "left": [{"number": n, "why": why} for n, why in self.left.items()],
        }


class Again(NamedTuple):
    """A record that is to be written again."""

    number: int
    place: Place  # where it stood
    key: bytes | None
    value: bytes | None
    headers: Headers


async def retry(brokers: str, toepassing: str, topics: Collection[str], selection: Selection) -> Report:
    """Retry what ``selection`` means, of ``topics``; raises NotDoneError, and KafkaError.

    What was retried before stays as it is. Two at once are safe: the later one fences the earlier, which then ends with an error.
    """
    report = Report()
    try:
        while (stuck := await _pass(brokers, toepassing, topics, selection, report)) is not None:
            report.left[stuck] = "it is too large for its topic, with the headers of a retry"
            selection = Selection(numbers=report.meant)  # not what has been refused again in the meantime
    except ProducerFenced as e:
        raise NotDoneError("another retry has begun and ended this one: look with 'list' what is still open") from e
    except TimeoutError as e:
        raise NotDoneError(f"Kafka did not answer for {PATIENCE:g} s; what was not confirmed has not been retried") from e
    return report


async def _pass(brokers: str, toepassing: str, topics: Collection[str], selection: Selection, report: Report) -> int | None:
    """Retry until done, or until Kafka refuses one record for its size: its number, and the producer is of no use any more."""
    async with fencing_producer(brokers, toepassing) as producer:
        quarantine = await read_quarantine(brokers)  # only now: whoever was at it before has been fenced
        meant = [quarantine.one(n) for n in selection.numbers] or selection.of(h for h in quarantine.records() if h.is_open)
        report.meant = [h.number for h in meant]
        if selection.numbers:
            report.before = {h.number: h.copy for h in meant if h.copy is not None and h.number not in report.retried}
        there = await producer.client.fetch_all_metadata()
        for h in meant:
            if h.place.topic not in topics or h.place.partition not in (there.partitions_for_topic(h.place.topic) or ()):
                report.left[h.number] = f"{h.place.topic} has no partition {h.place.partition} to write it to"
        todo = {h.number: h for h in meant if h.copy is None and h.number not in report.left}
        async for chunk in _chunks(brokers, todo, report):
            try:
                async with asyncio.timeout(PATIENCE):
                    report.retried |= await _write(producer, chunk)
            except MessageSizeTooLargeError:
                if len(chunk) > 1:
                    raise
                return chunk[0].number
    return None


async def _chunks(brokers: str, todo: Mapping[int, Held], report: Report) -> AsyncIterator[list[Again]]:
    """The records in the order of quarantaine, as many together as one transaction may hold."""
    chunk: list[Any] = []
    size = 0
    if todo:
        async for record in read_topics(brokers, [QUARANTAINE]):
            if record.offset not in todo:
                continue
            own = len(record.key or b"") + len(record.value or b"")
            if chunk and (len(chunk) == _CHUNK_RECORDS or size + own > _CHUNK_BYTES):
                yield await _agains(brokers, todo, chunk, report)
                chunk, size = [], 0
            chunk.append(record)
            size += own
    if chunk:
        yield await _agains(brokers, todo, chunk, report)


async def _agains(brokers: str, todo: Mapping[int, Held], records: Sequence[Any], report: Report) -> list[Again]:
    """With the headers that the bron gave: those stand only on the bron's topic, for as long as it has the record."""
    found = await read_places(brokers, [todo[r.offset].place for r in records])
    agains = []
    for record in records:
        held = todo[record.offset]
        source = found.get(held.place)
        original = source if source is not None and is_same(source, record) else None
        if original is None and held.cut:
            report.left[held.number] = f"quarantine holds only the beginning of it, and {held.place.topic} no longer has it"
        else:
            agains.append(_again(held, record if original is None else original, () if original is None else original.headers))
    return agains


def _again(held: Held, record: Any, headers: Iterable[tuple[str, bytes]]) -> Again:  # noqa: ANN401 - aiokafka's ConsumerRecord
    kept = [(name, value) for name, value in headers if name != RETRY_OF]
    return Again(held.number, held.place, record.key, record.value, [*kept, (RETRY_OF, str(held.place).encode())])


async def _write(producer: AIOKafkaProducer, chunk: Sequence[Again]) -> dict[int, Place]:
    """Write the records and their markers in one transaction; returns where they stand now."""
    by_partition: dict[tuple[str, int], list[Again]] = {}
    for again in chunk:
        by_partition.setdefault((again.place.topic, again.place.partition), []).append(again)
    async with transaction(producer):
        sent = {tp: await send_rows(producer, tp, ((a.key, a.value, a.headers) for a in group)) for tp, group in by_partition.items()}
        first = {tp: (await future).offset for tp, future in sent.items()}
        places = {a.number: Place(*tp, first[tp] + i) for tp, group in by_partition.items() for i, a in enumerate(group)}
        markers = ((a.key, None, retried_headers(a.number, places[a.number])) for a in chunk)
        await (await send_rows(producer, (QUARANTAINE, 0), markers))
    return places
