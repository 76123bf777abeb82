"""The mutaties that a signaal cites, as the log has them, and what each version of it came from: a code, and a sentence in plain Dutch."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from samenloop.rendering import day, days
from schemas.catalogue import Dienst
from schemas.codec import Codec, WireError
from schemas.opvolging import Opvolging
from schemas.sources import KLOK, NUMMERWIJZIGINGEN, is_overdrachten
from schemas.values import Bronrecord, ElkSignaal, Oorzaak, Place, Signaal, Waarde

Places = Mapping[Place, Any]  # → Kafka record


@dataclass(frozen=True)
class Cited:
    """A mutatie that a signaal cites, or a tick of the klok: the day that began with it is its begindatum."""

    place: Place
    present: bool  # whether the log still has it
    versie: int | None = None
    withdrawn: bool = False
    begindatum: str | None = None
    einddatum: str | None = None
    houder: str | None = None  # of a basisfeit
    through: Place | None = None  # of a mutatie that came under an earlier number: where it was handed on
    feit: Mapping[str, Any] | None = field(default=None, repr=False)  # whole: of it is told only what the dienst lists

    def as_json(self, *, with_days: bool) -> dict[str, Any]:
        """For machines; the days only where the ontvanger was told them: those that it was not told may be another's business."""
        told: dict[str, Any] = {"place": str(self.place), "present": self.present, "versie": self.versie, "withdrawn": self.withdrawn}
        return told | {"begindatum": self.begindatum, "einddatum": self.einddatum} if with_days else told


class _Handed(NamedTuple):
    """A record that was handed on, as it stands in the log."""

    value: bytes


@dataclass(frozen=True)
class Cause:
    """Why a version of a signaal was sent."""

    code: str
    tekst: str


def place_of(cited: Oorzaak | Bronrecord) -> Place:
    """Where a mutatie stands that a signaal cites, or the tick that made the node send it."""
    return Place(cited.topic, cited.partition, cited.offset)


def places_of(signaal: ElkSignaal) -> list[Place]:
    """Where all stands that a signaal cites."""
    return [*(place_of(r) for r in signaal.bewijs), place_of(signaal.oorzaak)]


def cited_at(codec: Codec, place: Place, record: Any) -> Cited:  # noqa: ANN401 - aiokafka's ConsumerRecord, or None
    """What the log has at ``place``."""
    if record is None:
        return Cited(place, present=False)
    try:
        value = codec.decode(record.value)
    except WireError:
        return Cited(place, present=False)
    if place.topic == KLOK:
        return Cited(place, present=True, begindatum=value["datum"].isoformat())
    if place.topic == NUMMERWIJZIGINGEN or is_overdrachten(place.topic):
        return _of_number(codec, place, value.get("doorgegeven"))
    feit = value["feit"]
    if feit is None:
        return Cited(place, present=True, versie=value["versie"], withdrawn=True)
    end = feit["einddatum"]
    return Cited(
        place,
        present=True,
        versie=value["versie"],
        begindatum=feit["begindatum"].isoformat(),
        einddatum=None if end is None else end.isoformat(),
        houder=feit.get("houder"),
        feit=feit,
    )


def _of_number(codec: Codec, place: Place, handed_on: Mapping[str, Any] | None) -> Cited:
    """What came because of a number that changed; a mutatie that was handed on is told as itself."""
    if handed_on is None:
        return Cited(place, present=True)
    there = Place(handed_on["topic"], handed_on["partition"], handed_on["offset"])
    return replace(cited_at(codec, there, _Handed(handed_on["waarde"])), through=place)


_PAIR: Final = (("GEEN_GEDEELDE_DAG", "is er geen gedeelde dag meer"), ("GEDEELDE_DAG", "de records delen nu dagen"))
_ALONE: Final = (("REGEL_GELDT_NIET", "geldt de regel niet meer"), ("REGEL_GELDT", "de regel geldt nu"))


Opvolgers = Mapping[str, tuple[Opvolging, ...]]  # of each ontvanger that ends


def soort_of(topic: str) -> str:
    """The soort whose mutaties stand in a topic."""
    return topic.removeprefix("mutaties.")


