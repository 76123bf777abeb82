"""What the engine is told about its surroundings; the node's settings are read elsewhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from schemas.sources import overdrachten_topic
from schemas.verloop import verloop_topic

KernChoice = Literal["native", "python"]

_FOLD_BYTES: Final = 1_000  # of a record that is being folded, and of its persoon, beside what Kafka brought
_FETCH_BYTES: Final = 1 << 20  # aiokafka asks for so much of a partition at a time, and for no more until that is taken


@dataclass(frozen=True)
class EngineSettings:
    """How one worker runs. Times in seconds."""

    brokers: str  # bootstrap servers, comma-separated
    toepassing: str  # consumer group, prefix of transactional ids and of the engine's own topics
    partities: int  # of mutaties.*, klok, volgverzoeken.* and the changelog
    datadir: Path  # Faust insists on one; nothing of ours stands in it
    http: str | None = None  # HOST:PORT of /live, /ready and /metrics; None: nothing listens
    frame_records: int = 2_000  # most records that become one frame
    stream_frames: int = 4  # most frames between Faust's consumer and its agent
    backlog_frames: int = 16  # most frames that wait for one partition; with half of them nothing more of it is fetched
    transaction_records: int = 40_000  # a transaction that holds so many waits for no more
    worker_records: int = 240_000  # nor one that holds its share of these: a worker may have many partitions
    fold_records: int = 8_000  # so many records of a topic are folded at once at most: the core holds them, and what they lead to
    fetch_pause: float = 0.04  # between two fetches: each costs the broker and the worker the same, whether it brings one record or many
    group_interval: float = 1.0  # a consumer group is told so often how far a partition is, while records come
    group_patience: float = 0.1  # and when none has come for so long
    linger: float = 0.5  # a transaction waits at most so long, and only while more than a frame, or little of much, is left in the log
    session_timeout: float = 10.0  # a worker that is silent for so long loses its partitions
    transaction_timeout: float = 30.0  # a transaction that stands open for so long is aborted by the broker
    stall_timeout: float = 60.0  # a changelog of which nothing comes for so long ends the worker
    instantie: str | None = None  # name of this worker in the group, kept over restarts; see membership.py
    stop_timeout: float = 8.0  # a worker that should stop is given so long
    kern: KernChoice = "native"  # what folds; where there is no native core, pure Python does

    @property
    def commit_timeout(self) -> float:
        """Seconds that a transaction may take: the worker gives up, and says so, before the broker does."""
        return 0.8 * self.transaction_timeout

    def records_a_transaction(self, partitions: int) -> int:
        """How many records a transaction waits for at most, in a worker that has so many partitions."""
        return min(self.transaction_records, self.worker_records // max(1, partitions))

    @property
    def most_records(self) -> int:
        """Input records that a worker with all partitions holds at most: those of one poll, which may pass a frame by one less than
        another, of the stream, and for each partition those that wait and those in the transaction under way, which may pass its size
        by all that waited when it came there."""
        waiting = self.frame_records * self.backlog_frames
        return self.frame_records * (2 + self.stream_frames) + self.partities * (2 * waiting + self.records_a_transaction(self.partities))

    def most_fetched_bytes(self, topics: int) -> int:
        """Bytes that such a worker has fetched of ``topics`` source topics and not yet unpacked, at most: as they came, and one batch of
        each unpacked."""
        return 2 * _FETCH_BYTES * topics * self.partities

    @property
    def most_fold_bytes(self) -> int:
        """Bytes that the records which are folded at once take beside their own, at most."""
        return _FOLD_BYTES * max(self.fold_records, self.frame_records)

    @property
    def changelog(self) -> str:
        """The compacted topic with the state of all followed persons."""
        return f"{self.toepassing}-personen-changelog"

    @property
    def verloop(self) -> str:
        """The topic that says what each transaction took, in which order."""
        return verloop_topic(self.toepassing)

    @property
    def own(self) -> tuple[str, ...]:
        """The topics of this engine alone, to which it writes."""
        return self.changelog, self.verloop, overdrachten_topic(self.toepassing)

    def transactional_id(self, partition: int) -> str:
        """One producer identity a partition: whoever takes it over fences the one before."""
        return f"{self.toepassing}-{partition}"
