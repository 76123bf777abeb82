"""Why there is a signaal or none about the records of one dossier. Shows reasons, not the days or contents of what is not shared."""

from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from connectors.ontvangers.topic_reader import read_topics
from samenloop.errors import NotDoneError
from samenloop.quarantine import Held, quarantined_text, read_quarantine
from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError
from schemas.values import Mutatie
from streams.core.record import Record, pack
from streams.core.rulebook import DienstRule, Rulebook, rulebook_of
from streams.core.rules import PATTERNS
from streams.core.timeline import Timeline, timeline_of


@dataclass(frozen=True)
class Pair:
    """One basisfeit of the dossier and one record, and what the rule says of them."""

    basisfeit: str
    soort: str
    record_id: str
    versie: int
    signaal: bool
    reden: str


@dataclass(frozen=True)
class WhyNot:
    """The answer about one dossier."""

    ontvanger: str
    kenmerk: str
    pairs: tuple[Pair, ...]
    quarantined: tuple[Held, ...]  # records of this persoon that stand open there

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {**asdict(self), "quarantined": [h.as_json() for h in self.quarantined]}


async def why_not(brokers: str, catalogue: Catalogue, toepassing: str, ontvanger: str, kenmerk: str) -> WhyNot:
    """Compare what the log has of the persoon with what the engine holds; raises NotDoneError when there is no such dossier."""
    rulebook, codec = rulebook_of(catalogue), Codec(catalogue)
    persoon = await _persoon(brokers, rulebook, codec, ontvanger, kenmerk)
    log: dict[tuple[int, str], Mutatie] = {}
    filled: dict[tuple[int, str], Mutatie] = {}  # newest that is no withdrawal: it says whose a withdrawn basisfeit was
    for soort in rulebook.soorten.values():
        async for record in read_topics(brokers, [soort.topic]):
            if record.key != persoon:
                continue
            try:
                mutatie = codec.decode_mutatie(soort.topic, record.value)
            except WireError:
                continue  # it is in quarantine, and counted there
            _keep_newest(log, soort.nummer, mutatie)
            if mutatie.feit is not None:
                _keep_newest(filled, soort.nummer, mutatie)
    rows: dict[bytes, bytes | None] = {}
    async for record in read_topics(brokers, [f"{toepassing}-personen-changelog"]):
        if record.key is not None and record.key.startswith(persoon):
            rows[record.key] = record.value
    quarantined = (await read_quarantine(brokers)).open_of(persoon)
    own = {
        record
        for record, m in filled.items()
        if m.feit is not None and (m.feit.get("houder"), m.feit.get("kenmerk")) == (ontvanger, kenmerk)
    }
    pairs = _pairs(rulebook, _timeline(persoon, rows), log, own)
    return WhyNot(ontvanger, kenmerk, tuple(pairs), tuple(quarantined))


def _keep_newest(kept: dict[tuple[int, str], Mutatie], nummer: int, mutatie: Mutatie) -> None:
    known = kept.get((nummer, mutatie.record_id))
    if known is None or mutatie.versie > known.versie:
        kept[nummer, mutatie.record_id] = mutatie


async def _persoon(brokers: str, rulebook: Rulebook, codec: Codec, ontvanger: str, kenmerk: str) -> bytes:
    found: bytes | None = None
    for dienst in rulebook.diensten.values():
        topic = rulebook.soorten[dienst.basis].topic
        async for record in read_topics(brokers, [topic]):
            try:
                feit = codec.decode_mutatie(topic, record.value).feit
            except WireError:
                continue
            if feit is not None and (feit["houder"], feit["kenmerk"]) == (ontvanger, kenmerk):
                found = record.key
    if found is None:
        raise NotDoneError(f"{ontvanger} never delivered a basisfeit with this kenmerk")
    return found


def _timeline(persoon: bytes, rows: dict[bytes, bytes | None]) -> Timeline:
    try:
        timeline = timeline_of(persoon, rows.get)
        timeline.pages()  # all that are read later, so that a bad one is noticed here
    except msgspec.DecodeError:
        return timeline_of(persoon, lambda _: None)
    return timeline


def _pairs(rulebook: Rulebook, timeline: Timeline, log: dict[tuple[int, str], Mutatie], own: set[tuple[int, str]]) -> list[Pair]:
    pairs = []
    for dienst in rulebook.diensten.values():
        for basis in timeline.gronden(dienst.basis):
            if (dienst.basis, basis.record_id) not in own:
                continue  # another ontvanger's, or another dossier; also when it is withdrawn
            for (nummer, record_id), mutatie in sorted(log.items(), key=lambda x: (x[0][0], x[0][1])):
                if nummer in dienst.feiten:
                    held = timeline.find(rulebook.soorten[nummer], pack(record_id))
                    stands, reason = _reason(dienst, nummer, basis, held, mutatie)
                    pairs.append(Pair(basis.record_id, rulebook.soorten[nummer].naam, record_id, mutatie.versie, stands, reason))
    return pairs


def _reason(dienst: DienstRule, nummer: int, basis: Record, held: Record | None, newest: Mutatie) -> tuple[bool, str]:
    if basis.period is None:
        return False, "het basisfeit is ingetrokken"
    if held is None or held.versie == 0:
        return False, "niet bewaard: toen dit kwam was er geen basisfeit; de bron is daarna om haar records gevraagd"
    if held.versie < newest.versie:
        return False, f"versie {newest.versie} is nog niet verwerkt"
    if held.period is None:
        return False, "het record is ingetrokken"
    if PATTERNS[dienst.patroon](dienst, nummer, basis, held) is None:
        return False, "geen gedeelde dag"
    return True, "gedeelde dagen: er is een signaal"


def why_not_text(w: WhyNot) -> str:
    """For people."""
    lines = [f"Dossier {w.kenmerk} van {w.ontvanger}: {len(w.pairs)} paren van basisfeit en record"]
    lines += [f"  {'ja ' if p.signaal else 'nee'}  {p.soort} {p.record_id} versie {p.versie}: {p.reden}" for p in w.pairs]
    if not w.pairs:
        lines.append("  Over deze persoon is geen ander record geleverd, of het basisfeit ligt nu bij een andere ontvanger.")
    return "\n".join([*lines, *quarantined_text(w.quarantined)])
