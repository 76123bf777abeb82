"""The effects of frames: everything that one transaction makes true, or nothing of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from schemas.partitioner import partition_of

Headers = list[tuple[str, bytes]]
Row = tuple[bytes | None, bytes | None, Headers]  # key, value, headers
SourceOffsets = dict[tuple[str, int], int]  # (topic, partition) → offset of the next record to read

META_KEY = b"#partitie"
BY_KEY = -1  # in the place of a partition: that of the key of each row


class Encoded(msgspec.Struct, frozen=True, gc=False):
    """Messages for one topic and partition as finished records of Kafka's format v2, as they stand in a batch behind its header.

    Their offsets count from 0, their timestamps are that of the batch; see encoded.py.
    """

    count: int
    data: bytes


class Meta(msgspec.Struct, frozen=True):
    """What a partition knows besides its persons; a row of its own in the changelog, in JSON for the eye."""

    layout: str  # kept fields and rules, see Rulebook
    klok: int | None = None  # the newest tick, in days since 1970-01-01
    counts: Mapping[str, int] = {}  # "<topic> <fate>" → records; over all fates they add up to what came in
    offsets: Mapping[str, int] = {}  # source topic → offset of the next record to take

    def add(self, counts: Counter[str], klok: int | None, offsets: SourceOffsets) -> "Meta":
        """The meta after a transaction; a tick of an earlier day changes nothing."""
        newest = self.klok if klok is None else klok if self.klok is None else max(klok, self.klok)
        counted = {k: self.counts.get(k, 0) + counts.get(k, 0) for k in sorted({*self.counts, *counts})}
        return Meta(self.layout, newest, counted, dict(sorted({**self.offsets, **{t: o for (t, _), o in offsets.items()}}.items())))


@dataclass
class Effects:
    """What some frames of one partition lead to."""

    changes: dict[bytes, bytes | None] = field(default_factory=dict)  # persoon → new state; None: nothing is kept any more
    messages: dict[tuple[str, int], list[Row | Encoded]] = field(default_factory=dict)  # (topic, partition) → what is sent there, in order
    counts: Counter[str] = field(default_factory=Counter)
    announced: list[tuple[str, str, int]] = field(default_factory=list)  # each signal's dienst, soort and registratietijd in ms
    klok: int | None = None
    erased: int = 0  # personen of whom nothing may be kept any more
    offsets: SourceOffsets = field(default_factory=dict)

    def send(self, topic: str, partition: int, row: Row) -> None:
        """Add a message to what the transaction sends."""
        self.messages.setdefault((topic, partition), []).append(row)

    def routed(self, partities: int) -> dict[tuple[str, int], list[Row | Encoded]]:
        """The messages, those by key in the partition that each has among so many."""
        routed = {tp: rows for tp, rows in self.messages.items() if tp[1] != BY_KEY}
        for (topic, partition), rows in self.messages.items():
            for row in rows if partition == BY_KEY else ():
                assert not isinstance(row, Encoded)  # noqa: S101 - no core makes these
                routed.setdefault((topic, partition_of(row[0] or b"", partities)), []).append(row)
        return routed

    def count(self, topic: str, fate: str, records: int = 1) -> None:
        """Count input records of ``topic`` under where they ended."""
        self.counts[f"{topic} {fate}"] += records
