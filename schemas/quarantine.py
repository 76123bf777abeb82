"""The wire of ``quarantaine``: a refused record with its reason and place, and the marker that says where a retry put it again."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from schemas.reasons import Reason
from schemas.values import Place

QUARANTAINE: Final = "quarantaine"
RETRY_OF: Final = "opnieuw_van"  # header on the copy that a retry writes: the place of the record that was refused
MAX_HELD: Final = 8_000_000  # bytes of a key or value that are held; with it a record stays below the topic's max.message.bytes

Headers = list[tuple[str, bytes]]


class Refused(NamedTuple):
    """A record that was not taken: its key and value are those of the record, as they came."""

    reason: str
    place: Place


class Retried(NamedTuple):
    """A marker: the record at offset ``number`` of quarantaine was written again, at ``place``."""

    number: int
    place: Place


def refused_headers(reason: Reason, place: Place) -> Headers:
    """Headers of a record in quarantine."""
    return [("reden", reason.encode()), *_place_headers(place)]


def retried_headers(number: int, place: Place) -> Headers:
    """Headers of the marker; its key is that of the record, it has no value."""
    return [("opnieuw", b"%d" % number), *_place_headers(place)]


def read_headers(headers: Iterable[tuple[str, bytes]]) -> Refused | Retried | None:
    """What a record of quarantaine is; None when neither the engine nor a retry wrote it."""
    found = dict(headers)
    try:
        place = Place(found["topic"].decode(), int(found["partition"]), int(found["offset"]))
        return Refused(found["reden"].decode(), place) if "reden" in found else Retried(int(found["opnieuw"]), place)
    except (KeyError, ValueError):
        return None


def _place_headers(place: Place) -> Headers:
    return [("topic", place.topic.encode()), ("partition", b"%d" % place.partition), ("offset", b"%d" % place.offset)]