def cause_of(
    before: ElkSignaal | None, signaal: ElkSignaal, cited: Cited, houder: str | None, opvolgers: Opvolgers, dienst: Dienst
) -> Cause:
    """Why ``signaal`` was sent after the version ``before``; ``cited`` is its oorzaak, ``houder`` that of the basisfeit."""
    if not cited.present:
        return Cause("NIET_MEER_IN_LOG", "het log bewaart de oorzaak niet meer")
    if cited.place.topic == KLOK:
        return _passed(signaal, cited.begindatum or "", houder, opvolgers)
    if cited.place.topic == NUMMERWIJZIGINGEN:
        return Cause("ANDER_NUMMER", "deze persoon heeft een ander nummer; wat geldt, wordt daaronder opnieuw gemeld")
    if is_overdrachten(cited.place.topic):
        return Cause("OVERGENOMEN", "wat onder een eerder nummer van deze persoon bekend was, telt nu mee")
    if (soort := soort_of(cited.place.topic)) in dienst.verzwegen:
        who = f"versie {cited.versie} van {soort}"
        return _cut_off(cited, who) if soort in dienst.einden else _known(signaal, who)
    return _of_mutatie(before, signaal, cited, opvolgers, dienst)


def _of_mutatie(before: ElkSignaal | None, signaal: ElkSignaal, cited: Cited, opvolgers: Opvolgers, dienst: Dienst) -> Cause:
    """Of one of the basisfeit, of a feit, or of what goes on from it."""
    of_feit = cited.place.topic != signaal.basisfeit.topic or _is_of_feit(signaal, cited)
    role = _role(signaal, cited) if of_feit else "het basisfeit"
    who = f"versie {cited.versie} van {role}{', onder een eerder nummer geleverd,' if cited.through else ''}"
    if cited.withdrawn:
        return Cause("INGETROKKEN", f"{who} trekt het in")
    if signaal.soort != "VERVALLEN":
        return _stated(before, signaal, cited, who)
    mine = signaal.ontvanger in {cited.houder, *(o.ontvanger for o in opvolgers.get(cited.houder or "", ()))}
    if not of_feit and not mine:
        return Cause("VERHUISD", f"{who} ligt niet meer bij deze ontvanger")
    if of_feit and mine:
        return Cause("EIGEN", f"{who} is van deze ontvanger zelf")
    if of_feit and _goes_on(before, signaal, cited, dienst):
        return Cause("VERVOLG", f"met {who} telt het feit mee in een ander signaal: het gaat daar zonder een dag ertussen op door")
    gone, no_longer = (_PAIR if isinstance(signaal, Signaal) else _ALONE)[0]
    return Cause(gone, f"met {who} {no_longer}")


def _is_of_feit(signaal: ElkSignaal, cited: Cited) -> bool:
    """Whether the oorzaak is the version of the feit that a signaal about a pair cites."""
    return isinstance(signaal, Signaal) and cited.place == place_of(signaal.feit)


def _role(signaal: ElkSignaal, cited: Cited) -> str:
    """Which of its feiten the oorzaak is a version of: the one that a signaal about a pair cites is the one that its oorzaak states."""
    other = isinstance(signaal, Signaal) and cited.through is None and not _is_of_feit(signaal, cited)
    return "een record dat op het feit aansluit of aansloot" if other else "het feit"


def _passed(signaal: ElkSignaal, at: str, houder: str | None, opvolgers: Opvolgers) -> Cause:
    """Of a tick of the klok: of a pair whose houder lasts it tells only what was held."""
    if isinstance(signaal, Signaal) and signaal.soort == "NIEUW" and houder == signaal.ontvanger:
        return Cause("AANGEHOUDEN", f"de bron legde het eerder vast; het werd aangehouden, en gemeld met de klok van {day(at)}")
    passed = Cause("KLOK", f"door het verstrijken van de tijd, met de klok van {day(at)}")
    return _ended(signaal, at, opvolgers) or _taken_over(signaal, at, houder, opvolgers) or passed


