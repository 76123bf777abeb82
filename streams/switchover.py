"""The switch-over of an engine to the rules of another catalogue: each partition in one transaction, which no worker can come between.

A partition is switched when the last row of its verloop names the new catalogue. What ends in the middle leaves each partition either as it
was or switched, and the same again does the rest.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka import TopicPartition

from schemas.brokers import client_options
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.sources import overdrachten_topic
from schemas.values import Place
from schemas.verloop import Omslag, Verloop, decode_verloop, encode_verloop
from streams.clients import AIOKAFKA, Clients, committed_offsets
from streams.core.switch import SwitchError
from streams.effects import Effects
from streams.encoded import as_one
from streams.engine import outputs_of
from streams.fold import Folder
from streams.log import PartitionLog
from streams.settings import EngineSettings
from streams.store import PartitionStore
from streams.switching import PartitionSwitch

_LOOKED_AT: Final = 64  # offsets at the end of a verloop among which the last row is looked for; twice as many when there is none
_NOBODY: Final = {"Empty", "Dead", ""}  # states of a group without members


class Switched(NamedTuple):
    """What became of one partition."""

    partition: int
    persons: int
    messages: int  # signals and volgverzoeken


class SwitchOver:
    """From ``old`` to ``new``; ``tijd`` is when it was decided, in milliseconds since the epoch, and the time of all that is said."""

    def __init__(self, settings: EngineSettings, old: Catalogue, new: Catalogue, tijd: int, clients: Clients = AIOKAFKA) -> None:
        """Raises SwitchError when the state cannot be taken over to these rules."""
        self._settings, self._clients = settings, clients
        self._old, self._new = Folder(old, settings.toepassing, settings.kern), Folder(new, settings.toepassing, settings.kern)
        self._switch = PartitionSwitch(self._old, self._new, Codec(new))
        self._tijd = tijd
        self._topics = sorted({*self._old.topics, *self._new.topics})
        self._outputs = sorted({*outputs_of(old), *outputs_of(new)})

    async def run(self, told: Callable[[int, int], None] = lambda _done, _of: None) -> list[Switched]:
        """Switch all partitions that are not yet; raises SwitchError, and whatever ``PartitionLog`` raises."""
        await self._need_rest()
        switched = []
        async with self._consumer() as consumer:
            await consumer._client.set_topics([self._settings.verloop])  # noqa: SLF001 - there is no public way to load metadata without a group
            partitions = sorted(consumer.partitions_for_topic(self._settings.verloop) or ())
            await self._need_all_taken(consumer, partitions)
            for done, partition in enumerate(partitions):
                told(done, len(partitions))
                version = await self._version(consumer, partition)
                if version not in {None, self._new.catalogus}:
                    switched.append(await self._partition(consumer, partition))
            told(len(partitions), len(partitions))
        return switched

    async def _need_rest(self) -> None:
        """No worker may run: it would go on under the rules before."""
        admin = self._clients.admin(**client_options(self._settings.brokers))
        await admin.start()
        try:
            (found,) = await admin.describe_consumer_groups([self._settings.toepassing])
        finally:
            await admin.close()
        state = found.groups[0][2]
        if state not in _NOBODY:
            raise SwitchError(f"workers of {self._settings.toepassing} are running: stop them first")

    async def _need_all_taken(self, consumer: Any, partitions: Sequence[int]) -> None:  # noqa: ANN401
        """Nothing may be on its way from one persoon to another: it holds what was kept under the rules before."""
        found = await committed_offsets(self._clients, self._settings.brokers, self._settings.toepassing)
        tps = [TopicPartition(overdrachten_topic(self._settings.toepassing), p) for p in partitions]
        for tp, end in (await consumer.end_offsets(tps)).items():
            taken = found.get(tp, 0)
            if taken < end and await self._read(consumer, tp, taken, end):
                raise SwitchError(
                    f"{tp.topic}-{tp.partition} has records that no worker has taken yet: let one run until they are, then stop it"
                )

    async def _version(self, consumer: Any, partition: int) -> str | None:  # noqa: ANN401
        """The version of the catalogue under which a partition was worked on last; None: never."""
        tp = TopicPartition(self._settings.verloop, partition)
        begin, end = (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]
        looked_at, records = _LOOKED_AT, list[Any]()
        while not records and begin < end:
            since = max(begin, end - looked_at)
            records = await self._read(consumer, tp, since, end)
            if since == begin:
                break
            looked_at *= 2
        return decode_verloop(records[-1].value).catalogus if records else None

    async def _partition(self, consumer: Any, partition: int) -> Switched:  # noqa: ANN401
        log = PartitionLog(self._settings, partition, self._topics, self._outputs, self._clients)
        before, after = PartitionStore(self._old.rulebook.layout), PartitionStore(self._new.rulebook.layout)
        try:
            offsets = await log.open(before)  # from here on no worker can add to the verloop
            version = await self._version(consumer, partition)
            omslag = Omslag(version or "", self._tijd)  # any catalogue with the layout of the state has the rules before
            place = Place(self._settings.verloop, partition, await self._end(partition))
            effects = Effects()
            effects.send(place.topic, partition, (None, encode_verloop(Verloop(self._new.catalogus, (), omslag)), []))
            values = {t: await self._values(consumer, TopicPartition(t, partition), o) for t, o in self._switch.needed(before.rows).items()}
            found = self._switch.effects(before.rows, before.klok, omslag, place, values)
            effects.changes, effects.messages = found.changes, effects.messages | found.messages
            effects.offsets = {tp: offset for tp, offset in offsets.items() if offset}
            after.meta = msgspec.structs.replace(before.meta, layout=self._new.rulebook.layout)
            await log.commit(effects, after, self._new.finished(after.rows_of(effects)))
        finally:
            await log.close()
        return Switched(partition, before.persons, sum(as_one(m).count for m in found.messages.values()))

    async def _end(self, partition: int) -> int:
        """Where the next row of the verloop will stand: nobody else writes there any more."""
        tp = TopicPartition(self._settings.verloop, partition)
        async with self._consumer("read_uncommitted") as consumer:
            return int((await consumer.end_offsets([tp]))[tp])

    async def _values(self, consumer: Any, tp: TopicPartition, offsets: set[int]) -> dict[int, bytes | None]:  # noqa: ANN401
        begin = (await consumer.beginning_offsets([tp]))[tp]
        there = [o for o in offsets if o >= begin]
        records = await self._read(consumer, tp, min(there), max(there) + 1) if there else ()
        return {r.offset: r.value for r in records if r.offset in offsets}

    async def _read(self, consumer: Any, tp: TopicPartition, begin: int, end: int) -> list[Any]:  # noqa: ANN401
        """The committed records of ``[begin, end)``."""
        consumer.assign([tp])
        consumer.seek(tp, begin)
        found: list[Any] = []
        try:
            async with asyncio.timeout(self._settings.stall_timeout):
                while await consumer.position(tp) < end:
                    found += (await consumer.getmany(timeout_ms=200)).get(tp, ())
        except TimeoutError:
            raise SwitchError(
                f"Kafka did not give what {tp.topic}-{tp.partition} holds within {self._settings.stall_timeout:g} s"
            ) from None
        return [r for r in found if r.offset < end]

    @asynccontextmanager
    async def _consumer(self, isolation: str = "read_committed") -> AsyncIterator[Any]:
        options: dict[str, Any] = {"isolation_level": isolation, "enable_auto_commit": False, "max_partition_fetch_bytes": 8_388_608}
        consumer = self._clients.consumer(**client_options(self._settings.brokers), **options)
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()
