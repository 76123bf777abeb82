"""One JSON line of a bron to a mutatie on the wire: checked against the schema, pseudonymised, encoded."""

import json
import re
from collections.abc import Callable, KeysView, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec

from connectors.bronnen.bsn import normal_bsn
from connectors.bronnen.pseudonym import Pseudonymiser
from connectors.bronnen.rejections import RejectedError, RejectionCode
from schemas.catalogue import Catalogue, Schema, feit_fields
from schemas.cloudevents import Headers, mutatie_headers, source_of
from schemas.codec import MAX_DAY, MIN_DAY, Codec

MAX_LINE: Final = 65_536  # bytes; the NL GOV profile's limit of a message
_DAY_MS: Final = 86_400_000
_EPOCH: Final = date(1970, 1, 1).toordinal()
_UNKNOWN_DATE: Final = re.compile(r"(0000-?\d\d-?\d\d|\d{4}-?00-?\d\d|\d{4}-?\d\d-?00)")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_SEPARATOR: Final = re.compile(r"[ .-]")
_SHORTEST_BSN: Final = 10_000_000  # smaller numbers are amounts, hours and days
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

_ENVELOPE: Final = dict.fromkeys(("bsn", "record_id", "versie", "registratietijd", "feit")).keys()

Check = Callable[[Any, str], Any]


class Published(NamedTuple):
    """A mutatie ready for the wire."""

    persoon: str
    record_id: str
    versie: int
    value: bytes
    headers: Headers
    reach: int  # last day of the feit, in days since 1970-01-01; MAX_DAY while it lasts, before MIN_DAY when withdrawn


class LineReader:
    """Reads the lines of one soort."""

    def __init__(self, catalogue: Catalogue, soort: str, pseudonymiser: Pseudonymiser) -> None:
        topic = catalogue.mutatie_topics[soort]
        self.topic = topic.topic
        self._soort = soort
        self._schema = catalogue.latest_schema(topic.topic)
        self._codec = Codec(catalogue)
        self._pseudonymiser = pseudonymiser
        self._source = source_of(catalogue.bron_of(soort), soort.replace(".", "-"))
        self._houders = frozenset(catalogue.ontvangers)
        fields = feit_fields(self._schema)
        self._names = fields.keys()
        self._checks = [(n, f"feit.{n}", _check_of(field["type"], field.get("patroon"))) for n, field in fields.items()]
        self._record = _record_name(self._schema)
        self._free = [n for n, field in fields.items() if _may_hold_a_bsn(field["type"])]
        self._defaults = {n: field["default"] for n, field in fields.items() if "default" in field}

    def read(self, line: bytes) -> Published:
        """The mutatie that ``line`` states; raises RejectedError."""
        if len(line) > MAX_LINE:
            raise RejectedError(RejectionCode.REGEL_TE_LANG)
        bsn, record_id, versie, registratietijd, feit = self._fields(_parse(line))
        persoon = self._pseudonymiser.persoon(bsn)
        milliseconds, text = registratietijd
        branch = None if feit is None else (self._record, feit)  # named, so that fastavro need not try the union's branches
        value = {"record_id": record_id, "versie": versie, "registratietijd": milliseconds, "feit": branch}
        headers = mutatie_headers(
            self._soort, persoon, record_id, versie, text, self._source, self._schema.bestand, ingetrokken=feit is None
        )
        return Published(persoon, record_id, versie, self._codec.encode(self._schema.id, value), headers, _reach(feit))

    def _fields(self, line: dict[str, Any]) -> tuple[str, str, int, tuple[int, str], dict[str, Any] | None]:
        _same_names(line, _ENVELOPE, {}, "")
        bsn = _bsn(line["bsn"], "bsn")
        record_id = _record_id(line["record_id"], "record_id")
        versie = _versie(line["versie"], "versie")
        time = _time(line["registratietijd"], "registratietijd")
        feit = line["feit"]
        if feit is not None:
            feit = self._feit(feit, bsn)
        if _holds(record_id, bsn):
            raise RejectedError(RejectionCode.BSN_IN_VELD, "record_id")
        return bsn, record_id, versie, time, feit

    def _feit(self, feit: Any, bsn: str) -> dict[str, Any]:  # noqa: ANN401 - JSON
        if not isinstance(feit, dict):
            raise RejectedError(RejectionCode.VELD_TYPE, "feit")
        if _same_names(feit, self._names, self._defaults, "feit."):
            feit = {**self._defaults, **feit}
        checked = {name: check(feit[name], path) for name, path, check in self._checks}
        if checked["einddatum"] is not None and checked["einddatum"] < checked["begindatum"]:
            raise RejectedError(RejectionCode.EINDDATUM_VOOR_BEGINDATUM, "feit.einddatum")
        if "houder" in checked and checked["houder"] not in self._houders:
            raise RejectedError(RejectionCode.HOUDER_ONBEKEND, "feit.houder")
        for name in self._free:
            if _holds(checked[name], bsn):
                raise RejectedError(RejectionCode.BSN_IN_VELD, f"feit.{name}")
        return checked


