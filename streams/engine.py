"""The partitions that this worker has, and what happens to them when Kafka moves them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable

import structlog
from faust.types import TP

from schemas.catalogue import Catalogue
from schemas.quarantine import QUARANTAINE
from streams.clients import AIOKAFKA, Clients
from streams.crash_points import crash_point
from streams.fold import Folder
from streams.folding import Folding
from streams.log import PartitionLog
from streams.metrics import Held, Metrics
from streams.partition import Partition, State
from streams.records import Run
from streams.settings import EngineSettings
from streams.store import PartitionStore

log = structlog.get_logger()

_TELL_SECONDS = 5.0

EndOf = Callable[[TP], int | None]  # the end of a source partition as far as it is known


class Engine:
    """Gives frames to their partitions. ``failed`` holds the first error that must end the worker."""

    def __init__(
        self, settings: EngineSettings, catalogue: Catalogue, clients: Clients = AIOKAFKA, *, end_of: EndOf = lambda _: None
    ) -> None:
        self.settings = settings
        self._clients = clients
        self._folder = Folder(catalogue, settings.toepassing, settings.kern)
        self._folding = Folding(self._folder)
        log.info("core chosen", kern=self._folder.kern, why=self._folder.without_kern or "asked for")
        self._outputs = outputs_of(catalogue)
        self._end_of = end_of
        self._partitions: dict[int, Partition] = {}
        self._stores: dict[int, PartitionStore] = {}
        self._telling: asyncio.Task[None] | None = None
        self.metrics = Metrics(self.topics, catalogue.diensten, self.held)
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.dealt = asyncio.Event()  # set while it is known which partitions are open here
        self.joined = False  # whether Kafka has dealt the partitions and not taken them back since; a worker may be dealt none
        self.ready = asyncio.Event()  # set when every partition of this worker takes frames, for whoever waits for it

    @property
    def topics(self) -> list[str]:
        """The source topics."""
        return self._folder.topics

    @property
    def is_ready(self) -> bool:
        """Whether Kafka has dealt the partitions, all of them here are restored and open, and nothing has failed."""
        return self.joined and not self.failed.done() and all(p.state is State.OPEN for p in self._partitions.values())

    @property
    def partitions(self) -> dict[int, Partition]:
        """The partitions that are open here."""
        return self._partitions

    @property
    def transaction_records(self) -> int:
        """How many records a transaction waits for at most: all partitions here may hold so many at once."""
        return self.settings.records_a_transaction(len(self._partitions))

    def has_room(self, partition: int) -> bool:
        """Whether more should be fetched of a partition; asked by the consumer's thread."""
        found = self._partitions.get(partition)
        return found is None or found.has_room

    async def take(self, topic: str, partition: int, records: Run) -> None:
        """A frame from Faust."""
        found = self._partitions.get(partition)
        if found is not None:
            self.metrics.framed(len(records))
            await found.offer(topic, records)

    async def assigned(self, tps: Iterable[TP]) -> None:
        """Open what is newly ours; forget the state of what is no longer."""
        found = {(tp.topic, tp.partition) for tp in tps if tp.topic in self.topics}
        numbers = {partition for _, partition in found}
        if len(found) != len(numbers) * len(self.topics):
            self.fail(RuntimeError("Kafka gave this worker a partition of some source topics and not of others: are all of one number?"))
            return
        self._stores = {n: s for n, s in self._stores.items() if n in numbers}
        for n in sorted(numbers - self._partitions.keys()):
            store = self._stores.setdefault(n, PartitionStore(self._folder.rulebook.layout))
            log = PartitionLog(self.settings, n, self.topics, self._outputs, self._clients)
            self._partitions[n] = Partition(n, self.settings, self._folding, store, log, self)
        self._telling = asyncio.create_task(self._tell_progress())
        self.joined = True
        self.dealt.set()
        self.metrics.rebalances.inc()
        self.opened()

    async def revoked(self) -> None:
        """Give all partitions up after the transactions under way; Kafka says next which are ours again.

        A store is kept for that moment: when the partition comes back, only what others wrote since is read.
        """
        self.ready.clear()
        self.dealt.clear()
        self.joined = False
        crash_point("during-revoke")
        if self._telling is not None:
            self._telling.cancel()
        partitions, self._partitions = self._partitions, {}
        await asyncio.gather(*(p.close() for p in partitions.values()))
        for number, partition in partitions.items():
            if partition.fenced_out:
                self._stores.pop(number, None)

    def opened(self) -> None:
        """Told by a partition that is ready."""
        if self.is_ready:
            self.ready.set()

    def records_behind(self, topic: str, partition: int, offset: int) -> int:
        """How many records stand in the log from ``offset`` on, as far as the last fetch told."""
        end = self._end_of(TP(topic, partition))
        return 0 if end is None else max(0, end - offset)

    def fail(self, error: Exception) -> None:
        """Told by a partition what must end the worker; the first error counts."""
        if not self.failed.done():
            self.failed.set_exception(error)

    def held(self) -> Held:
        """What this worker holds now, for its metrics."""
        states = Counter(p.state for p in self._partitions.values())
        lag: Counter[str] = Counter()
        for partition in self._partitions.values():
            for (topic, number), offset in partition.committed.items():
                lag[topic] += self.records_behind(topic, number, offset)
        stores = self._stores.values()
        return Held(
            partitions={s: states[s] for s in State},
            restored=self._percent() / 100,
            persons=sum(s.persons for s in stores),
            state_bytes=sum(s.size for s in stores),
            lag=lag,
        )

    def _percent(self) -> int:
        """How far the restoring of all partitions here is."""
        return sum(p.progress.percent for p in self._partitions.values()) // max(1, len(self._partitions))

    async def _tell_progress(self) -> None:
        while any(p.state is State.RESTORING for p in self._partitions.values()):
            await asyncio.sleep(_TELL_SECONDS)
            there = Counter(p.state for p in self._partitions.values())
            rows = sum(p.progress.rows for p in self._partitions.values())
            log.info("restoring", partitions=there[State.RESTORING], of=there.total(), percent=self._percent(), rows=rows)


def outputs_of(catalogue: Catalogue) -> list[str]:
    """The topics that the engine writes to, besides its own changelog."""
    asked = {catalogue.bron_of(soort) for d in catalogue.diensten.values() for soort in d.gevraagd}
    volgverzoeken = [f"volgverzoeken.{b.id}" for b in asked if not b.filtert_zelf]
    return [*(f"signalen.{o}" for o in catalogue.ontvangers), *sorted(volgverzoeken), QUARANTAINE]
