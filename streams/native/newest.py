"""What the rows of a run leave of each key: by the native core where there is one, else by Python."""

from collections.abc import Iterable

from streams.native.rows import native_rows
from streams.records import Run

Content = tuple[bytes, bytes | None]


def newest_of(run: Run) -> Iterable[Content]:
    """Each key, b"" where there is none, with the value of the last record that has it; raises CorruptRecordException."""
    native = native_rows()
    if native is None or run.batches[0].base_offset < run.start:
        return {r.key or b"": r.value for r in run}.items()
    return native.newest(b"".join([batch.data for batch in run.batches]), sum(batch.count for batch in run.batches))