def _record_name(schema: Schema) -> str:
    """The full name of the feit inside a mutatie schema."""
    union = next(f["type"] for f in schema.definitie["fields"] if f["name"] == "feit")
    return f"{schema.definitie['namespace']}.{next(t['name'] for t in union if isinstance(t, dict))}"


def _reach(feit: dict[str, Any] | None) -> int:
    if feit is None:
        return MIN_DAY - 1
    return MAX_DAY if feit["einddatum"] is None else int(feit["einddatum"])


def _parse(line: bytes) -> dict[str, Any]:
    try:
        parsed = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        code = RejectionCode.GEEN_JSON if _is_utf8(line) else RejectionCode.GEEN_UTF8
        raise RejectedError(code) from None  # the decoder's own message may show a part of the line
    if not isinstance(parsed, dict):
        raise RejectedError(RejectionCode.GEEN_JSON)
    return parsed


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


_decoder = msgspec.json.Decoder()


def _same_names(given: Mapping[str, Any], known: KeysView[str], defaults: Mapping[str, Any], path: str) -> bool:
    """Whether fields with a default are left out; raises RejectedError for a name too few or too many."""
    if given.keys() == known:
        return False
    for name in known:
        if name not in given and name not in defaults:
            raise RejectedError(RejectionCode.VELD_ONTBREEKT, path + name)
    if given.keys() - known:
        raise RejectedError(RejectionCode.VELD_ONBEKEND, path.rstrip(".") or None)  # the name itself could be personal data
    return True


def _may_hold_a_bsn(avro: Any) -> bool:  # noqa: ANN401
    """Whether values of an Avro type can show nine digits: text and numbers can, dates and the symbols of an enum cannot."""
    if isinstance(avro, list):
        return any(_may_hold_a_bsn(t) for t in avro)
    return avro in {"string", "int", "long"} if isinstance(avro, str) else False


def _holds(value: Any, bsn: str) -> bool:  # noqa: ANN401
    """Whether a value shows the BSN: as text, with or without its leading zero and the usual separators, or as a number."""
    if isinstance(value, str):
        short = bsn.removeprefix("0")
        return len(value) >= 8 and (short in value or short in _SEPARATOR.sub("", value))
    return isinstance(value, int) and value >= _SHORTEST_BSN and value == int(bsn)


def _text(value: Any, path: str) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise RejectedError(RejectionCode.VELD_TYPE, path)
    return value


def _bsn(value: Any, path: str) -> str:  # noqa: ANN401
    bsn = normal_bsn(_text(value, path))
    if bsn is None:
        raise RejectedError(RejectionCode.BSN_ONGELDIG, path)
    return bsn


