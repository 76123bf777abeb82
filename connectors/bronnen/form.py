"""The form that nearly all lines of a soort have: checked by msgspec as it reads, and made into Avro of bytes that come again and again.

A form only takes what checks.py takes too, with the same bytes; whatever does not fit is left to that, which alone says why a line is
refused.
"""

from collections.abc import Callable, Mapping
from operator import getitem
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec.structs import astuple

from connectors.bronnen.checks import day_of
from schemas.catalogue import Schema, feit_fields
from schemas.codec import INTS, MAX_DAY, MIN_DAY, VERSIES
from schemas.shape import LONGS, OddError, Values

_ENVELOPE: Final = (
    ("bsn", str),
    ("record_id", Annotated[str, msgspec.Meta(min_length=1, max_length=100)]),
    ("versie", Annotated[int, msgspec.Meta(ge=VERSIES[0], le=VERSIES[1])]),
    ("registratietijd", str),
)


class Taken(NamedTuple):
    """A line of the form."""

    bsn: str
    record_id: str
    versie: int
    registratietijd: str
    body: bytes  # Avro of the feit, with the branch of its union
    reach: int  # last day of the feit, in days since 1970-01-01; MAX_DAY while it lasts, before MIN_DAY when withdrawn


class Form:
    """Reads the usual lines of one schema."""

    def __init__(self, schema: Schema, houders: frozenset[str]) -> None:
        fields = feit_fields(schema)
        feit = msgspec.defstruct("Feit", [_member(n, f) for n, f in fields.items()], forbid_unknown_fields=True, gc=False, kw_only=True)
        line = msgspec.defstruct("Line", [*_ENVELOPE, ("feit", feit | None)], forbid_unknown_fields=True, gc=False)
        self._decode = msgspec.json.Decoder(line).decode
        self._encoded = [_encoded(f["type"]) for f in fields.values()]
        names = list(fields)
        self._begin, self._end = names.index("begindatum"), names.index("einddatum")
        self._houder = names.index("houder") if "houder" in fields else None
        self._houders = houders

    def read(self, line: bytes) -> Taken | None:
        """What a line states; None when it is not of the form, or one of its days is none."""
        try:
            bsn, record_id, versie, registratietijd, feit = astuple(self._decode(line))
            body, reach = _WITHDRAWN if feit is None else self._feit(astuple(feit))
        except (msgspec.MsgspecError, UnicodeError, RecursionError, OddError):
            return None
        return Taken(bsn, record_id, versie, registratietijd, body, reach)

    def _feit(self, values: tuple[Any, ...]) -> tuple[bytes, int]:
        body = b"\x02" + b"".join(map(getitem, self._encoded, values))
        begin, end = values[self._begin], values[self._end]
        if end is not None and end < begin:  # ISO 8601: texts of days stand in the order of the days
            raise OddError
        if self._houder is not None and values[self._houder] not in self._houders:
            raise OddError
        return body, MAX_DAY if end is None else day_of(end)  # type: ignore[return-value]  # it was encoded


_WITHDRAWN: Final = (b"\x00", MIN_DAY - 1)


def _member(name: str, field: Mapping[str, Any]) -> tuple[Any, ...]:
    type_ = _json_type(field["type"], field.get("patroon"))
    return (name, type_, field["default"]) if "default" in field else (name, type_)


def _json_type(avro: Any, pattern: str | None) -> Any:  # noqa: ANN401 - an Avro type is JSON
    match avro:
        case ["null", inner]:
            return _json_type(inner, pattern) | None
        case "string" if pattern:
            return Annotated[str, msgspec.Meta(pattern=rf"\A(?:{pattern})\Z")]
        case "int":
            return Annotated[int, msgspec.Meta(ge=INTS[0], le=INTS[1])]
        case "long":
            return Annotated[int, msgspec.Meta(ge=LONGS[0], le=LONGS[1])]
        case {"type": "enum", "symbols": symbols}:
            return Literal[tuple(symbols)]
    return str


class _Encoded(Values):
    """Values of a field → their Avro."""

    def __init__(self, encode: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._encode = encode

    def __missing__(self, value: Any) -> bytes:  # noqa: ANN401 - a field's
        data = self._encode(value)
        self.remember(value, data)
        return data


def _encoded(avro: Any) -> _Encoded:  # noqa: ANN401
    match avro:
        case ["null", inner]:
            encode = _encoder(inner)
            return _Encoded(lambda value: b"\x00" if value is None else b"\x02" + encode(value))
    return _Encoded(_encoder(avro))


def _encoder(avro: Any) -> Callable[[Any], bytes]:  # noqa: ANN401
    match avro:
        case "string":
            return text
        case "int" | "long":
            return _number
        case {"type": "enum", "symbols": symbols}:
            return lambda symbol: _number(symbols.index(symbol))
    return _day


def _day(value: str) -> bytes:
    day = day_of(value)
    if not isinstance(day, int):
        raise OddError
    return _number(day)


def text(value: str) -> bytes:
    """Avro of a string."""
    data = value.encode()
    return b"%b%b" % (number[len(data)], data)


def _number(value: int) -> bytes:
    """A zigzag varint."""
    rest, data = value << 1 ^ value >> 63, bytearray()
    while rest > 127:
        data.append(rest & 127 | 128)
        rest >>= 7
    data.append(rest)
    return bytes(data)


number: Final = _Encoded(_number)
"""Avro of an int or a long."""
