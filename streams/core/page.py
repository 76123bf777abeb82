"""Feiten of one persoon, packed: some forty bytes each, found by name without reading the others.

A mutatie touches one feit. The others of its page are never unpacked, only copied as they are. Texts that come again and again (employers,
symbols, ontvangers) stand once in a page for as long as a feit refers to them.
"""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, Final

import msgspec

from streams.core.period import Period
from streams.core.record import Record, Sent
from streams.core.rulebook import Soort

_CELL: Final = 16  # bytes of a name: a UUID itself, or the digest of any other name
_SENT: Final = 5  # cells of a Sent


class Feiten(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The feiten of one soort in a page, in the order in which they first came."""

    names: bytes = b""  # one cell each
    packed: tuple[bytes, ...] = ()
    other: dict[int, bytes] = {}  # position → name, of those that are no UUID

    def position(self, name: bytes) -> int | None:
        """Where the feit of that name stands."""
        cell, other = (name[1:], None) if name[0] == 0 else (_digest(name), name)
        at = self.names.find(cell)
        while at >= 0:
            if at % _CELL == 0 and self.other.get(at // _CELL) == other:
                return at // _CELL
            at = self.names.find(cell, at + 1)
        return None

    def name(self, position: int) -> bytes:
        """The name of the feit at a position."""
        return self.other.get(position) or b"\0" + self.names[position * _CELL : (position + 1) * _CELL]

    def put(self, name: bytes, position: int | None, packed: bytes) -> "Feiten":
        """With one feit in the place of another, or at the end."""
        if position is not None:
            return Feiten(self.names, (*self.packed[:position], packed, *self.packed[position + 1 :]), self.other)
        if name[0] == 0:
            return Feiten(self.names + name[1:], (*self.packed, packed), self.other)
        return Feiten(self.names + _digest(name), (*self.packed, packed), {**self.other, len(self.packed): name})


class Page(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Some feiten of one persoon, by nummer of their soort."""

    texts: tuple[str, ...] = ()
    uses: tuple[int, ...] = ()  # how often the feiten refer to each of the texts
    size: int = 0  # feiten
    feiten: dict[int, Feiten] = {}

    def find(self, soort: Soort, name: bytes) -> Record | None:
        """The feit of that name."""
        feiten = self.feiten.get(soort.nummer)
        position = None if feiten is None else feiten.position(name)
        return None if feiten is None or position is None else self._unpacked(soort, name, feiten.packed[position])

    def of(self, soort: Soort) -> Iterator[Record]:
        """All feiten of a soort."""
        feiten = self.feiten.get(soort.nummer, _NONE)
        for position, packed in enumerate(feiten.packed):
            yield self._unpacked(soort, feiten.name(position), packed)

    def put(self, soort: Soort, record: Record) -> "Page":
        """With ``record`` in the place of the one of that name, or at the end."""
        feiten = self.feiten.get(soort.nummer, _NONE)
        position = feiten.position(record.name)
        texts, uses = list(self.texts), list(self.uses)
        if position is not None:
            _release(soort, _decode(feiten.packed[position]), texts, uses)
        put = feiten.put(record.name, position, _encode(_cells(soort, record, texts, uses)))
        return Page(tuple(texts), tuple(uses), self.size + (position is None), {**self.feiten, soort.nummer: put})

    def _unpacked(self, soort: Soort, name: bytes, packed: bytes) -> Record:
        versie, offset, start, days, *rest = _decode(packed)
        period, size, texts = None, 0, self.texts
        if start is not None:
            period, size = Period(start, None if days is None else start + days), len(soort.velden)
        values = [texts[v] if text and v is not None else v for v, text in zip(rest[:size], soort.teksten, strict=False)]
        sent = [Sent(rest[i], texts[rest[i + 1]], *rest[i + 2 : i + _SENT]) for i in range(size, len(rest), _SENT)]
        return Record(name, versie, offset, period, tuple(values), tuple(sent))


def _cells(soort: Soort, record: Record, texts: list[str], uses: list[int]) -> list[Any]:
    """What is kept of a record beside its name; a text and the ontvanger of a Sent as a number among ``texts``, which may grow."""
    cells: list[Any] = [record.versie, record.offset, None, None]
    if (period := record.period) is not None:
        cells[2:] = period.start, None if period.end is None else period.end - period.start
        cells += [_use(v, texts, uses) if text and v is not None else v for v, text in zip(record.values, soort.teksten, strict=False)]
    for s in record.sent:
        cells += s.dienst, _use(s.ontvanger, texts, uses), s.basis, s.versie, s.content
    return cells


def _use(text: Any, texts: list[str], uses: list[int]) -> int:  # noqa: ANN401 - a str, whatever the type of its field says
    if text in texts:
        number = texts.index(text)
    elif 0 in uses:
        number = uses.index(0)
        texts[number] = text
    else:
        number = len(texts)
        texts.append(text)
        uses.append(0)
    uses[number] += 1
    return number


def _release(soort: Soort, cells: list[Any], texts: list[str], uses: list[int]) -> None:
    """Drop the texts to which only these cells referred."""
    size = 4 if cells[2] is None else 4 + len(soort.velden)
    values = [v for v, text in zip(cells[4:size], soort.teksten, strict=False) if text and v is not None]
    for number in (*values, *cells[size + 1 :: _SENT]):
        uses[number] -= 1
        if not uses[number]:
            texts[number] = ""


def _digest(name: bytes) -> bytes:
    return blake2b(name, digest_size=_CELL).digest()


_NONE: Final = Feiten()
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Any]).decode
