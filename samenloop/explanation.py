"""The explanation of a signaal: the rule, the records and days behind each version, and what caused it. In plain Dutch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import msgspec

from samenloop.cited import Cause, Cited, Opvolgers, Places, cause_of, cited_at, place_of, places_of, soort_of
from samenloop.known import holds_on
from samenloop.quarantine import Held, Quarantine, quarantined_text
from samenloop.rendering import day, days
from samenloop.reproduction import Check
from samenloop.sums import Sums, sums_of
from schemas.catalogue import Catalogue, Dienst, Veld
from schemas.codec import Codec
from schemas.sources import KLOK
from schemas.values import Bronrecord, ElkSignaal, Ketensignaal, Place, Signaal, Waarde
from schemas.verloop import is_verloop

Told = tuple[str, Waarde, Veld | None]  # a field, its value, and what the dienst says of it


@dataclass(frozen=True)
class Explanation:
    """All that is known of one signal."""

    dienst: Dienst
    history: Sequence[ElkSignaal]  # one of each versie, rising
    cited: Mapping[Place, Cited]
    quarantined: Sequence[Held]  # records of the persoon that stand open in quarantine
    check: Check | None = None  # what came of --verify
    day: str | None = None  # about which is asked, ISO 8601
    opvolgers: Opvolgers = field(default_factory=dict)

    @property
    def sums(self) -> Sums | None:
        """What amounts add up to, where the rule adds them up."""
        return sums_of(self.dienst, self.history[-1], self.cited)

    def fields(self) -> Iterator[Told]:
        """What the last version tells: name, value, and the purpose where the dienst lists it as a field of that soort."""
        return (field for _, fields in self.parts() for field in fields)

    def parts(self) -> Iterator[tuple[str, list[Told]]]:
        """The same, part by part; of which feit and days, where there may be several."""
        last = self.history[-1]
        listed = {(f.soort, v.veld): v for f in self.dienst.feiten for v in f.velden}
        if isinstance(last, Signaal):
            yield "", [(name, value, listed.get((last.feit.soort, name))) for name, value in (last.gegevens or {}).items()]
            return
        for part in last.gegevens or ():
            fields = [(name, value, listed.get((part.soort, name))) for name, value in part.velden.items()]
            yield f"{part.soort}, {days(part.begindatum, part.einddatum)}", fields

    def causes(self) -> Iterator[tuple[ElkSignaal, Cause]]:
        """Each version with why it was sent."""
        for before, signaal in pairwise([None, *self.history]):
            if signaal is not None:
                if is_verloop(signaal.oorzaak.topic):
                    yield (
                        signaal,
                        Cause("REGELS_GEWISSELD", f"de regels zijn gewisseld; nu geldt versie {signaal.regel.versie}"),
                    )
                else:
                    houder = self.cited[place_of(signaal.basisfeit)].houder
                    cited = self.cited[place_of(signaal.oorzaak)]
                    yield signaal, cause_of(before, signaal, cited, houder, self.opvolgers, self.dienst)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        last = self.history[-1]
        shown = {p for s in self.history if s.soort != "VERVALLEN" for p in places_of(s) if soort_of(p.topic) not in self.dienst.verzwegen}
        told: dict[str, Any] = {
            "signaal_id": last.signaal_id,
            "geldt": last.soort != "VERVALLEN",
            "dienst": {
                "dienst": self.dienst.dienst,
                "naam": self.dienst.naam,
                "doel": self.dienst.doel,
                "grondslag": list(self.dienst.grondslag),
            },
            "regel": msgspec.to_builtins(last.regel),
            "gedeelde_dagen": {"begindatum": last.begindatum, "einddatum": last.einddatum},
            "velden": [
                {"veld": name, "waarde": value, "doel": v and v.doel, "grondslag": v and v.grondslag} for name, value, v in self.fields()
            ],
            "versies": [msgspec.to_builtins(s) | {"reden": {"code": c.code, "tekst": c.tekst}} for s, c in self.causes()],
            "mutaties": {str(p): c.as_json(with_days=p in shown) for p, c in self.cited.items()},
            "quarantined": [h.as_json() for h in self.quarantined],
        }
        if self.sums is not None:
            told["sommen"] = self.sums.as_json()
        if self.day is not None:
            told["op_dag"] = {"dag": self.day, "geldt": holds_on(last, self.day)}
        return told if self.check is None else told | {"controle": self.check.as_json()}


def explanation_of(
    catalogue: Catalogue, history: Sequence[ElkSignaal], places: Places, quarantine: Quarantine, check: Check | None, about: str | None
) -> Explanation:
    """Put together what the topics and the catalogue say; ``history`` is in the order of the versions."""
    last = history[-1]
    dienst = catalogue.diensten[last.dienst]
    codec = Codec(catalogue)
    wanted = sorted({p for s in history for p in places_of(s)})
    cited = {p: cited_at(codec, p, places.get(p)) for p in wanted}
    personen = {
        places[p].key for p in wanted if p in places and p.topic != KLOK
    }  # one, and its earlier numbers; none when the log has none of these records any more
    open_ = [h for persoon in personen for h in quarantine.open_of(persoon)]
    return Explanation(dienst, history, cited, open_, check, about, catalogue.opvolging)


def explanation_text(e: Explanation) -> str:
    """For people."""
    last = e.history[-1]
    lines = [
        f"Signaal {last.signaal_id}, versie {last.versie}: {last.soort}",
        "",
        f"Dienst      {e.dienst.naam} ({e.dienst.dienst})",
        f"Doel        {e.dienst.doel}",
        f"Grondslag   {'; '.join(e.dienst.grondslag)}",
        f"Regel       {last.regel.patroon}, versie {last.regel.versie}: {_RULES[last.regel.patroon]}",
        f"Ontvanger   {last.ontvanger}",
        f"Kenmerk     {last.kenmerk}",
        "",
        *_now(e, last),
        *([] if e.sums is None else e.sums.lines()),
        *_on_day(e.day, last),
        "",
        "Geschiedenis",
        *(line for s, cause in e.causes() for line in _version(s, cause)),
        *([] if e.check is None else ["", *e.check.lines()]),
        *quarantined_text(e.quarantined),
    ]
    return "\n".join(lines)


_RULES = {
    "samenloop": "een basisfeit en een feit met een gedeelde dag",
    "beeindiging": "wat begonnen was is geëindigd, en binnen de termijn is geen van de feiten begonnen",
    "drempel": "de bedragen van een dag zijn samen per maand hoger dan de drempel van het basisfeit",
    "informatiepakket": "zolang het basisfeit loopt, en na de wachttijd: alle feiten met een dag in de peilperiode",
    "ontbreken": "op de dag van de klok is er een basisfeit, en geen van de feiten",
}


def _now(e: Explanation, last: ElkSignaal) -> list[str]:
    records = [line for r in last.bewijs for line in _record(e, r)]
    if last.soort == "VERVALLEN":
        *_, (_, cause) = e.causes()
        return [f"Dit signaal geldt niet meer: {cause.tekst}.", *records]
    title = "Gedeelde dagen" if isinstance(last, Signaal) else "Dagen"
    lines = [f"{title}: {days(last.begindatum, last.einddatum)}, want", *records, *_in_one(last)]
    lines += ["", "Gegevens in dit signaal, en waarom"]
    for title, fields in e.parts():
        lines += [f"  {title}"] if title else []
        for name, value, veld in fields:
            lines += [
                f"  {name} = {'leeg' if value is None else value}",
                f"    {'volgt uit de records' if veld is None else f'{veld.doel} ({veld.grondslag})'}",
            ]
    return lines if last.gegevens else [*lines, "  geen"]


def _in_one(last: ElkSignaal) -> list[str]:
    """That records count as one."""
    if not isinstance(last, Ketensignaal):
        return []
    more = f", en nog {last.weggelaten} waarvoor geen plaats was" if last.weggelaten else ""
    return [f"  Deze records sluiten op elkaar aan en tellen als {last.feit.record_id}{more}."]


def _on_day(about: str | None, last: ElkSignaal) -> list[str]:
    if about is None:
        return []
    what = "gedeelde dag" if isinstance(last, Signaal) else "dag waarover het gaat"
    return ["", f"Op {day(about)}: {f'ja, een {what}' if holds_on(last, about) else f'nee, geen {what}'}"]


def _record(e: Explanation, r: Bronrecord) -> list[str]:
    place = Place(r.topic, r.partition, r.offset)
    log = "" if e.cited[place].present else " (het log bewaart dit record niet meer)"
    period = "" if r.begindatum is None else f": {days(r.begindatum, r.einddatum)}"
    return [f"  {r.soort} {r.record_id}, versie {r.versie}{period}", f"    bron {r.bron}, {place}{log}"]


def _version(s: ElkSignaal, cause: Cause) -> list[str]:
    period = f", {days(s.begindatum, s.einddatum)}" if s.begindatum else ""
    return [
        f"  {s.versie}. {s.soort}{period}",
        f"     geregistreerd {day(s.registratietijd[:10])}; oorzaak {place_of(s.oorzaak)}: {cause.tekst}",
    ]
