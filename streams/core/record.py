"""One record of a bron as the node keeps it: its newest version, with only what some dienst uses, and what was sent about it."""

import re
from typing import Final

import msgspec

from schemas.values import Mutatie, Waarde
from streams.core.period import Period
from streams.core.rulebook import Soort

_OFFSET_BITS: Final = 46
_OFFSET: Final = (1 << _OFFSET_BITS) - 1
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch


def pack(record_id: str) -> bytes:
    """A record_id as state keeps it: a zero and 16 bytes for a lower-case UUID, which most bronnen use, else the text."""
    return b"\0" + bytes.fromhex(record_id.replace("-", "")) if _UUID(record_id) else record_id.encode()


def unpack(name: bytes) -> str:
    """The record_id that ``pack`` was given; no text begins with a zero, the codec lets none in."""
    if name[:1] != b"\0":
        return name.decode()
    text = name.hex()
    return f"{text[2:10]}-{text[10:14]}-{text[14:18]}-{text[18:22]}-{text[22:]}"


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
    offset: int  # in the persoon's partition; of a record that came under another number see ``offset_of``
    period: Period | None
    values: tuple[Waarde, ...]
    sent: tuple[Sent, ...] = ()

    @property
    def elsewhere(self) -> tuple[int, int]:
        """The partition and the offset of a record whose offset is negative; all others stand in the persoon's own partition."""
        return ~self.offset >> _OFFSET_BITS, ~self.offset & _OFFSET

    @property
    def record_id(self) -> str:
        """The bron's own name of the record."""
        return unpack(self.name)


def offset_of(partition: int, offset: int, home: int) -> int:
    """A place as state keeps it: the offset; of another partition than the persoon's own, ``home``, a negative number that tells both."""
    return offset if partition == home else ~(partition << _OFFSET_BITS | offset)


def newer(known: Record | None, mutatie: Mutatie) -> bool:
    """Whether a mutatie says more than what is known: the higher versie wins, whatever the order of arrival."""
    return known is None or mutatie.versie > known.versie


def record_of(soort: Soort, mutatie: Mutatie, name: bytes, offset: int, sent: tuple[Sent, ...]) -> Record:
    """The record that a mutatie states under its packed ``name``, with only the fields that some dienst lists."""
    feit = mutatie.feit
    if feit is None:
        return Record(name, mutatie.versie, offset, None, (), sent)
    period = Period.tot_en_met(feit["begindatum"], feit["einddatum"])
    return Record(name, mutatie.versie, offset, period, tuple([feit.get(v) for v in soort.velden]), sent)


def forgotten(record: Record) -> Record:
    """What remains of a record that may no longer be kept: the versions of signals, so that they run on without gaps."""
    return Record(record.name, 0, 0, None, (), record.sent)


def with_sent(record: Record, sent: tuple[Sent, ...]) -> Record:
    """The record after signals about it went out."""
    return Record(record.name, record.versie, record.offset, record.period, record.values, sent)
