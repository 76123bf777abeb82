"""What the engine is told about its surroundings; the node's settings are read elsewhere."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class EngineSettings:
    """How one worker runs. Times in seconds."""

    brokers: str  # bootstrap servers, comma-separated
    toepassing: str  # consumer group, prefix of transactional ids and of the engine's own topics
    partities: int  # of mutaties.*, klok, volgverzoeken.* and the changelog
    datadir: Path  # Faust insists on one; nothing of ours stands in it
    http: str | None = None  # HOST:PORT of /live, /ready and /metrics; None: nothing listens
    frame_records: int = 2_000  # most records that become one frame
    backlog_frames: int = 4  # most frames that wait for one partition; more stops the fetching
    session_timeout: float = 10.0  # a worker that is silent for so long loses its partitions
    transaction_timeout: float = 30.0  # a transaction that stands open for so long is aborted by the broker
    stall_timeout: float = 60.0  # a changelog of which nothing comes for so long ends the worker
    stop_timeout: float = 8.0  # a worker that should stop is given so long

    @property
    def commit_timeout(self) -> float:
        """Seconds that a transaction may take: the worker gives up, and says so, before the broker does."""
        return 0.8 * self.transaction_timeout

    @property
    def changelog(self) -> str:
        """The compacted topic with the state of all followed persons."""
        return f"{self.toepassing}-personen-changelog"

    def transactional_id(self, partition: int) -> str:
        """One producer identity a partition: whoever takes it over fences the one before."""
        return f"{self.toepassing}-{partition}"
