"""What the node knows of one persoon: the versions of records, what was sent about them, and what was asked of bronnen.

A timeline is frozen and is kept as bytes; a change makes a new one. A soort's records stand in the order in which they first
came and are never reordered or removed, because what was sent refers to a basisfeit by its position.
"""

import re
from typing import Final

import msgspec

from schemas.values import Mutatie, Waarde
from streams.core.period import Period
from streams.core.rulebook import Soort

_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch


def pack(record_id: str) -> bytes:
    """A record_id as state keeps it: a zero and 16 bytes for a lower-case UUID, which most bronnen use, else the text."""
    return b"\0" + bytes.fromhex(record_id.replace("-", "")) if _UUID(record_id) else record_id.encode()


def unpack(name: bytes) -> str:
    """The record_id that ``pack`` was given; no text begins with a zero, the codec lets none in."""
    if name[:1] != b"\0":
        return name.decode()
    text = name[1:].hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Sent(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last version of one signaal that went out: dienst and ontvanger with the feit that holds this, and a basisfeit."""

    dienst: int
    ontvanger: str
    basis: int  # position among the records of the dienst's basis soort
    versie: int
    content: bytes | None  # digest of what was said; None after VERVALLEN


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The newest version of a bron's record. Withdrawn: no period. Forgotten: versie 0, only what was sent is remembered."""

    name: bytes  # record_id as ``pack`` keeps it
    versie: int
    offset: int
    start: int | None
    end: int | None
    values: tuple[Waarde, ...]
    sent: tuple[Sent, ...] = ()

    @property
    def record_id(self) -> str:
        """The bron's own name of the record."""
        return unpack(self.name)

    @property
    def period(self) -> Period | None:
        """The days of the record; None when it is withdrawn or forgotten."""
        return None if self.start is None else Period(self.start, self.end)


class Follow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last volgverzoek to one bron: its version, and per dienst (by nummer) the first day that counts."""

    versie: int
    since: tuple[tuple[int, int], ...]


class Timeline(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All of one persoon: soort nummer → records, bron → volgverzoek."""

    records: dict[int, tuple[Record, ...]]
    follows: dict[str, Follow]

    def of(self, soort: int) -> tuple[Record, ...]:
        """The records of a soort."""
        return self.records.get(soort, ())

    def position(self, soort: int, name: bytes) -> int | None:
        """Where the record of that packed name stands among those of its soort."""
        for i, record in enumerate(self.of(soort)):
            if record.name == name:
                return i
        return None

    def has_live(self, soort: int) -> bool:
        """Whether any record of the soort stands."""
        return any(r.start is not None for r in self.of(soort))

    def with_record(self, soort: int, position: int | None, record: Record) -> "Timeline":
        """The timeline with ``record`` in place of the one at ``position``, or at the end."""
        old = self.of(soort)
        new = (*old, record) if position is None else (*old[:position], record, *old[position + 1 :])
        return Timeline({**self.records, soort: new}, self.follows)


EMPTY: Final = Timeline({}, {})


def newer(known: Record | None, mutatie: Mutatie) -> bool:
    """Whether a mutatie says more than what is known: the higher versie wins, whatever the order of arrival."""
    return known is None or mutatie.versie > known.versie


def record_of(soort: Soort, mutatie: Mutatie, name: bytes, offset: int, sent: tuple[Sent, ...]) -> Record:
    """The record that a mutatie states under its packed ``name``, with only the fields that some dienst lists."""
    feit = mutatie.feit
    if feit is None:
        return Record(name, mutatie.versie, offset, None, None, (), sent)
    period = Period.tot_en_met(feit["begindatum"], feit["einddatum"])
    values = tuple([feit.get(v) for v in soort.velden])
    return Record(name, mutatie.versie, offset, period.start, period.end, values, sent)


def forgotten(record: Record) -> Record:
    """What remains of a record that may no longer be kept: the versions of signals, so that they run on without gaps."""
    return Record(record.name, 0, 0, None, None, (), record.sent)


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Timeline)


def to_bytes(timeline: Timeline) -> bytes | None:
    """The timeline for the table; None when there is nothing to keep."""
    return _encoder.encode(timeline) if timeline.records or timeline.follows else None


def from_bytes(data: bytes | None) -> Timeline:
    """The timeline that ``to_bytes`` wrote; raises msgspec.DecodeError."""
    return EMPTY if data is None else _decoder.decode(data)
