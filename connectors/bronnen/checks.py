"""What a line of a file has to be, by the schema that it is published under: JSON, with the right names, types and forms."""

import json
import re
from collections.abc import Callable, KeysView, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

from connectors.bronnen.rejections import RejectedError, RejectionCode
from schemas.codec import MAX_DAY, MIN_DAY

MAX_LINE: Final = 65_536  # bytes; the NL GOV profile's limit of a message
_DAY_MS: Final = 86_400_000
_EPOCH: Final = date(1970, 1, 1).toordinal()
_UNKNOWN_DATE: Final = re.compile(r"(0000-?\d\d-?\d\d|\d{4}-?00-?\d\d|\d{4}-?\d\d-?00)")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_UTC_LENGTH: Final = len("2026-01-31T09:00:00.000Z")  # of what is RFC 3339 in UTC already
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

Check = Callable[[Any, str], Any]


def parse_line(line: bytes) -> dict[str, Any]:
    """The object that a line holds; raises RejectedError, also for one that is longer than MAX_LINE."""
    if len(line) > MAX_LINE:
        raise RejectedError(RejectionCode.REGEL_TE_LANG)
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


def same_names(given: Mapping[str, Any], known: KeysView[str], defaults: Mapping[str, Any], path: str) -> bool:
    """Whether fields with a default are left out; raises RejectedError for a name too few or too many."""
    if given.keys() == known:
        return False
    for name in known:
        if name not in given and name not in defaults:
            raise RejectedError(RejectionCode.VELD_ONTBREEKT, path + name)
    if given.keys() - known:
        raise RejectedError(RejectionCode.VELD_ONBEKEND, path.rstrip(".") or None)  # the name itself could be personal data
    return True


def text_of(value: Any, path: str) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise RejectedError(RejectionCode.VELD_TYPE, path)
    return value


def versie_of(value: Any, path: str) -> int:  # noqa: ANN401
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


def time_of(value: Any, path: str) -> tuple[int, str]:  # noqa: ANN401
    """Milliseconds since the epoch, and the same moment as RFC 3339 in UTC."""
    moment = moment_of(text_of(value, path))
    if isinstance(moment, RejectionCode):
        raise RejectedError(moment, path)
    return moment


def moment_of(text: str) -> tuple[int, str] | RejectionCode:
    """The moment that a text of RFC 3339 names, as ``time_of`` gives it, or why it names none."""
    try:
        milliseconds = round(datetime.fromisoformat(text).timestamp() * 1000) if _TIME.fullmatch(text) else None
    except (ValueError, OverflowError):
        milliseconds = None
    if milliseconds is None:
        return RejectionCode.TIJD_ONGELDIG
    if not MIN_DAY <= milliseconds // _DAY_MS <= MAX_DAY:
        return RejectionCode.DATUM_BUITEN_BEREIK
    return milliseconds, text if len(text) == _UTC_LENGTH and text.endswith("Z") else utc_time(milliseconds)


def utc_time(milliseconds: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC."""
    seconds, rest = divmod(milliseconds, 1000)
    day, second = divmod(seconds, 86_400)
    return f"{_iso(day)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{rest:03d}Z"


@lru_cache(maxsize=4096)
def _iso(day: int) -> str:
    return date.fromordinal(_EPOCH + day).isoformat()


@lru_cache(maxsize=65_536)
def day_of(text: str) -> int | RejectionCode:
    """The day that a text of the form YYYY-MM-DD names, in days since 1970-01-01, or why it names none."""
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
    day = day_of(text_of(value, path))
    if isinstance(day, RejectionCode):
        raise RejectedError(day, path)
    return day


def _string(pattern: str | None) -> Check:
    allowed = re.compile(pattern).fullmatch if pattern else None

    def check(value: Any, path: str) -> str:  # noqa: ANN401
        text = text_of(value, path)
        if allowed is not None and not allowed(text):
            raise RejectedError(RejectionCode.VELD_WAARDE, path)
        return text

    return check


def _symbol(symbols: list[str]) -> Check:
    allowed = frozenset(symbols)

    def check(value: Any, path: str) -> str:  # noqa: ANN401
        if text_of(value, path) not in allowed:
            raise RejectedError(RejectionCode.VELD_WAARDE, path)
        return str(value)

    return check


def _or_null(check: Check) -> Check:
    return lambda value, path: None if value is None else check(value, path)


def check_of(avro: Any, pattern: str | None) -> Check:  # noqa: ANN401 - an Avro type is JSON
    match avro:
        case ["null", inner]:
            return _or_null(check_of(inner, pattern))
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
