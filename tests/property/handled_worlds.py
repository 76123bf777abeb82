"""Small worlds in which facts come and go and come again, and ontvangers report; two families of rules at once."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, uuid5

from hypothesis import strategies as st

from schemas.codec import decode_signaal
from schemas.values import Afhandeling, ElkSignaal
from streams.effects import Effects
from streams.encoded import rows_in
from tests.property.kerns import Both, Delivered, catalogue_with, codec_of

PERSOON = b"P" * 52
AFHANDELINGEN, KLOK = "afhandelingen", "klok"
FIRST = 20_000
_BIJSTAND = {"begindatum": FIRST, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
_OPGAVE = {
    "begindatum": FIRST, "einddatum": FIRST + 30, "loonheffingennummer": "001234567L01", "ikv_nummer": 1, "tijdvak": "MAAND",
    "loon_sv": 1, "verloonde_uren": None,
}  # fmt: skip
_JONGERE = {"begindatum": FIRST, "einddatum": None, "houder": "gm0363", "kenmerk": "J-1", "geboortedatum": FIRST - 9_000}
_INSCHRIJVING = {"begindatum": FIRST, "einddatum": FIRST + 5, "onderwijssoort": "HBO"}
VARIANTS: dict[str, list[dict[str, Any] | None]] = {
    "gemeente.bijstand": [None, _BIJSTAND, _BIJSTAND | {"kenmerk": "B-2"}, _BIJSTAND | {"houder": "gm0599"}],
    "uwv.inkomstenopgave": [None, _OPGAVE, _OPGAVE | {"loon_sv": 2}],
    "gemeente.jongere": [None, _JONGERE, _JONGERE | {"houder": "gm0599"}],
    "duo.inschrijving": [None, _INSCHRIJVING, _INSCHRIJVING | {"einddatum": FIRST + 9}],
}


class Stated(NamedTuple):
    """The next version of the only record of a soort: one of its variants."""

    soort: str
    variant: int


class Tick(NamedTuple):
    """A day begins."""

    day: int


class Report(NamedTuple):
    """An ontvanger is done with a signal: that of so many back among all messages, in that version."""

    back: int


Action = Stated | Tick | Report
stated = st.sampled_from(sorted(VARIANTS)).flatmap(lambda s: st.builds(Stated, st.just(s), st.integers(0, len(VARIANTS[s]) - 1)))
actions = st.lists(stated | stated | st.builds(Tick, st.integers(FIRST, FIRST + 20)) | st.builds(Report, st.integers(0, 3)), max_size=25)


class Course:
    """The deliveries of a world, made as it goes on: a report is about what was said before."""

    def __init__(self) -> None:
        self._versies: dict[str, int] = {}

    def delivered(self, action: Action, said: Sequence[ElkSignaal]) -> Delivered | None:
        """What stands on the log because of an action; None of a report where there was nothing to report on."""
        if isinstance(action, Tick):
            return Delivered(KLOK, None, codec_of(0).encode(catalogue_with(0).latest_schema(KLOK).id, {"datum": action.day}))
        if isinstance(action, Report):
            return handled(said[-1 - action.back % len(said)]) if said else None
        versie = self._versies[action.soort] = self._versies.get(action.soort, 0) + 1
        topic = f"mutaties.{action.soort}"
        name, time = str(uuid5(NAMESPACE_OID, action.soort)), 1_760_000_000_000 + versie
        value = {"record_id": name, "versie": versie, "registratietijd": time, "feit": VARIANTS[action.soort][action.variant]}
        return Delivered(topic, PERSOON, codec_of(0).encode(catalogue_with(0).latest_schema(topic).id, value))


def handled(signaal: ElkSignaal, persoon: bytes = PERSOON) -> Delivered:
    """The report that an ontvanger is done with it."""
    return Delivered(AFHANDELINGEN, persoon, codec_of(0).encode_afhandeling(Afhandeling(signaal.signaal_id, signaal.versie, 0)))


def signals_of(effects: Effects) -> list[ElkSignaal]:
    """What is said, in the order of each topic."""
    found = [rows_in(rows) for (topic, _), rows in sorted(effects.messages.items()) if topic.startswith("signalen.")]
    return [decode_signaal(value) for rows in found for _, value, _ in rows]


def content_of(signaal: ElkSignaal) -> str:
    """What an ontvanger is told, without what explains it."""
    told = (signaal.signaal_id, signaal.kenmerk, signaal.begindatum, signaal.einddatum, json.loads(_encoded(signaal.gegevens)))
    return json.dumps(told, sort_keys=True)


def _encoded(gegevens: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(gegevens)


def live(said: Iterable[ElkSignaal]) -> set[str]:
    """What stands in the end."""
    newest = {s.signaal_id: s for s in said}
    return {content_of(s) for s in newest.values() if s.soort != "VERVALLEN"}


class Told(NamedTuple):
    """What came of a world."""

    said: list[ElkSignaal]
    plain: list[ElkSignaal]  # what would have been said without any report
    done: list[tuple[int, str]]  # of each report about what stood: how much had been said, and what


def told(world: Sequence[Action]) -> Told:
    """Each action a transaction of its own, by both cores."""
    engine, without, course = Both(0), Both(0), Course()
    found = Told([], [], [])
    for action in world:
        delivery = course.delivered(action, found.said)
        if delivery is None:
            continue
        if isinstance(action, Report):
            reported = found.said[-1 - action.back % len(found.said)]
            newest = {s.signaal_id: s for s in found.said}[reported.signaal_id]
            if newest.versie == reported.versie and newest.soort != "VERVALLEN":
                found.done.append((len(found.said), content_of(reported)))
        else:
            found.plain.extend(signals_of(without.take([delivery])))
        found.said.extend(signals_of(engine.take([delivery])))
    return found
