"""One record in quarantine as an operator may see it: what it is at once, what is in it only when asked for."""

import json
from dataclasses import dataclass
from typing import Any, Final

from connectors.ontvangers.topic_reader import read_places
from samenloop.called import called
from samenloop.errors import NotDoneError
from samenloop.quarantine import FRAMING, Held, is_same, judge_of, read_quarantine, schema_id_of, text_of
from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError
from schemas.quarantine import QUARANTAINE
from schemas.values import PERSOON, Place
from streams.core.messages import iso_time

_HEX_LINE: Final = 16  # bytes
# Headers that speak of the event and its maker; all others may speak of the persoon.
_PLAIN: Final = frozenset({"ce_specversion", "ce_source", "ce_type", "ce_time", "ce_dataschema", "content-type", "opnieuw_van"})


@dataclass(frozen=True)
class Content:
    """What stands in a record: it is about a persoon, or may be."""

    key: bytes | None
    value: bytes | None
    decoded: dict[str, Any] | None  # None where the present catalogue cannot read it


@dataclass(frozen=True)
class Shown:
    """A record in quarantine with what can be said of it."""

    held: Held
    key: str  # what kind of key it is
    framing: tuple[tuple[str, str], ...]  # (bytes in hex, what they are)
    headers: tuple[tuple[str, str | None], ...] | None  # None: its topic no longer has the record; a value of None: not shown
    content: Content | None  # None: not asked for

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        told: dict[str, Any] = {**self.held.as_json(), "reason_text": text_of(self.held.reason), "key": self.key}
        told["framing"] = [{"hex": part, "is": what} for part, what in self.framing]
        told["headers"] = None if self.headers is None else dict(self.headers)
        if self.content is not None:
            c = self.content
            told["content"] = {
                "key_hex": None if c.key is None else c.key.hex(),
                "value_hex": None if c.value is None else c.value.hex(),
                "decoded": c.decoded,
            }
        return told


async def show(brokers: str, catalogue: Catalogue, toepassing: str, number: int, *, content: bool) -> Shown:
    """Look at record ``number``; raises NotDoneError when there is none."""
    held = (await read_quarantine(brokers, judge_of(catalogue, toepassing))).one(number)
    here = Place(QUARANTAINE, 0, number)
    found = await read_places(brokers, [here, held.place])
    record, source = found.get(here), found.get(held.place)
    if record is None:
        raise NotDoneError(f"record {number} has just left quarantine")
    codec = Codec(catalogue)
    original = source if source is not None and is_same(source, record) else None
    headers = (
        None
        if original is None
        else tuple((n, v.decode(errors="replace") if content or n in _PLAIN else None) for n, v in original.headers)
    )
    inside = Content(record.key, record.value, _decoded(codec, record.value)) if content else None
    return Shown(held, _key(record.key), tuple(_framing(catalogue, record.value)), headers, inside)


def _key(key: bytes | None) -> str:
    if key is None:
        return "none"
    return "a pseudonym" if PERSOON.fullmatch(key) else f"not a pseudonym, {len(key)} bytes"


def _framing(catalogue: Catalogue, value: bytes | None) -> list[tuple[str, str]]:
    if not value:
        return [("", "no value at all" if value is None else "a value of no bytes")]
    if value[0] != 0:
        return [(value[:1].hex(), "not the zero byte that the framing begins with"), ("", f"{len(value) - 1} more bytes")]
    found = [("00", "the zero byte of the framing")]
    schema_id = schema_id_of(value)
    if schema_id is None:
        return [*found, (value[1:].hex(" "), f"{len(value) - 1} of the 4 bytes of a schema id")]
    schema = catalogue.schemas.get(schema_id)
    what = "which the catalogue does not have" if schema is None else schema.bestand.removesuffix(".avsc")
    return [*found, (value[1:FRAMING].hex(" "), f"schema id {schema_id}, {what}"), ("", f"{len(value) - FRAMING} bytes of Avro")]


def _decoded(codec: Codec, value: bytes | None) -> dict[str, Any] | None:
    try:
        return codec.decode(value)
    except WireError:
        return None


def shown_text(s: Shown) -> str:
    """For people."""
    h = s.held
    lines = [
        f"Record {h.number} in quarantine: {h.state}",
        "",
        f"Reason     {h.reason}: {text_of(h.reason)}",
        f"Came from  {h.place}",
        f"Refused    {iso_time(h.time)}" + ("" if h.retry_of is None else f", as the retry of record {h.retry_of}"),
        f"Key        {s.key}",
        f"Value      {h.size} bytes" + (", of which quarantine holds only the beginning" if h.cut else ""),
        *(f"           {part:<12} {what}" for part, what in s.framing),
        *_headers(s),
        f"Now        {_now(h)}",
    ]
    return "\n".join(lines + ([] if s.content is None else _content(s.content)))


def _headers(s: Shown) -> list[str]:
    if s.headers is None:
        return ["Headers    none to show: its topic no longer has the record"]
    if not s.headers:
        return ["Headers    none"]
    lines = [f"{name} = {'(with --content)' if value is None else value}" for name, value in s.headers]
    return [f"Headers    {lines[0]}", *(f"           {line}" for line in lines[1:])]


def _now(h: Held) -> str:
    if h.refused_now is not None:
        return f"the present catalogue would refuse it: {h.refused_now}: {text_of(h.refused_now)}"
    return "the present catalogue would take it" + (f": {called()} quarantine retry {h.number}" if h.is_open else "")


def _content(c: Content) -> list[str]:
    key = "none" if c.key is None else c.key.decode() if PERSOON.fullmatch(c.key) else f"{c.key.hex()} (hex)"
    lines = ["", f"Key: {key}", "", "Value in hex"]
    value = c.value or b""
    lines += [f"  {i:08x}  {value[i : i + _HEX_LINE].hex(' ')}" for i in range(0, len(value), _HEX_LINE)] or ["  none"]
    if c.decoded is None:
        return [*lines, "", "The present catalogue cannot decode it."]
    return [
        *lines,
        "",
        "Value decoded",
        *(f"  {line}" for line in json.dumps(c.decoded, default=str, ensure_ascii=False, indent=2).splitlines()),
    ]
