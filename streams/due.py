"""On which day time alone next changes something for whom: an index of rows of state, so that a tick of the klok scans nobody."""

from collections import defaultdict
from collections.abc import Mapping

from streams.core.due import due_of, is_due
from streams.core.timeline import persoon_of


class DueIndex:
    """Days → personen."""

    def __init__(self, rows: Mapping[bytes, bytes] | None = None) -> None:
        self._days: defaultdict[int, set[bytes]] = defaultdict(set)
        for key, row in (rows or {}).items():
            self.put(key, None, row)

    def put(self, key: bytes, old: bytes | None, new: bytes | None) -> None:
        """Take over that a row was ``old`` and is ``new`` now."""
        if not is_due(key):
            return
        was, now = due_of(old).next, due_of(new).next
        if was is not None:
            personen = self._days[was]
            personen.discard(persoon_of(key))
            if not personen:
                del self._days[was]
        if now is not None:
            self._days[now].add(persoon_of(key))

    def until(self, day: int) -> set[bytes]:
        """The personen who are due by ``day``."""
        return set().union(*(personen for at, personen in self._days.items() if at <= day))
