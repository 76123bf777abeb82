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
        self._take(read)
        if self.meta.layout != self._layout:
            raise LayoutError(
                f"the state has layout {self.meta.layout}, the catalogue {self._layout}: 'switch' takes it over to other rules"
            )

    def rows_of(self, effects: Effects) -> Mapping[bytes, bytes | None]:
        """The changelog rows that a transaction writes: the touched persons and the meta."""
        return {**effects.changes, META_KEY: msgspec.json.encode(self._after(effects))}

    def apply(self, effects: Effects) -> None:
        """Take over what a committed transaction wrote."""
        self._take(effects.changes)
        self.meta = self._after(effects)

    def _after(self, effects: Effects) -> Meta:
        return self.meta.add(effects.counts, effects.klok, effects.offsets)

    def _take(self, changes: Mapping[bytes, bytes | None]) -> None:
        """All rows at once: one by one in Python only what is more than another value of the first row of a persoon."""
        before = list(map(self.rows.get, changes))
        self.rows.update({key: value for key, value in changes.items() if value is not None})
        self.size += _length(changes.values()) - _length(before)
        for (key, value), old in zip(changes.items(), before, strict=True):
            if not is_head(key):
                self._due.put(key, old, value)
            if value is None or old is None:
                self._come_or_gone(key, old, value)

    def _come_or_gone(self, key: bytes, old: bytes | None, value: bytes | None) -> None:
        if value is None:
            self.rows.pop(key, None)
        if value is not old:  # else it was not there, and is not there now
            sign = 1 if old is None else -1
            self.size += sign * len(key)
            self.persons += sign * is_head(key)


def _length(values: Iterable[bytes | None]) -> int:
    return sum(map(len, filter(None, values)))
