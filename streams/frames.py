"""The Faust transport ``frames``: one Faust event carries the run of records of one partition that a fetch returned, as bytes.

Faust's ordinary way costs 200 to 1,000 µs of CPU an event; in frames it is 3 to 4 µs a record. The frame has the offset of its
first record, so that Faust never knows more as delivered than what the agent was given. Nothing is acknowledged to Faust: the
source topics have ``acks=False``, and their offsets are committed in the transaction that holds the effects of the frame.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from aiokafka.errors import IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from streams.fetch import fetch_runs, held
from streams.membership import ConsumerThread
from streams.records import Run

if TYPE_CHECKING:
    from streams.app import App


_LONGEST_FETCH_MS: Final = 250  # while nothing waits to be taken: see fetch.py
_ROOM_SECONDS: Final = 0.005
_BESIDE_SECONDS: Final = 0.02  # while others have enough to do, and may soon have room


class _Thread(ConsumerThread):
    """Fetches runs. Faust would also read what a bron's transaction took back, unless all of its own work ran in transactions."""

    _most: int
    _error: KafkaError | None

    async def on_start(self) -> None:
        """Called when the consumer starts."""
        await super().on_start()
        settings = cast("App", self.app).engine.settings
        self._most, self._error = settings.frame_records, None
        fetch_runs(self._ensure_consumer(), self._most, settings.fetch_pause)

    def _create_worker_consumer(self, transport: driver.Transport) -> Any:  # noqa: ANN401 - aiokafka has no types
        consumer = super()._create_worker_consumer(transport)
        # Faust leaves no other way; both count from start() on.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        consumer._fetch_max_wait_ms = _LONGEST_FETCH_MS  # noqa: SLF001
        return consumer

    async def _fetch_records(
        self,
        consumer: Any,  # noqa: ANN401
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - the signature is Faust's
        max_records: int | None = None,
    ) -> dict[TP, list[Run]]:
        """Runs until they hold a frame's records, or nothing more is there: for each call Faust goes from one thread to the other and back.

        Only the first may wait. What was taken must not be held while Kafka deals anew: its place would be given to other records.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        found: dict[TP, list[Run]] = {}
        dealing = consumer._fetcher._subscriptions  # noqa: SLF001
        deadline = time.monotonic() + (timeout or 0)
        while not (wanted := self._with_room(consumer, active_partitions)):
            if dealing.reassignment_in_progress or time.monotonic() >= deadline:
                return found
            await asyncio.sleep(_ROOM_SECONDS)
        if timeout is not None and len(wanted) < len(active_partitions):
            timeout = min(timeout, _BESIDE_SECONDS)
        more, taken = await super()._fetch_records(consumer, wanted, timeout, max_records), 0
        while more:
            for tp, runs in more.items():
                found.setdefault(tp, []).extend(runs)
                taken += sum(map(len, runs))
            if taken >= self._most or dealing.reassignment_in_progress:
                break
            try:
                more = await super()._fetch_records(consumer, wanted, 0, max_records)
            except KafkaError as e:  # of another partition
                self._error = e
                break
        return found

    def _with_room(self, consumer: Any, partitions: set[TP]) -> set[TP]:  # noqa: ANN401
        """Those that may be taken from: a partition that has enough to do must not keep the others waiting."""
        engine, partitions = cast("App", self.app).engine, set(partitions)  # Faust changes its own from another thread
        full = {tp for tp in partitions if not engine.has_room(tp.partition)}
        held(consumer, full)
        return partitions - full

    def highwater(self, tp: TP) -> int:
        """The end of a partition as far as it may be read: a bron's open transaction is not there yet."""
        return cast("int", self._ensure_consumer().last_stable_offset(tp))

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """All partitions to where the next frame must begin; what was fetched beyond, and left, comes again."""
        return await self.call_thread(self._seek_to_committed)  # type: ignore[no-any-return]

    async def _seek_to_committed(self) -> Mapping[TP, int]:
        consumer: Any = self._ensure_consumer()
        offsets: Mapping[TP, int] = await consumer.seek_to_committed()
        # aiokafka leaves a partition of which nothing is committed where it stands: what was fetched of it would be lost.
        never = [tp for tp, offset in offsets.items() if not offset]
        if never:
            await consumer.seek_to_beginning(*never)
        return offsets


class Consumer(driver.Consumer):
    """Faust's aiokafka consumer, yielding frames."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Called when Kafka deals anew. Nothing goes on until the new partitions stand where they must be read from.

        Faust sees to that only for a worker that had partitions: to another it would give what is then fetched again, or not at all.
        """
        self.stop_flow()
        await super().on_partitions_revoked(revoked)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - the signature is Faust's
        """One message a partition and fetch, whose value is the list of records."""
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            # What was fetched is left. Kafka may move the partitions at this very moment: a new assignment begins at the committed offsets.
            with suppress(IllegalStateError, AssertionError):
                await self.perform_seek()
            return
        for tp, runs in records.items():
            if active is not None and tp not in active and tp not in self._buffered_partitions:
                continue
            for run in runs:
                if not self.flow_active or generation != self.app.consumer_generation_id:
                    return
                yield tp, self._frame(tp, run, generation)

    @staticmethod
    def _frame(tp: TP, run: Run, generation: int) -> ConsumerMessage:
        value = cast("bytes", run)  # Faust passes on what it is given: the topics' serializer is raw
        return ConsumerMessage(tp.topic, tp.partition, run.start, 0.0, 0, None, None, value, None, tp=tp, generation_id=generation)


class Transport(driver.Transport):
    """``frames://host:port``: Kafka through aiokafka, delivered in frames."""

    Consumer = Consumer
