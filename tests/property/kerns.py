"""Both cores at once: the same frames go through the native core and through the pure Python, and their effects must be the same."""

import tempfile
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bench.catalogues import own_filtering_catalogue
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.sources import is_overdrachten
from streams.effects import BY_KEY, Effects, Headers
from streams.encoded import rows_in
from streams.fold import Folder
from streams.native.build import LIBRARY
from streams.native.kern import CHUNK_BYTES, Kern
from streams.native.program import program_of
from streams.records import Run, SourceRecord, run_of
from streams.store import PartitionStore

PARTITION = 3
Sent = dict[tuple[str, bytes | None], list[tuple[bytes | None, Headers]]]  # (topic, key) → values and headers, in order


class Delivered(NamedTuple):
    """A mutatie of a persoon, or what else stands in a topic."""

    topic: str
    key: bytes | None
    value: bytes | None


@cache
def catalogue_with(diensten: int) -> Catalogue:
    """The published catalogue; or, for a number, one in which every bron filters itself, with so many diensten on one basisfeit."""
    if not diensten:
        return Catalogue.load()
    with tempfile.TemporaryDirectory() as folder:
        return Catalogue.load(own_filtering_catalogue(Path(folder), diensten=diensten))


@cache
def codec_of(diensten: int) -> Codec:
    """Writes mutaties of that catalogue."""
    return Codec(catalogue_with(diensten))


@cache
def _folders(diensten: int, chunk_bytes: int, library: Path) -> tuple[Folder, Folder]:
    catalogue = catalogue_with(diensten)
    return folders_of(catalogue, library, chunk_bytes)


def folders_of(catalogue: Catalogue, library: Path, chunk_bytes: int = CHUNK_BYTES) -> tuple[Folder, Folder]:
    """The native core of ``library`` and the Python, under a catalogue."""
    native, python = Folder(catalogue, "beide"), Folder(catalogue, "beide", kern="python")
    assert native._kern is not None, f"the native core was not built: {native.without_kern}"
    native._kern = Kern(program_of(catalogue, native.rulebook, native._source), library, chunk_bytes)
    return native, python


class Both:
    """Two folds over one partition."""

    def __init__(self, diensten: int = 1, chunk_bytes: int = CHUNK_BYTES, library: Path = LIBRARY, partition: int = PARTITION) -> None:
        self.native, self.python = _folders(diensten, chunk_bytes, library)
        self.partition = partition
        self.store = PartitionStore(self.python.rulebook.layout)
        self.left = 0  # records that the native core left to the reference
        self._next: dict[str, int] = {}

    @property
    def rows(self) -> dict[bytes, bytes]:
        """The rows of personen: those of the klok's days say only what came since it struck."""
        return {key: row for key, row in self.store.rows.items() if not key.startswith(b"#")}

    def take(self, deliveries: Iterable[Delivered], cuts: Sequence[int] = ()) -> Effects:
        """Fold deliveries as one transaction, in frames of one topic each that are also cut at ``cuts``."""
        frames = [(topic, run_of(records)) for topic, records in self._frames(list(deliveries), set(cuts))]
        return self.fold(frames)

    def fold(self, frames: Sequence[tuple[str, Run]]) -> Effects:
        """Fold frames by both, and take over the effects."""
        told, wanted = self._fold_natively(frames), self.python.fold(self.store, self.partition, frames)
        assert told.changes == wanted.changes
        assert told.counts == wanted.counts
        assert told.offsets == wanted.offsets
        assert told.klok == wanted.klok
        assert sorted(told.announced) == sorted(wanted.announced)
        assert sent(told, self.partition) == sent(wanted, self.partition)
        self.store.apply(wanted)
        return told

    def _fold_natively(self, frames: Sequence[tuple[str, Run]]) -> Effects:
        take = self.native._take
        try:
            self.native._take = self._counted(take)  # type: ignore[method-assign]
            return self.native.fold(self.store, self.partition, frames)
        finally:
            self.native._take = take  # type: ignore[method-assign]

    def _counted(self, take):
        def counted(effects, read, soort, partition, records):
            self.left += len(records)
            take(effects, read, soort, partition, records)

        return counted

    def _frames(self, deliveries: list[Delivered], cuts: set[int]) -> list[tuple[str, list[SourceRecord]]]:
        frames: list[tuple[str, list[SourceRecord]]] = []
        for number, (topic, key, value) in enumerate(deliveries):
            if not frames or frames[-1][0] != topic or number in cuts:
                frames.append((topic, []))
            offset = self._next.get(topic, 70)
            self._next[topic] = offset + 1 + number % 2  # a compacted log has holes
            frames[-1][1].append(SourceRecord(key, value, offset))
        return frames


def sent(effects: Effects, home: int = PARTITION) -> Sent:
    """What is sent to whom; of several signals in a topic only the order of each one's versions counts."""
    told: Sent = {}
    for (topic, partition), messages in effects.messages.items():
        assert partition == (home if topic.startswith("volgverzoeken") else BY_KEY if is_overdrachten(topic) else 0)
        for key, value, headers in rows_in(messages):
            told.setdefault((topic, key), []).append((value, headers))
    return told
