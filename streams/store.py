"""The table ``personen``: persoon → bytes of the timeline, one store a partition, restored from the compacted changelog."""

from collections.abc import Iterable, Mapping

import msgspec

from streams.core.timeline import is_head
from streams.due import DueIndex
from streams.effects import META_KEY, Effects, Meta


class LayoutError(Exception):
    """The state was written under other rules than the catalogue's."""


class PartitionStore:
    """The rows of one partition in memory, as bytes: the cyclic garbage collector has nothing to walk."""

    def __init__(self, layout: str) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.meta = Meta(layout)
        self._layout = layout
        self.size = 0  # bytes of the keys and values in ``rows``
        self.persons = 0  # that have state
        self.position = 0  # offset in the changelog up to which the rows are restored
        self._due = DueIndex()
        self._read: dict[bytes, bytes | None] = {}  # of the changelog, and not among the rows yet

    def get(self, key: bytes) -> bytes | None:
        """A row of a persoon, or None."""
        return self.rows.get(key)

    @property
    def klok(self) -> int | None:
        """The day of the newest tick."""
        return self.meta.klok

    def due(self, day: int) -> set[bytes]:
        """The personen for whom time alone changes something by ``day``; the others are not looked at."""
        return self._due.until(day)

    def restore(self, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take rows of the changelog, in its order; they count from ``restored`` on."""
        self._read.update(rows)

    def restored(self) -> None:
        """Told when all rows were taken; raises LayoutError when the newest are of another layout: those before a switch are."""
        read, self._read = self._read, {}
        meta = read.pop(META_KEY, None)
        if meta is not None:
            self.meta = msgspec.json.decode(meta, type=Meta)
        for key, value in read.items():
            self._put(key, value)
        if self.meta.layout != self._layout:
            raise LayoutError(
                f"the state has layout {self.meta.layout}, the catalogue {self._layout}: 'switch' takes it over to other rules"
            )

    def rows_of(self, effects: Effects) -> Mapping[bytes, bytes | None]:
        """The changelog rows that a transaction writes: the touched persons and the meta."""
        return {**effects.changes, META_KEY: msgspec.json.encode(self._after(effects))}

    def apply(self, effects: Effects) -> None:
        """Take over what a committed transaction wrote."""
        for persoon, state in effects.changes.items():
            self._put(persoon, state)
        self.meta = self._after(effects)

    def _after(self, effects: Effects) -> Meta:
        return self.meta.add(effects.counts, effects.klok, effects.offsets)

    def _put(self, key: bytes, value: bytes | None) -> None:
        old = self.rows.pop(key, None) if value is None else self.rows.get(key)
        if value is not None:
            self.rows[key] = value
            self.size += len(value)
        if old is not None:
            self.size -= len(old)
        if not is_head(key):
            self._due.put(key, old, value)
        if (value is None) != (old is None):
            sign = 1 if old is None else -1
            self.size += sign * len(key)
            self.persons += sign * is_head(key)
