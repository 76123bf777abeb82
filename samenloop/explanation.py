"""The explanation of a signaal: the rule, the records and days behind each version, and what caused it. In plain Dutch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from samenloop.quarantine import Held, Quarantine, quarantined_text
from samenloop.rendering import day, days
from schemas.catalogue import Catalogue, Dienst, Feitsoort
from schemas.codec import Codec, WireError
from schemas.values import Bronrecord, Signaal

Places = Mapping[tuple[str, int, int], Any]  # (topic, partition, offset) → Kafka record


@dataclass(frozen=True)
class Cited:
    """A mutatie that a signaal cites, as the log has it."""

    place: str
    present: bool  # whether the log still has it
    versie: int | None = None
    withdrawn: bool = False
    begindatum: str | None = None
    einddatum: str | None = None


@dataclass(frozen=True)
class Explanation:
    """All that is known of one signaal."""

    dienst: Dienst
    feitsoort: Feitsoort
    history: Sequence[Signaal]
    cited: Mapping[str, Cited]  # by place
    quarantined: Sequence[Held]  # records of the persoon that stand open in quarantine

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "dienst": self.dienst.dienst,
            "grondslag": list(self.dienst.grondslag),
            "versies": msgspec.to_builtins(self.history),
            "mutaties": {place: msgspec.to_builtins(c) for place, c in self.cited.items()},
            "quarantined": [h.as_json() for h in self.quarantined],
        }


def explanation_of(catalogue: Catalogue, history: Sequence[Signaal], places: Places, codec: Codec, quarantine: Quarantine) -> Explanation:
    """Put together what the topics and the catalogue say; ``history`` is in the order of the versions."""
    last = history[-1]
    dienst = catalogue.diensten[last.dienst]
    feitsoort = next(f for f in dienst.feiten if f.soort == last.feit.soort)
    wanted = {(r.topic, r.partition, r.offset) for s in history for r in (s.basisfeit, s.feit, s.oorzaak)}
    cited = {_place(*p): _cited(codec, p, places.get(p)) for p in sorted(wanted)}
    personen = {places[p].key for p in wanted if p in places}  # one; none when the log has none of these records any more
    return Explanation(dienst, feitsoort, history, cited, [h for persoon in personen for h in quarantine.open_of(persoon)])


def _cited(codec: Codec, place: tuple[str, int, int], record: Any) -> Cited:  # noqa: ANN401 - aiokafka's ConsumerRecord
    if record is None:
        return Cited(_place(*place), present=False)
    try:
        value = codec.decode(record.value)
    except WireError:
        return Cited(_place(*place), present=False)
    feit = value["feit"]
    if feit is None:
        return Cited(_place(*place), present=True, versie=value["versie"], withdrawn=True)
    begin, end = feit["begindatum"].isoformat(), feit["einddatum"]
    return Cited(_place(*place), present=True, versie=value["versie"], begindatum=begin, einddatum=None if end is None else end.isoformat())


def _place(topic: str, partition: int, offset: int) -> str:
    return f"{topic}-{partition}@{offset}"


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
        "",
        "Geschiedenis",
        *(line for s in e.history for line in _version(e, s)),
        *quarantined_text(e.quarantined),
    ]
    return "\n".join(lines)


def _now(e: Explanation, last: Signaal) -> list[str]:
    if last.soort == "VERVALLEN":
        return ["Dit signaal geldt niet meer: er is geen gedeelde dag (meer), of een van beide records is ingetrokken of verhuisd."]
    purpose = {v.veld: v for v in e.feitsoort.velden}
    lines = [f"Gedeelde dagen: {days(last.begindatum, last.einddatum)}, want", *_record(e, last.basisfeit), *_record(e, last.feit)]
    lines += ["", "Gegevens in dit signaal, en waarom"]
    for name, value in (last.gegevens or {}).items():
        lines += [f"  {name} = {value}", f"    {purpose[name].doel} ({purpose[name].grondslag})"]
    return lines


def _record(e: Explanation, r: Bronrecord) -> list[str]:
    place = _place(r.topic, r.partition, r.offset)
    log = "" if e.cited[place].present else " (het log bewaart dit record niet meer)"
    return [f"  {r.soort} {r.record_id}, versie {r.versie}: {days(r.begindatum, r.einddatum)}", f"    bron {r.bron}, {place}{log}"]


def _version(e: Explanation, s: Signaal) -> list[str]:
    place = _place(s.oorzaak.topic, s.oorzaak.partition, s.oorzaak.offset)
    cited = e.cited[place]
    period = f", {days(s.begindatum, s.einddatum)}" if s.begindatum else ""
    if not cited.present:
        cause = "het log bewaart de oorzaak niet meer"
    elif cited.withdrawn:
        cause = f"versie {cited.versie} trekt het record in"
    elif s.soort == "VERVALLEN":
        cause = f"versie {cited.versie} wijzigt het record"  # its new days may be another ontvanger's business
    else:
        cause = f"versie {cited.versie} loopt {days(cited.begindatum, cited.einddatum)}"
    return [f"  {s.versie}. {s.soort}{period}", f"     geregistreerd {day(s.registratietijd[:10])}; oorzaak {place}: {cause}"]