def _record_id(value: Any, path: str) -> str:  # noqa: ANN401
    text = _text(value, path)
    if not 0 < len(text) <= 100 or not text.isprintable():
        raise RejectedError(RejectionCode.VELD_WAARDE, path)
    return text


def _versie(value: Any, path: str) -> int:  # noqa: ANN401
    number = int(_int32(value, path))
    if number < 1:
        raise RejectedError(RejectionCode.VELD_WAARDE, path)
    return number


def _integer(bits: int) -> Check:
    limit = 1 << (bits - 1)

    def check(value: Any, path: str) -> int:  # noqa: ANN401
        if type(value) is not int:
            raise RejectedError(RejectionCode.VELD_TYPE, path)
        if not -limit <= value < limit:
            raise RejectedError(RejectionCode.VELD_WAARDE, path)
        return value

    return check


_int32, _int64 = _integer(32), _integer(64)


def _time(value: Any, path: str) -> tuple[int, str]:  # noqa: ANN401
    """Milliseconds since the epoch, and the same moment as RFC 3339 in UTC."""
    text = _text(value, path)
    try:
        milliseconds = round(datetime.fromisoformat(text).timestamp() * 1000) if _TIME.fullmatch(text) else None
    except (ValueError, OverflowError):
        milliseconds = None
    if milliseconds is None:
        raise RejectedError(RejectionCode.TIJD_ONGELDIG, path)
    if not MIN_DAY <= milliseconds // _DAY_MS <= MAX_DAY:
        raise RejectedError(RejectionCode.DATUM_BUITEN_BEREIK, path)
    return milliseconds, _utc(milliseconds)


def _utc(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    day, second = divmod(seconds, 86_400)
    return f"{_iso(day)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{rest:03d}Z"


@lru_cache(maxsize=4096)
def _iso(day: int) -> str:
    return date.fromordinal(_EPOCH + day).isoformat()


@lru_cache(maxsize=65_536)
def _day(text: str) -> int | RejectionCode:
    if _UNKNOWN_DATE.fullmatch(text):
        return RejectionCode.DATUM_ONBEKEND
    if not _DATE.fullmatch(text):
        return RejectionCode.DATUM_ONGELDIG
    try:
        day = date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError:
        return RejectionCode.DATUM_ONGELDIG
    return day if MIN_DAY <= day <= MAX_DAY else RejectionCode.DATUM_BUITEN_BEREIK


def _date(value: Any, path: str) -> int:  # noqa: ANN401
    day = _day(_text(value, path))
    if isinstance(day, RejectionCode):
        raise RejectedError(day, path)
    return day


def _string(pattern: str | None) -> Check:
    allowed = re.compile(pattern).fullmatch if pattern else None

    def check(value: Any, path: str) -> str:  # noqa: ANN401
        text = _text(value, path)
        if allowed is not None and not allowed(text):
            raise RejectedError(RejectionCode.VELD_WAARDE, path)
        return text

    return check


def _symbol(symbols: list[str]) -> Check:
    allowed = frozenset(symbols)

    def check(value: Any, path: str) -> str:  # noqa: ANN401
        if _text(value, path) not in allowed:
            raise RejectedError(RejectionCode.VELD_WAARDE, path)
        return str(value)

    return check


def _or_null(check: Check) -> Check:
    return lambda value, path: None if value is None else check(value, path)


def _check_of(avro: Any, pattern: str | None) -> Check:  # noqa: ANN401 - an Avro type is JSON
    match avro:
        case ["null", inner]:
            return _or_null(_check_of(inner, pattern))
        case "string":
            return _string(pattern)
        case "int":
            return _int32
        case "long":
            return _int64
        case {"type": "enum", "symbols": symbols}:
            return _symbol(symbols)
        case {"type": "int", "logicalType": "date"}:
            return _date
        case _:
            raise NotImplementedError(f"no check for Avro type {json.dumps(avro)}")
