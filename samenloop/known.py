"""What could be known on a moment, by registration time, and what held on a day, by validity."""

from collections.abc import Iterable, Mapping
from typing import Any

from samenloop.cited import Places, places_of
from schemas.codec import Codec, WireError
from schemas.values import ElkSignaal, Place
from streams.core.messages import iso_time


def may_be_known(signalen: Iterable[ElkSignaal], moment: int) -> list[ElkSignaal]:
    """Those whose own cause was registered by ``moment`` (milliseconds since the epoch); what else they cite is still to be looked at."""
    latest = iso_time(moment)
    return [s for s in signalen if s.registratietijd <= latest]


def known(codec: Codec, places: Places, signalen: Iterable[ElkSignaal], moment: int) -> list[ElkSignaal]:
    """Those that cite nothing that was registered after ``moment``; a mutatie that the log no longer has counts as registered before."""
    registered = _registered(codec, places)
    return [s for s in may_be_known(signalen, moment) if all(registered.get(p, moment) <= moment for p in places_of(s))]


def _registered(codec: Codec, places: Mapping[Place, Any]) -> dict[Place, int]:
    found = {}
    for place, record in places.items():
        try:
            found[place] = codec.decode_mutatie(place.topic, record.value).registratietijd
        except (WireError, KeyError):  # what a forged signal cites may be anything
            continue
    return found


def holds_on(signaal: ElkSignaal, day: str) -> bool:
    """Whether the records share ``day`` (ISO 8601); never after VERVALLEN."""
    if signaal.begindatum is None:
        return False
    return signaal.begindatum <= day and (signaal.einddatum is None or day <= signaal.einddatum)
