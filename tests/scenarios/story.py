"""Stories: what bronnen deliver, in order, and what each gemeente is told of it. Told in YAML, run on the pure core or on a real node.

A step is a delivery and what follows from it:

    - uwv.inkomstenverhouding ikv-1 v1: {begindatum: 2026-02-01, einddatum: 2026-04-30}
      gm0363: NIEUW 2026-02-01 t/m 2026-04-30
      vraagt: {uwv: 2026-01-01}

    - klok: 2026-05-01
      gm0363: VERVALLEN

    - klok: 2026-03-04
      gm0363: NIEUW 2025-03-01 t/m 2026-02-28 (uwv.inkomstenopgave 2, svb.pensioen)

An informatiepakket names what is in it, by soort and in the order of days; ``niets`` is an answer too.

Fields that a story does not care about get a value that never changes. ``null`` withdraws the record. A gemeente that is not named is told
nothing in that step, and ``vraagt`` names every volgverzoek that goes out (null ends the following); ``alle`` are the bronnen of the
diensten for which the delivery is a ground. A step ``klok`` is a tick. ``geregistreerd`` is the day on which the bron registered what it
delivers, where that matters.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from schemas.catalogue import Catalogue

FOLDER = Path(__file__).parent
BSN = "999990019"
KLOK = "klok"
ALWAYS: dict[str, dict[str, Any]] = {
    "gemeente.bijstand": {"einddatum": None, "houder": "gm0363", "kenmerk": "PW-1", "wet": "PARTICIPATIEWET"},
    "uwv.inkomstenverhouding": {
        "einddatum": None,
        "loonheffingennummer": "123456789L01",
        "ikv_nummer": 1,
        "soort_inkomstenverhouding": "15",
    },
    "uwv.inkomstenopgave": {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": 100_000},
    "uwv.uitkering": {"einddatum": None, "regeling": "WW"},
    "svb.pensioen": {"einddatum": None, "regeling": "AOW"},
    "duo.hogeronderwijs": {"einddatum": None, "onderwijsvorm": "VOLTIJD"},
    "rdw.voertuig": {"einddatum": None, "kenteken": "X999XX", "voertuigsoort": "PERSONENAUTO", "bouwjaar": 2019},
    "belastingdienst.vermogen": {"einddatum": None, "vermogenssoort": "BANKTEGOED", "bedrag": 900_000},
    "dji.detentie": {"einddatum": None},
    "svb.aio": {"einddatum": None, "houder": "svb", "kenmerk": "AIO-1"},
    "gemeente.jongere": {"einddatum": None, "houder": "gm0363", "kenmerk": "RMC-1", "geboortedatum": "2001-05-17"},
    "gemeente.terugvordering": {"einddatum": None, "houder": "gm0363", "kenmerk": "TV-1", "drempelbedrag": 120_000},
    "gemeente.regelingaanvraag": {"einddatum": None, "houder": "gm0363", "kenmerk": "IIT-1"},
    "gemeente.voorzieningaanvraag": {"einddatum": None, "houder": "gm0363", "kenmerk": "WMO-1"},
    "invorderaar.beslagverzoek": {"einddatum": None, "houder": "ws0013", "kenmerk": "BVV-1"},
    "invorderaar.kwijtscheldingsaanvraag": {"einddatum": None, "houder": "ws0013", "kenmerk": "KW-1", "peildatum": "2026-01-01"},
    "rvig.huishouden": {"einddatum": None, "leefvorm": "ALLEENSTAAND", "aantal_personen": 1, "aantal_kinderen": 0},
    "gemeente.opgegeveninkomen": {"einddatum": None, "houder": "gm0363", "loonheffingennummer": "123456789L01", "maandbedrag": None},
    "rvig.overlijden": {"einddatum": None},
    "rmc.overstap": {"einddatum": None, "houder": "rmc21", "kenmerk": "DP-1", "geboortedatum": "2009-03-02"},
    "duo.inschrijving": {"einddatum": None, "onderwijssoort": "MBO_BOL"},
    "duo.startkwalificatie": {"einddatum": None},
    "duo.studiefinanciering": {"einddatum": None, "regeling": "WSF_2000", "onderwijssoort": "HBO"},
}


@dataclass(frozen=True)
class Step:
    """One delivery, or a tick, and what must follow from it, and nothing else."""

    soort: str  # or KLOK
    line: dict[str, Any]
    told: dict[str, list[str]]  # ontvanger → what it is told, in order
    asked: dict[str, str | None]  # bron → first day, None when the following ends
    kept: bool


@dataclass(frozen=True)
class Story:
    """A title and its steps."""

    title: str
    steps: list[Step]
    file: str = field(compare=False)

    @property
    def has_klok(self) -> bool:
        """Whether time passes in it."""
        return any(s.soort == KLOK for s in self.steps)


def stories() -> list[Story]:
    """All stories beside this file."""
    return [_story(path.name, told) for path in sorted(FOLDER.glob("*.yaml")) for told in yaml.safe_load(path.read_text())]


def _story(file: str, told: dict[str, Any]) -> Story:
    return Story(told["verhaal"], [_step(number, step) for number, step in enumerate(told["stappen"], 1)], file)


def _step(number: int, step: dict[str, Any]) -> Step:
    (head, feit), *rest = step.items()
    expected = dict(rest)
    soort = head.split()[0]
    asked = {b: None if day is None else str(day) for bron, day in expected.pop("vraagt", {}).items() for b in _bronnen(bron, soort)}
    kept = expected.pop("bewaard", True)
    registered = expected.pop("geregistreerd", "2026-06-01")
    told = {o: said if isinstance(said, list) else [said] for o, said in expected.items()}
    return Step(soort, {"datum": feit} if head == KLOK else _line(number, head, feit, registered), told, asked, kept)


def _line(number: int, head: str, feit: dict[str, Any] | None, registered: object) -> dict[str, Any]:
    soort, record_id, versie = head.split()
    return {
        "bsn": BSN,
        "record_id": record_id,
        "versie": int(versie.removeprefix("v")),
        "registratietijd": f"{registered}T09:{number:02d}:00Z",
        "feit": None if feit is None else _plain({**ALWAYS[soort], **feit}),
    }


@cache
def _bronnen(named: str, soort: str) -> tuple[str, ...]:
    """The bronnen that a story names."""
    if named != "alle":
        return (named,)
    catalogue = Catalogue.load()
    asked = (s for d in catalogue.diensten.values() if d.basisfeit.soort == soort for s in d.gevraagd)
    return tuple({b.id for b in map(catalogue.bron_of, asked) if not b.filtert_zelf})


def _plain(feit: dict[str, Any]) -> dict[str, Any]:
    return {k: v.isoformat() if isinstance(v, date) else v for k, v in feit.items()}


def said(signaal: dict[str, Any]) -> str:
    """A signaal as the stories write it; with the kenmerk or a field where the story is about that."""
    if signaal["begindatum"] is None:
        return str(signaal["soort"])
    end = signaal["einddatum"]
    days = f"{signaal['begindatum']} t/m {end}" if end else f"vanaf {signaal['begindatum']}"
    return f"{signaal['soort']} {days}{_held(signaal)}"


def _held(signaal: dict[str, Any]) -> str:
    if signaal["regel"]["patroon"] != "informatiepakket":
        return ""
    soorten = Counter(part["soort"] for part in signaal["gegevens"])
    return f" ({', '.join(soort if n == 1 else f'{soort} {n}' for soort, n in soorten.items()) or 'niets'})"
