"""The shape that nearly all mutaties of a schema have, as one regular expression over their bytes.

Avro has no look-ahead: a general reader asks for each byte. Yet a mutatie with a UUID as record_id is a regular language, and the
expression engine finds all its fields in one call; with the values made of them, a mutatie takes half as long. The shape only ever takes
what the general reader takes too, with the same values; whatever does not fit is left to that reader, which alone knows why a record is
refused.
"""

import re
from collections.abc import Mapping
from operator import getitem
from typing import Any, Final

from schemas.catalogue import Schema, feit_fields

_MEMO: Final = 16_384  # most values of a field that are remembered
_VARINT: Final = rb"[\x80-\xff]{0,8}[\x00-\x7f]"  # up to 63 bits
_UUID: Final = rb"\x48([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"

Range = tuple[int, int]  # the least and the greatest number that may be taken
LONGS: Final[Range] = (-(2**63), 2**63 - 1)  # Avro's
Fields = tuple[str, int, int, dict[str, Any] | None]  # record_id, versie, registratietijd, feit


class OddError(Exception):
    """The value of a field is for the general reader to judge."""


class Values(dict[Any, Any]):
    """The bytes of a field → its value, or the reverse, remembered for a while: most come again and again."""

    def __init__(self, always: Any = ()) -> None:  # noqa: ANN401 - as a dict is made of
        super().__init__(always)
        self._always = dict(self)

    def remember(self, key: Any, value: Any) -> None:  # noqa: ANN401 - a field's
        """Keep a value, and no more of them than ``_MEMO``."""
        if len(self) >= _MEMO:
            self.clear()
            self.update(self._always)
        self[key] = value


class _Integers(Values):
    """Numbers within limits."""

    def __init__(self, limits: Range) -> None:
        super().__init__({None: None})
        self._least, self._most = limits

    def __missing__(self, data: bytes) -> int:
        number = shift = 0
        for byte in data:
            number |= (byte & 127) << shift
            shift += 7
        number = (number >> 1) ^ -(number & 1)
        if not self._least <= number <= self._most:
            raise OddError
        self.remember(data, number)
        return number


class _Texts(Values):
    """ASCII texts, each with its length before it."""

    def __init__(self) -> None:
        super().__init__({None: None})

    def __missing__(self, data: bytes) -> str:
        if data[0] != 2 * (len(data) - 1) or not data.isascii():
            raise OddError
        text = data[1:].decode()
        self.remember(data, text)
        return text


class Shape:
    """Reads the usual mutaties of one schema."""

    def __init__(self, schema: Schema, versie: Range, moment: Range, day: Range, number: Range) -> None:
        """The ranges say which numbers may be taken; raises NotImplementedError when the schema has no regular form."""
        feit = {name: _field(field, day, number) for name, field in feit_fields(schema).items()}
        envelope = rb"\x00%b%b(%b)(%b)" % (re.escape(schema.id.to_bytes(4, "big")), _UUID, _VARINT, _VARINT)
        self._match = re.compile(rb"%b(?:\x00|(\x02)%b)" % (envelope, b"".join(pattern for pattern, _ in feit.values()))).fullmatch
        self._versies, self._moments = _Integers(versie), _Integers(moment)
        self._names, self._values = tuple(feit), [values for _, values in feit.values()]

    def read(self, data: bytes) -> Fields | None:
        """The fields of a framed mutatie; None when it is not of the usual shape."""
        match = self._match(data)
        if match is None:
            return None
        groups = match.groups()
        try:
            feit = None
            if groups[3] is not None:
                feit = dict(zip(self._names, map(getitem, self._values, groups[4:])))  # noqa: B905 - as many by construction
                if feit["einddatum"] is not None and feit["einddatum"] < feit["begindatum"]:
                    return None
            return groups[0].decode(), self._versies[groups[1]], self._moments[groups[2]], feit
        except OddError:
            return None


def shape_of(schema: Schema, versie: Range, moment: Range, day: Range, number: Range) -> Shape | None:
    """The shape of a schema, if it has one."""
    try:
        return Shape(schema, versie, moment, day, number)
    except NotImplementedError:
        return None


def _field(field: Mapping[str, Any], day: Range, number: Range) -> tuple[bytes, Values]:
    """The expression of a field, with one group, and the values of what that group finds."""
    match field["type"]:
        case ["null", inner]:
            pattern, values = _field({**field, "type": inner}, day, number)
            return rb"(?:\x00|\x02%b)" % pattern, values
        case "string" if "patroon" in field:
            text = re.compile(field["patroon"].removeprefix("^").removesuffix("$").encode())
            if text.groups == 0:
                return rb"([\x02-\x7e](?:%b))" % text.pattern, _Texts()
        case "int":
            return rb"(%b)" % _VARINT, _Integers(number)
        case "long":
            return rb"(%b)" % _VARINT, _Integers(LONGS)
        case {"type": "int", "logicalType": "date"}:
            return rb"(%b)" % _VARINT, _Integers(day)
        case {"type": "enum", "symbols": symbols} if len(symbols) <= 64:
            numbers = bytes(range(0, 2 * len(symbols), 2))
            return rb"([%b])" % re.escape(numbers), Values(zip((None, *(bytes([n]) for n in numbers)), (None, *symbols), strict=True))
    raise NotImplementedError(f"no regular form for Avro type {field['type']}")
