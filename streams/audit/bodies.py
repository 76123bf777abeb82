"""Many Avro bodies at once: joined into one block of an object container, so that a native reader makes columns of them.

Each body is preceded by its number: a body that is longer or shorter than its schema says would shift all that comes after it, and then the
numbers do not run on. They begin with one that follows from all bodies together, so that none of them can hold what would be the next.
"""

import io
import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

import polars as pl

_SYNC: Final = b"samenloop.bodies"
_NUMBER: Final = "number"
_DIGEST: Final = 7  # bytes: a number that Avro has room for, and many behind it


class UnreadableError(Exception):
    """Not all of the bodies are what their schema says."""


def columns_of(definition: Mapping[str, Any], bodies: Sequence[bytes]) -> pl.DataFrame:
    """The fields of ``bodies``, a row each; enums as the number of their symbol, days and times as numbers. Raises UnreadableError."""
    if not bodies:
        return pl.DataFrame()
    schema = {
        "type": "record",
        "name": "Numbered",
        "fields": [{"name": _NUMBER, "type": "long"}, {"name": "body", "type": _plain(definition)}],
    }
    more = [*bodies, bodies[0]]  # or the last would have no number after it
    first = _first_number(bodies)
    parts = [part for n, body in enumerate(more, first) for part in (_varint(n), body)]
    block = b"".join(parts)
    source = b"".join((_header(schema), _varint(len(more)), _varint(len(block)), block, _SYNC))
    try:
        found = pl.read_avro(io.BytesIO(source))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, OverflowError, MemoryError) as e:
        raise UnreadableError from e
    numbers = found.get_column(_NUMBER)
    if not (numbers == pl.arange(first, first + len(more), eager=True)).all():
        raise UnreadableError
    return found.head(len(bodies)).select(pl.col("body").struct.unnest())


def _first_number(bodies: Sequence[bytes]) -> int:
    digest = blake2b(digest_size=_DIGEST)
    for body in bodies:
        digest.update(b"%d " % len(body))
        digest.update(body)
    return int.from_bytes(digest.digest(), "big")


def _plain(definition: Any) -> Any:  # noqa: ANN401 - Avro schemas are plain JSON
    """The same bytes under a schema that the reader knows: an enum is written as an int, a day and a moment as numbers."""
    if isinstance(definition, Mapping):
        if definition.get("type") == "enum":
            return "int"
        return {k: _plain(v) for k, v in definition.items() if k in {"type", "name", "fields"}}
    return [_plain(x) for x in definition] if isinstance(definition, list) else definition


def _header(schema: Mapping[str, Any]) -> bytes:
    """The beginning of an Avro object container file without compression."""
    text = json.dumps(schema).encode()
    entries = b"".join(_varint(len(part)) + part for part in (b"avro.schema", text, b"avro.codec", b"null"))
    return b"Obj\x01" + _varint(2) + entries + b"\x00" + _SYNC


def _varint(number: int) -> bytes:
    rest, out = number << 1, bytearray()
    while rest > 127:
        out.append(rest & 127 | 128)
        rest >>= 7
    out.append(rest)
    return bytes(out)
