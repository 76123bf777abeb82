"""Keys and values of runs: by the native core where there is one, else by Python."""

from collections.abc import Iterable
from itertools import chain

from streams.native.rows import NativeRows, native_rows
from streams.records import Batch, Run

Content = tuple[bytes, bytes | None]


def contents_of(run: Run) -> Iterable[Content]:
    """Key and value of each record, b"" where there is no key; raises CorruptRecordException."""
    native = native_rows()
    if native is None or run.batches[0].base_offset < run.start:
        return ((r.key or b"", r.value) for r in run)
    return chain.from_iterable(_contents(native, batch) for batch in run.batches)


def _contents(native: NativeRows, batch: Batch) -> list[Content]:
    return native.contents(batch.data, batch.count)
