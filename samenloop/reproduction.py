"""``explain --verify``: reads the records behind a signaal again, and holds what ``step`` makes of them against what was sent."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.ontvangers.topic_reader import read_partition
from samenloop.cited import places_of
from samenloop.errors import NotDoneError
from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError
from schemas.sources import KLOK, NUMMERWIJZIGINGEN, is_overdrachten, overdrachten_topic
from schemas.values import Bronrecord, ElkSignaal, Place, Signaal
from schemas.verloop import is_verloop
from streams.audit.reproduce import Delivered, Difference, Input, Reproduction, Tick, UndecidedError, reproduce
from streams.core.rulebook import Rulebook, Soort, rulebook_of


@dataclass(frozen=True)
class Check:
    """What came of replaying the records behind one signaal."""

    versions: int  # that were sent
    reproduction: Reproduction

    @property
    def holds(self) -> bool:
        """Whether the records make exactly what was sent."""
        return not self.reproduction.differences

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "klopt": self.holds,
            "records": [str(p) for p in self.reproduction.order],
            "verschillen": [
                {"versie": d.versie, "velden": [{"veld": f, "verzonden": a, "gemaakt": b} for f, a, b in _fields(d)], "soort": _kind(d)}
                for d in self.reproduction.differences
            ],
        }

    def lines(self) -> list[str]:
        """For people, in Dutch."""
        records = f"{len(self.reproduction.order)} records van deze persoon opnieuw verwerkt"
        if self.holds:
            return [f"Controle: {records}: alle {self.versions} versies komen er byte voor byte zo uit."]
        lines = [f"Controle: {records}: dit signaal volgt er NIET uit."]
        for d in self.reproduction.differences:
            lines.append(f"  versie {d.versie}: {_TEXTS[_kind(d)]}")
            lines += [f"    {field}: verzonden {_json(sent)}, de records geven {_json(made)}" for field, sent, made in _fields(d)]
        return lines


_ANOTHER_NUMBER = "this signal is about a persoon whose number changed: 'replay' proves it"
_TEXTS = {
    "ONTBREEKT": "de records geven deze versie, maar zij staat niet op het topic",
    "ONVERKLAARD": "staat op het topic, maar geen record geeft deze versie",
    "ANDERS": "wat op het topic staat, is niet wat de records geven",
}


def _kind(d: Difference) -> str:
    return "ONTBREEKT" if d.sent is None else "ONVERKLAARD" if d.made is None else "ANDERS"


def _fields(d: Difference) -> list[tuple[str, Any, Any]]:
    if d.sent is None or d.made is None:
        return []
    sent, made = _flat(json.loads(d.sent)), _flat(json.loads(d.made))
    names = list(dict.fromkeys([*made, *sent]))
    return [(n, sent.get(n), made.get(n)) for n in names if sent.get(n) != made.get(n)]


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        flat |= _flat(inner, f"{prefix}{name}.") if isinstance(inner, dict) else {prefix + name: inner}
    return flat


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


async def check_signaal(
    brokers: str,
    catalogue: Catalogue,
    toepassing: str,
    places: Mapping[Place, Any],
    history: Sequence[ElkSignaal],
    sent: Mapping[int, Sequence[bytes]],
) -> Check:
    """Replay what is behind ``history``; raises NotDoneError when the log has not got it any more, or has it in too many orders."""
    personen = {places[p].key for s in history for p in places_of(s) if p in places and p.topic != KLOK}
    if not personen:
        raise NotDoneError("the log no longer has the records that this signal cites: nothing is left to replay")
    if any(is_verloop(s.oorzaak.topic) for s in history):
        raise NotDoneError("a version of this signal follows from a switch of rules: 'replay' proves it")
    changes = any(is_overdrachten(s.oorzaak.topic) or s.oorzaak.topic == NUMMERWIJZIGINGEN for s in history)
    if changes or len(personen) > 1 or any(r.partition != s.oorzaak.partition for s in history for r in s.bewijs):
        raise NotDoneError(_ANOTHER_NUMBER)
    (persoon,) = personen
    rulebook, codec = rulebook_of(catalogue), Codec(catalogue)
    first, dienst = history[0], catalogue.diensten[history[0].dienst]
    timed = _is_timed(catalogue, first)
    uncited = timed or bool(dienst.verzwegen) or any(f.groepeer for f in dienst.feiten)
    for last in (True, False) if uncited else (True,):
        until = _until(rulebook, history, timed=timed, to_the_last_cited=last)
        until |= dict.fromkeys((NUMMERWIJZIGINGEN, overdrachten_topic(toepassing)))
        inputs = await _inputs(brokers, rulebook, codec, persoon, first, until)
        try:
            found = reproduce(rulebook, persoon, history[0].signaal_id, inputs, sent)
        except UndecidedError:
            raise NotDoneError("the records can have come in too many orders to try them all") from None
        if not found.differences:
            break
    return Check(len(sent), found)


def _is_timed(catalogue: Catalogue, signaal: ElkSignaal) -> bool:
    """Whether the klok may have a say in it: it is about a basisfeit, what it tells was held, or its ontvanger ends or takes over from one.

    Of a second basisfeit the other houder may.
    """
    if not isinstance(signaal, Signaal) or catalogue.bron_of(signaal.feit.soort).aanhouden is not None:
        return True
    if signaal.feit.soort == signaal.basisfeit.soort:
        return True
    return any(signaal.ontvanger in {ends, *(o.ontvanger for o in opvolgers)} for ends, opvolgers in catalogue.opvolging.items())


def _until(rulebook: Rulebook, history: Sequence[ElkSignaal], *, timed: bool, to_the_last_cited: bool) -> dict[str, int | None]:
    """Where to read: basisfeiten and what ends them, what was declared, and the feit or all feiten; and the klok where it is ``timed``.

    Up to the last that is cited nothing is there that the engine had not taken. What ends the days of a signaal about a basisfeit, a death,
    what was declared and what goes on from the feit need not be cited and may stand behind it: so the rest of the topics is looked at as
    well when those records do not make it.
    """
    first = history[0]
    dienst = next(d for d in rulebook.diensten.values() if d.naam == first.dienst)
    pair = first.feit if isinstance(first, Signaal) else None
    soorten = [rulebook.by_topic[f"mutaties.{pair.soort}"]] if pair else [rulebook.soorten[n] for n in dienst.feiten]
    users = [rulebook.diensten[d] for s in soorten for d in s.gebruikt_door]
    beside = {n for d in users for n in (d.basis, d.eindigt_bij, *(k.soort for k in d.bekend.values())) if n is not None}
    topics = {s.topic for s in soorten} | {rulebook.soorten[n].topic for n in beside} | ({KLOK} if timed else set())
    if not to_the_last_cited:
        return dict.fromkeys(topics)
    cited = [p for s in history for p in places_of(s)]
    return {t: max((p.offset + 1 for p in cited if p.topic == t), default=None) for t in topics}


async def _inputs(
    brokers: str, rulebook: Rulebook, codec: Codec, persoon: bytes, first: ElkSignaal, until: Mapping[str, int | None]
) -> list[Input]:
    """What can matter of the topics ``until`` an offset; raises NotDoneError when this persoon became another one, or another this one."""
    pair = first.feit if isinstance(first, Signaal) and not _may_go_on(rulebook, first) else None
    inputs: list[Input] = []
    async for record in read_partition(brokers, first.basisfeit.partition, until):
        if record.key != persoon and record.topic != KLOK:
            continue
        if record.topic == NUMMERWIJZIGINGEN or is_overdrachten(record.topic):
            raise NotDoneError(_ANOTHER_NUMBER)
        found = _input(codec, rulebook.by_topic.get(record.topic), record)
        if found is not None and (isinstance(found, Tick) or found.soort.in_kop or pair is None or _is(found, pair)):
            inputs.append(found)
    return inputs


def _may_go_on(rulebook: Rulebook, signaal: Signaal) -> bool:
    """Whether other records of the soort count as one with its feit, or did."""
    nummer = rulebook.by_topic[f"mutaties.{signaal.feit.soort}"].nummer
    return any(nummer in d.groepeer for d in rulebook.diensten.values() if d.naam == signaal.dienst)


def _is(found: Delivered, feit: Bronrecord) -> bool:
    return found.mutatie.record_id == feit.record_id


def _input(codec: Codec, soort: Soort | None, record: Any) -> Input | None:  # noqa: ANN401 - aiokafka's ConsumerRecord
    place = Place(record.topic, record.partition, record.offset)
    try:
        if soort is None:
            return Tick(place, codec.decode_klok(record.value), record.timestamp)
        return Delivered(soort, place, codec.decode_mutatie(soort.topic, record.value), record.timestamp)
    except WireError:
        return None  # it is in quarantine