def _ended(signaal: ElkSignaal, at: str, opvolgers: Opvolgers) -> Cause | None:
    """Whether it was withdrawn because its ontvanger is no more."""
    first = opvolgers.get(signaal.ontvanger, ())[:1]
    if signaal.soort != "VERVALLEN" or not first or at < first[0].vanaf.isoformat():
        return None
    since, wie = day(first[0].vanaf.isoformat()), first[0].ontvanger
    went = "haar dossiers zijn verdeeld" if wie is None else f"opgegaan in {wie}, die het nu krijgt"
    return Cause("OPGEHEVEN", f"deze ontvanger bestaat sinds {since} niet meer: {went}")


def _taken_over(signaal: ElkSignaal, at: str, houder: str | None, opvolgers: Opvolgers) -> Cause | None:
    """Whether it went to who took over from the houder of the basisfeit."""
    taken = [o for o in opvolgers.get(houder or "", ()) if o.ontvanger == signaal.ontvanger and o.vanaf.isoformat() <= at]
    if signaal.soort != "NIEUW" or not taken:
        return None
    return Cause("OPVOLGER", f"deze ontvanger heeft sinds {day(taken[0].vanaf.isoformat())} de dossiers van {houder}")


def _cut_off(cited: Cited, who: str) -> Cause:
    """Of what ends the basisfeit: which day that is, the ontvanger is not told."""
    if cited.withdrawn:
        return Cause("INGETROKKEN", f"{who} is ingetrokken: daardoor eindigt het basisfeit niet")
    return Cause("GEEINDIGD", f"door {who} telt het basisfeit na die dag niet meer mee")


def _known(signaal: ElkSignaal, who: str) -> Cause:
    """Of what was declared to the ontvanger."""
    if signaal.soort == "VERVALLEN":
        return Cause("AL_OPGEGEVEN", f"met {who} is het de ontvanger al bekend")
    return Cause("NIET_OPGEGEVEN", f"na {who} is het de ontvanger niet geheel bekend")


def _stated(before: ElkSignaal | None, signaal: ElkSignaal, cited: Cited, who: str) -> Cause:
    """Of a mutatie because of which something stands."""
    there, now = (_PAIR if isinstance(signaal, Signaal) else _ALONE)[1]
    runs = f"{who} loopt {days(cited.begindatum, cited.einddatum)}"
    if before is None or signaal.soort == "NIEUW":
        return Cause(there, f"{runs}; {now}")
    return Cause("GEWIJZIGD", f"{runs}; anders dan in versie {before.versie}: {', '.join(_changed(before, signaal))}")


def _goes_on(before: ElkSignaal | None, signaal: ElkSignaal, cited: Cited, dienst: Dienst) -> bool:
    """Whether a feit of which nothing is told any more counts as a part of what goes before it; its own days are still shared then."""
    if not (isinstance(before, Signaal) and isinstance(signaal, Signaal)) or not _is_grouped(dienst, signaal) or cited.begindatum is None:
        return False
    if place_of(signaal.feit) != cited.place:
        return cited.begindatum <= (before.feit.begindatum or "")
    basis = before.basisfeit
    return cited.begindatum <= (basis.einddatum or cited.begindatum) and (basis.begindatum or "") <= (cited.einddatum or "9999-12-31")


def _is_grouped(dienst: Dienst, signaal: Signaal) -> bool:
    return any(f.groepeer and f.soort == signaal.feit.soort for f in dienst.feiten)


def _changed(before: ElkSignaal, after: ElkSignaal) -> list[str]:
    changed = []
    if (before.begindatum, before.einddatum) != (after.begindatum, after.einddatum):
        changed.append("de gedeelde dagen" if isinstance(after, Signaal) else "de dagen")
    if before.kenmerk != after.kenmerk:
        changed.append(f"kenmerk ({before.kenmerk} werd {after.kenmerk})")
    if not (isinstance(before, Signaal) and isinstance(after, Signaal)):
        return [*changed, "de gegevens"] if before.gegevens != after.gegevens else changed
    old, new = before.gegevens or {}, after.gegevens or {}
    return changed + [f"{n} ({_shown(old.get(n))} werd {_shown(v)})" for n, v in new.items() if old.get(n) != v]


def _shown(value: Waarde) -> str:
    return "leeg" if value is None else str(value)
