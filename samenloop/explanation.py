"""The explanation of a signaal: the rule, the records and days behind each version, and what caused it. In plain Dutch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec

from samenloop.cited import Cause, Cited, Places, cause_of, cited_at, place_of, places_of
from samenloop.known import holds_on
from samenloop.quarantine import Held, Quarantine, quarantined_text
from samenloop.rendering import day, days
from samenloop.reproduction import Check
from schemas.catalogue import Catalogue, Dienst, Feitsoort
from schemas.codec import Codec
from schemas.values import Bronrecord, Place, Signaal


@dataclass(frozen=True)
class Explanation:
    """All that is known of one signal."""

    dienst: Dienst
    feitsoort: Feitsoort
    history: Sequence[Signaal]  # one of each versie, rising
    cited: Mapping[Place, Cited]
    quarantined: Sequence[Held]  # records of the persoon that stand open in quarantine
    check: Check | None = None  # what came of --verify
    day: str | None = None  # about which is asked, ISO 8601

    def causes(self) -> Iterator[tuple[Signaal, Cause]]:
        """Each version with why it was sent."""
        for before, signaal in pairwise([None, *self.history]):
            if signaal is not None:
                yield signaal, cause_of(before, signaal, self.cited[place_of(signaal.oorzaak)])

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        last = self.history[-1]
        shown = {p for s in self.history if s.soort != "VERVALLEN" for p in places_of(s)}
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
                {"veld": v.veld, "waarde": (last.gegevens or {}).get(v.veld), "doel": v.doel, "grondslag": v.grondslag}
                for v in self.feitsoort.velden
            ],
            "versies": [msgspec.to_builtins(s) | {"reden": {"code": c.code, "tekst": c.tekst}} for s, c in self.causes()],
            "mutaties": {str(p): c.as_json(with_days=p in shown) for p, c in self.cited.items()},
            "quarantined": [h.as_json() for h in self.quarantined],
        }
        if self.day is not None:
            told["op_dag"] = {"dag": self.day, "geldt": holds_on(last, self.day)}
        return told if self.check is None else told | {"controle": self.check.as_json()}


def explanation_of(
    catalogue: Catalogue, history: Sequence[Signaal], places: Places, quarantine: Quarantine, check: Check | None, about: str | None
) -> Explanation:
    """Put together what the topics and the catalogue say; ``history`` is in the order of the versions."""
    last = history[-1]
    dienst = catalogue.diensten[last.dienst]
    feitsoort = next(f for f in dienst.feiten if f.soort == last.feit.soort)
    codec = Codec(catalogue)
    wanted = sorted({p for s in history for p in places_of(s)})
    cited = {p: cited_at(codec, p, places.get(p)) for p in wanted}
    personen = {places[p].key for p in wanted if p in places}  # one; none when the log has none of these records any more
    return Explanation(dienst, feitsoort, history, cited, [h for persoon in personen for h in quarantine.open_of(persoon)], check, about)


def explanation_text(e: Explanation) -> str:
    """For people."""
    last = e.history[-1]
    lines = [
        f"Signaal {last.signaal_id}, versie {last.versie}: {last.soort}",
        "",
        f"Dienst      {e.dienst.naam} ({e.dienst.dienst})",
        f"Doel        {e.dienst.doel}",
        f"Grondslag   {'; '.join(e.dienst.grondslag)}",
        f"Regel       {last.regel.patroon}, versie {last.regel.versie}: een basisfeit en een feit met een gedeelde dag",
        f"Ontvanger   {last.ontvanger}",
        f"Kenmerk     {last.kenmerk}",
        "",
        *_now(e, last),
        *_on_day(e.day, last),
        "",
        "Geschiedenis",
        *(line for s, cause in e.causes() for line in _version(s, cause)),
        *([] if e.check is None else ["", *e.check.lines()]),
        *quarantined_text(e.quarantined),
    ]
    return "\n".join(lines)


def _now(e: Explanation, last: Signaal) -> list[str]:
    if last.soort == "VERVALLEN":
        *_, (_, cause) = e.causes()
        return [f"Dit signaal geldt niet meer: {cause.tekst}.", *_record(e, last.basisfeit), *_record(e, last.feit)]
    purpose = {v.veld: v for v in e.feitsoort.velden}
    lines = [f"Gedeelde dagen: {days(last.begindatum, last.einddatum)}, want", *_record(e, last.basisfeit), *_record(e, last.feit)]
    lines += ["", "Gegevens in dit signaal, en waarom"]
    for name, value in (last.gegevens or {}).items():
        lines += [f"  {name} = {value}", f"    {purpose[name].doel} ({purpose[name].grondslag})"]
    return lines


def _on_day(about: str | None, last: Signaal) -> list[str]:
    if about is None:
        return []
    return ["", f"Op {day(about)}: {'ja, een gedeelde dag' if holds_on(last, about) else 'nee, geen gedeelde dag'}"]


def _record(e: Explanation, r: Bronrecord) -> list[str]:
    place = Place(r.topic, r.partition, r.offset)
    log = "" if e.cited[place].present else " (het log bewaart dit record niet meer)"
    period = "" if r.begindatum is None else f": {days(r.begindatum, r.einddatum)}"
    return [f"  {r.soort} {r.record_id}, versie {r.versie}{period}", f"    bron {r.bron}, {place}{log}"]


def _version(s: Signaal, cause: Cause) -> list[str]:
    period = f", {days(s.begindatum, s.einddatum)}" if s.begindatum else ""
    return [
        f"  {s.versie}. {s.soort}{period}",
        f"     geregistreerd {day(s.registratietijd[:10])}; oorzaak {place_of(s.oorzaak)}: {cause.tekst}",
    ]
