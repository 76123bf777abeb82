"""The wire of ``quarantaine``: a refused record with its reason and place, and the markers that say what became of it."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.reasons import Reason
from schemas.values import Place

QUARANTAINE: Final = "quarantaine"
RETRY_OF: Final = "opnieuw_van"  # header on the copy that a retry writes: the place of the record that was refused
# Bytes of a value and a key that are held. Only a bron that compresses can send more; together they stay below the max.message.bytes of
# quarantaine, whatever they are made of.
MAX_VALUE: Final = 7_000_000
MAX_KEY: Final = 1_200_000

Headers = list[tuple[str, bytes]]


class Refused(NamedTuple):
    """A record that was not taken; the key and the value in quarantine are its own."""

    reason: str
    place: Place
    whole: int | None = None  # bytes of the value as it came, when key or value is cut


class Retried(NamedTuple):
    """A marker: the record at offset ``number`` of quarantaine was written again, at ``place``."""

    number: int
    place: Place


class Closed(NamedTuple):
    """A marker: the record at offset ``number`` of quarantaine needs no retry, and why."""

    number: int
    why: str


def refused_row(key: bytes | None, value: bytes | None, reason: Reason, place: Place) -> tuple[bytes | None, bytes | None, Headers]:
    """A record in quarantine: key and value as they came, unless they are too large to be held; then they are cut, and a header says so."""
    headers = [("reden", reason.encode()), *_place_headers(place)]
    if len(value or b"") <= MAX_VALUE and len(key or b"") <= MAX_KEY:
        return key, value, headers
    headers.append(("omvang", b"%d" % len(value or b"")))
    return key and key[:MAX_KEY], value and value[:MAX_VALUE], headers


def retried_headers(number: int, place: Place) -> Headers:
    """Headers of the marker; its key is that of the record, it has no value."""
    return [("opnieuw", b"%d" % number), *_place_headers(place)]


def closed_headers(number: int, why: str) -> Headers:
    """Headers of the marker; its key is that of the record, it has no value."""
    return [("gesloten", b"%d" % number), ("toelichting", why.encode())]


def read_headers(headers: Iterable[tuple[str, bytes]]) -> Refused | Retried | Closed | None:
    """What a record of quarantaine is; None when neither the engine nor an operator's command wrote it."""
    found = dict(headers)
    try:
        if "gesloten" in found:
            return Closed(int(found["gesloten"]), found["toelichting"].decode())
        place = Place(found["topic"].decode(), int(found["partition"]), int(found["offset"]))
        if "opnieuw" in found:
            return Retried(int(found["opnieuw"]), place)
        return Refused(found["reden"].decode(), place, int(found["omvang"]) if "omvang" in found else None)
    except (KeyError, ValueError):
        return None


def _place_headers(place: Place) -> Headers:
    return [("topic", place.topic.encode()), ("partition", b"%d" % place.partition), ("offset", b"%d" % place.offset)]
