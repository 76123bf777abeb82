"""Why there is a signaal or none about the records of one dossier. Shows reasons, not the days or contents of what is not shared."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import msgspec

from connectors.ontvangers.topic_reader import read_topics
from samenloop.errors import NotDoneError
from samenloop.quarantine import Held, quarantined_text, read_quarantine
from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError
from schemas.regels import Informatiepakket
from schemas.values import PERSOON, Mutatie
from streams.core.chains import Counts, chains_of, counted_in
from streams.core.ends import before, counted, end_of
from streams.core.handled import is_left_out
from streams.core.held import until
from streams.core.messages import signaal_id
from streams.core.period import BEFORE, iso_day
from streams.core.record import Record, pack
from streams.core.rulebook import DienstRule, Rulebook, rulebook_of
from streams.core.rules import of_another, ontvanger_on, samenloop
from streams.core.spells import on, reference, spells
from streams.core.timeline import Timeline, timeline_of
from streams.effects import META_KEY, Meta

Key = tuple[int, str]  # nummer of the soort, record_id


@dataclass(frozen=True)
class Pair:
    """One basisfeit and one record of a persoon, and what the rule says of them."""

    dienst: str
    ontvanger: str
    basisfeit: str
    soort: str
    record_id: str
    versie: int
    signaal: bool
    code: str
    reden: str
    signaal_id: str | None  # of the signal that stands


@dataclass(frozen=True)
class WhyNot:
    """The answer about one persoon, or about one dossier of one ontvanger."""

    ontvanger: str | None
    kenmerk: str | None
    pairs: tuple[Pair, ...]
    quarantined: tuple[Held, ...]  # records of this persoon that stand open there
    gewist: bool = False  # whether nothing is known any more of somebody who was known

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "quarantined": [h.as_json() for h in self.quarantined]}


class _Log:
    """The newest version of each record of a persoon on the topics."""

    def __init__(self) -> None:
        self.newest: dict[Key, Mutatie] = {}
        self.filled: dict[Key, dict[str, Any]] = {}  # the feit of the newest that is no withdrawal: it says whose a withdrawn basisfeit was
        self._filled_versie: dict[Key, int] = {}

    def take(self, nummer: int, mutatie: Mutatie) -> None:
        key = nummer, mutatie.record_id
        if key not in self.newest or mutatie.versie > self.newest[key].versie:
            self.newest[key] = mutatie
        if mutatie.feit is not None and mutatie.versie > self._filled_versie.get(key, 0):
            self.filled[key], self._filled_versie[key] = mutatie.feit, mutatie.versie


async def why_not(brokers: str, catalogue: Catalogue, toepassing: str, ontvanger: str | None, about: str) -> WhyNot:
    """Compare what the log has of a persoon, or of the persoon behind a kenmerk, with what the engine holds.

    Raises NotDoneError when there is no such dossier.
    """
    rulebook, codec = rulebook_of(catalogue), Codec(catalogue)
    kenmerk = None if PERSOON.fullmatch(about.encode()) else about
    if kenmerk is None:
        persoon = about.encode()
    elif ontvanger is None:
        raise NotDoneError("--why-not with a kenmerk needs --ontvanger: a kenmerk has a meaning only there")
    else:
        persoon = await _persoon(brokers, rulebook, codec, ontvanger, kenmerk)
    personen, state = {persoon}, await _state(brokers, toepassing, persoon)
    while (nieuw := state.timeline.head.nummer.nieuw) is not None and nieuw not in personen:
        personen, state = personen | {nieuw}, await _state(brokers, toepassing, nieuw)
    personen.update(state.timeline.head.nummer.eerder)
    log = _Log()
    async for record in read_topics(brokers, list(rulebook.by_topic)):
        if record.key in personen:
            try:
                log.take(rulebook.by_topic[record.topic].nummer, codec.decode_mutatie(record.topic, record.value))
            except WireError:
                continue  # it is in quarantine, and counted there
    told = {
        record: _told(rulebook, record[0], feit["houder"], BEFORE if state.klok is None else state.klok)
        for record, feit in log.filled.items()
        if rulebook.soorten[record[0]].is_basisfeit and kenmerk in {None, feit["kenmerk"]}
    }
    own = {record: who for record, who in told.items() if ontvanger in {None, who}}
    quarantine = await read_quarantine(brokers)
    quarantined = [held for p in sorted(personen) for held in quarantine.open_of(p)]
    pairs = tuple(_pairs(rulebook, state.timeline, log.newest, own, state.klok))
    return WhyNot(ontvanger, kenmerk, pairs, tuple(quarantined), state.erased)


class _State(NamedTuple):
    """What the engine holds of a persoon."""

    timeline: Timeline
    klok: int | None  # the day of the newest tick in its partition
    erased: bool = False


async def _state(brokers: str, toepassing: str, persoon: bytes) -> _State:
    rows: dict[bytes, bytes | None] = {}
    metas, partition = dict[int, bytes](), None
    async for record in read_topics(brokers, [f"{toepassing}-personen-changelog"]):
        if record.key == META_KEY:
            metas[record.partition] = record.value
        elif record.key is not None and record.key.startswith(persoon):
            rows[record.key], partition = record.value, record.partition
    klok = None if partition is None else msgspec.json.decode(metas[partition], type=Meta).klok
    return _State(_timeline(persoon, rows), klok, bool(rows) and not any(rows.values()))


async def _persoon(brokers: str, rulebook: Rulebook, codec: Codec, ontvanger: str, kenmerk: str) -> bytes:
    found: bytes | None = None
    async for record in read_topics(brokers, [s.topic for s in rulebook.soorten.values() if s.is_basisfeit]):
        try:
            feit = codec.decode_mutatie(record.topic, record.value).feit
        except WireError:
            continue
        if feit is not None and feit["kenmerk"] == kenmerk:
            dienst = rulebook.diensten[rulebook.by_topic[record.topic].grond_voor[0]]
            told = [who for _, who in dienst.beurten.get(feit["houder"], ())]
            found = record.key if ontvanger in {feit["houder"], *told} else found
    if found is None:
        raise NotDoneError(f"{ontvanger} never delivered a basisfeit with this kenmerk")
    return found


def _told(rulebook: Rulebook, basis: int, houder: str, day: int) -> str:
    """Who is told of a basisfeit on a day; who was, where nobody is."""
    return ontvanger_on(rulebook.diensten[rulebook.soorten[basis].grond_voor[0]], houder, day) or houder


def _timeline(persoon: bytes, rows: dict[bytes, bytes | None]) -> Timeline:
    try:
        timeline = timeline_of(persoon, rows.get)
        timeline.pages()  # all that are read later, so that a bad one is noticed here
    except msgspec.DecodeError:
        return timeline_of(persoon, lambda _: None)
    return timeline


def _pairs(
    rulebook: Rulebook, timeline: Timeline, log: Mapping[Key, Mutatie], own: Mapping[Key, str], klok: int | None = None
) -> list[Pair]:
    """``own``: the basisfeiten that may be spoken of, also when they are withdrawn, and who is or was told of them."""
    pairs, day = [], BEFORE if klok is None else klok
    for dienst in rulebook.diensten.values():
        for basis in timeline.gronden(dienst.basis):
            houder = own.get((dienst.basis, basis.record_id))
            if houder is None:
                continue
            alone = None if dienst.van_paren else _alone(rulebook, timeline, dienst, houder, basis, day)
            pairs += [] if alone is None else [alone]
            if alone is not None and not (alone.signaal and isinstance(dienst.regel, Informatiepakket)):
                continue
            for (nummer, record_id), mutatie in sorted(log.items(), key=lambda x: x[0]):
                if nummer in dienst.feiten and (nummer, record_id) != (dienst.basis, basis.record_id):
                    held = timeline.find(rulebook.soorten[nummer], pack(record_id))
                    pairs.append(_pair(rulebook, timeline, dienst, houder, basis, nummer, held, mutatie, day))
    return pairs


def _pair(  # noqa: PLR0913, PLR0917 - a pair of records, and what is known of them
    rulebook: Rulebook,
    timeline: Timeline,
    dienst: DienstRule,
    houder: str,
    basis: Record,
    nummer: int,
    held: Record | None,
    newest: Mutatie,
    day: int,
) -> Pair:
    counts = counted(basis, end_of(dienst, timeline))
    code, soort = _code(rulebook, dienst, nummer, basis, timeline, held, newest, day), rulebook.soorten[nummer].naam
    waits = until(timeline, rulebook.soorten[nummer], pack(newest.record_id)) if code == SIGNAAL else None
    code = code if waits is None else "AANGEHOUDEN"
    if code == SIGNAAL and held is not None:
        wanted = samenloop(
            dienst, nummer, counts, as_it_counts(rulebook, dienst, nummer, timeline, held, counts), day, timeline.head.gronden
        )
        code = HANDLED if is_left_out(rulebook, timeline, dienst, basis, held.sent, wanted, (soort, newest.record_id)) else code
    name, basissoort = None, rulebook.soorten[dienst.basis].naam
    if code == SIGNAAL:
        name = signaal_id(dienst.naam, houder, (basissoort, basis.record_id), (soort, newest.record_id))
    elif code == IN_PAKKET:
        name = signaal_id(dienst.naam, houder, (basissoort, basis.record_id))
    return Pair(
        dienst=dienst.naam,
        ontvanger=houder,
        basisfeit=basis.record_id,
        soort=soort,
        record_id=newest.record_id,
        versie=newest.versie,
        signaal=name is not None,
        code=code,
        reden=_REASONS[code] if waits is None else _REASONS[code].format(dag=iso_day(waits)),
        signaal_id=name,
    )


def _alone(rulebook: Rulebook, timeline: Timeline, dienst: DienstRule, houder: str, basis: Record, day: int) -> Pair:
    """A basisfeit that is judged with all feiten together."""
    feiten = [(s, f) for n in dienst.feiten for s in [rulebook.soorten[n]] for f in timeline.of(s) if f.period is not None]
    found = spells(dienst, basis, feiten, end_of(dienst, timeline))
    wanted, later = on(found, day), any(s.told.start > day for s in found)
    done = is_left_out(rulebook, timeline, dienst, basis, basis.sent, wanted, ("", ""))
    stands = wanted is not None and not done
    holds = _ALONE.get(dienst.regel.patroon, _RULE)[stands]
    holds = "REGEL_GELDT_NOG_NIET" if holds == "REGEL_GELDT_NIET" and later else holds
    if holds == "REGEL_GELDT_NIET" and on(spells(dienst, basis, feiten, None), day) is not None:
        holds = ENDED
    code = _of_basis(dienst, basis, day) or (HANDLED if done else holds)
    soort = rulebook.soorten[dienst.basis].naam
    name = signaal_id(dienst.naam, houder, (soort, basis.record_id)) if stands else None
    return Pair(dienst.naam, houder, basis.record_id, soort, basis.record_id, basis.versie, stands, code, _REASONS[code], name)


SIGNAAL: Final = "SIGNAAL"
HANDLED: Final = "AFGEHANDELD"
ENDED: Final = "GEEINDIGD"
KNOWN: Final = "AL_OPGEGEVEN"
OWN: Final = "GEEN_ANDERE_HOUDER"
IN_PAKKET: Final = "IN_PAKKET"
GOES_ON: Final = "VERVOLG"
_REASONS: Final = {
    SIGNAAL: "gedeelde dagen: er is een signaal",
    "BASISFEIT_INGETROKKEN": "het basisfeit is ingetrokken",
    "NIET_GEVOLGD": "niet bewaard: toen dit kwam was er geen basisfeit; de bron is daarna om haar records gevraagd",
    "NIET_VERWERKT": "de nieuwste versie is nog niet verwerkt",
    "INGETROKKEN": "het record is ingetrokken",
    "GEEN_GEDEELDE_DAG": "geen gedeelde dag",
    KNOWN: "is al opgegeven: de ontvanger heeft dit voor alle gedeelde dagen geregistreerd",
    GOES_ON: "is hetzelfde als een record van eerder, en gaat daar zonder een dag ertussen op door: het telt daarin mee",
    OWN: "is van de ontvanger zelf, of van een houder die niet meer bestaat: alleen van een andere wordt het gemeld",
    ENDED: "alleen dagen waarop het basisfeit niet meer telt: het is eerder geëindigd, zoals door een overlijden",
    HANDLED: "de ontvanger heeft dit signaal over dezelfde feiten al afgehandeld; daarna is het vervallen",
    "BOVEN_DREMPEL": "de bedragen kwamen samen boven de drempel: er is een signaal",
    "ONDER_DREMPEL": "op geen dag tot en met die van de klok zijn de bedragen samen hoger dan de drempel",
    IN_PAKKET: "een dag in de peilperiode: het staat in het pakket",
    "BUITEN_PEILPERIODE": "geen dag in de peilperiode",
    "REGEL_GELDT": "de regel geldt op de dag van de klok: er is een signaal",
    "REGEL_GELDT_NOG_NIET": "de regel geldt nog niet op de dag van de klok, wel later als er niets verandert",
    "REGEL_GELDT_NIET": "de regel geldt niet op de dag van de klok",
    "AANGEHOUDEN": "wordt aangehouden tot {dag}: de bron herstelt in die dagen wat zij net heeft vastgelegd",
    "GEEN_OPVOLGER": "de houder bestaat op de dag van de klok niet meer, en zijn dossiers zijn verdeeld: wie dit heeft, is niet geleverd",
}
_RULE: Final = ("REGEL_GELDT_NIET", "REGEL_GELDT")
_ALONE: Final = {"drempel": ("ONDER_DREMPEL", "BOVEN_DREMPEL")}


def _of_basis(dienst: DienstRule, basis: Record, day: int) -> str | None:
    """Why nobody is told anything of a basisfeit."""
    if basis.period is None:
        return "BASISFEIT_INGETROKKEN"
    return "GEEN_OPVOLGER" if ontvanger_on(dienst, str(basis.values[dienst.houder]), day) is None else None


def _code(  # noqa: PLR0913, PLR0917 - a pair of records, and what is known of them
    rulebook: Rulebook,
    dienst: DienstRule,
    nummer: int,
    basis: Record,
    timeline: Timeline,
    held: Record | None,
    newest: Mutatie,
    day: int,
) -> str:
    if (nothing := _of_basis(dienst, basis, day)) is not None:
        return nothing
    if held is None or held.versie == 0:
        return "NIET_GEVOLGD"
    if held.versie < newest.versie:
        return "NIET_VERWERKT"
    if held.period is None:
        return "INGETROKKEN"
    if isinstance(dienst.regel, Informatiepakket):
        days = reference(dienst, dienst.regel, basis)
        days = None if days is None else before(days, end_of(dienst, timeline))
        return "BUITEN_PEILPERIODE" if days is None or held.period.shared_with(days) is None else IN_PAKKET
    of = as_it_counts(rulebook, dienst, nummer, timeline, held, counted(basis, end_of(dienst, timeline)))
    return GOES_ON if of[0].period is None else _shared(dienst, nummer, basis, timeline, of, day)


def as_it_counts(rulebook: Rulebook, dienst: DienstRule, nummer: int, timeline: Timeline, held: Record, basis: Record) -> Counts:
    """A feit that stands, with the days of those that go on from it beside a basisfeit."""
    return counted_in(chains_of(dienst, nummer, timeline.of(rulebook.soorten[nummer]), basis), held)


def _shared(dienst: DienstRule, nummer: int, basis: Record, timeline: Timeline, of: Counts, day: int) -> str:
    """Of a pair that stands."""
    counts = counted(basis, end_of(dienst, timeline))
    if samenloop(dienst, nummer, counts, of, day, timeline.head.gronden) is not None:
        return SIGNAAL
    if samenloop(dienst, nummer, counts, of, day, {}) is not None:
        return KNOWN
    if nummer == dienst.basis and not _is_of_another(dienst, basis, of[0], day):
        return OWN
    return "GEEN_GEDEELDE_DAG" if samenloop(dienst, nummer, basis, of, day, {}) is None else ENDED


def _is_of_another(dienst: DienstRule, basis: Record, held: Record, day: int) -> bool:
    ontvanger = ontvanger_on(dienst, str(basis.values[dienst.houder]), day)
    return ontvanger is not None and of_another(dienst, ontvanger, held, day)


def why_not_text(w: WhyNot) -> str:
    """For people."""
    whose = "Deze persoon" if w.kenmerk is None else f"Dossier {w.kenmerk}"
    of = "" if w.ontvanger is None else f" van {w.ontvanger}"
    lines = [f"{whose}{of}: {len(w.pairs)} {'paar' if len(w.pairs) == 1 else 'paren'} van basisfeit en record"]
    for p in w.pairs:
        lines.append(f"  {'ja ' if p.signaal else 'nee'}  {p.soort} {p.record_id} versie {p.versie}: {p.reden}")
        if p.signaal_id is not None:
            lines.append(f"       signaal {p.signaal_id}")
    if w.gewist:
        lines.append("  Over deze persoon is niets meer bekend: de bewaartermijn is voorbij, en alles is gewist.")
    elif not w.pairs:
        lines.append("  Over deze persoon is geen ander record geleverd, of het basisfeit ligt nu bij een andere ontvanger.")
    return "\n".join([*lines, *quarantined_text(w.quarantined)])
