"""A persoon who has become another one: what is known goes over to that one, and is joined there to what was known of that.

The two may live in different partitions, so that nothing passes but by the log. Whoever became another one keeps no more than that fact:
what still comes under the old number is handed on. What goes over is joined record by record, the higher versie wins; so neither the
order in which it comes nor a duplicate changes what stands in the end.
"""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from schemas.codec import WireError
from schemas.nummers import Afgehandeld, Bekend, Doorgegeven, Gezegd, Nummerwijziging, Overdracht
from schemas.reasons import Reason
from schemas.values import Place, Volgverzoek
from streams.core.handled import name_of
from streams.core.held import arrived, held_since
from streams.core.messages import Cause
from streams.core.pairs import judge_pairs
from streams.core.period import BEFORE, Period
from streams.core.record import Record, Sent, offset_of, pack, with_sent
from streams.core.rulebook import Rulebook, Soort
from streams.core.step import Fate, Outcome, follow, forget, weigh
from streams.core.timeline import Follow, Nummer, Timeline, timeline_of
from streams.core.withdrawing import withdrawn

PART: Final = 100  # records of one part, so that no message grows large

Renumbered = tuple[Outcome, tuple[Overdracht, ...]]


def renumber(rulebook: Rulebook, timeline: Timeline, wijziging: Nummerwijziging, place: Place) -> Renumbered:
    """Take a nummerwijziging, found at ``place``: what becomes of the persoon, and what goes over to the other one.

    Raises WireError when it closes a circle, or when what went over because of an earlier one would have to come back.
    """
    nummer, nieuw = timeline.head.nummer, None if wijziging.nieuw is None else wijziging.nieuw.encode()
    if wijziging.versie <= nummer.versie:
        return Outcome(timeline, Fate.BEKEND), ()
    if nieuw is not None and nieuw in {timeline.persoon, *nummer.eerder}:
        raise WireError(Reason.NUMMER_KRING)
    if nieuw == nummer.nieuw:
        return Outcome(timeline.with_nummer(replace(nummer, versie=wijziging.versie)), Fate.OPGESLAGEN), ()
    if nummer.over:
        raise WireError(Reason.NUMMER_OVERGEGAAN)
    if nieuw is None:
        return Outcome(timeline.with_nummer(replace(nummer, versie=wijziging.versie, nieuw=None)), Fate.OPGESLAGEN), ()
    cause = Cause(wijziging.registratietijd, place)
    silent, signalen = withdrawn(rulebook, timeline, rulebook.diensten.values(), cause)
    overdrachten = tuple(_parts(rulebook, silent, cause))
    known = Nummer(wijziging.versie, nieuw, over=not timeline.is_empty)
    ended = {b: Follow(f.versie + 1, ()) for b, f in sorted(timeline.head.follows.items()) if f.since}
    after = timeline_of(timeline.persoon, lambda _: None).with_nummer(known).with_follows({**timeline.head.follows, **ended})
    asked = tuple((b, Volgverzoek(f.versie, wijziging.registratietijd, ())) for b, f in ended.items())
    return Outcome(after, Fate.OPGESLAGEN, signalen, asked), overdrachten


def _parts(rulebook: Rulebook, timeline: Timeline, cause: Cause) -> Iterator[Overdracht]:
    """Everything that is known, what counts for all of it first; one part at least, so that the other persoon hears of it."""
    soorten = sorted(rulebook.soorten.values(), key=lambda s: (not s.is_basisfeit, not s.in_kop, s.nummer))
    known = [_bekend(rulebook, timeline, s, r, cause.place.partition) for s in soorten for r in timeline.of(s)]
    via = (*(p.decode() for p in timeline.head.nummer.eerder), timeline.persoon.decode())
    handled = tuple(Afgehandeld(name.hex(), said) for name, said in timeline.head.handled.items())
    for deel, begin in enumerate(range(0, max(1, len(known)), PART), 1):
        yield Overdracht(cause.registratietijd, cause.place, via, deel, tuple(known[begin : begin + PART]), handled if deel == 1 else ())


def _bekend(rulebook: Rulebook, timeline: Timeline, soort: Soort, record: Record, home: int) -> Bekend:
    period, velden = record.period, dict(zip(soort.velden, record.values, strict=False))
    return Bekend(
        soort.naam,
        record.record_id,
        record.versie,
        *((home, record.offset) if record.offset >= 0 else record.elsewhere),
        None if period is None else period.start,
        None if period is None else period.einddatum,
        velden,
        tuple(_gezegd(rulebook, timeline, s) for s in record.sent if s.dienst in rulebook.diensten),
        held_since(timeline, soort, record.name),
    )


def _gezegd(rulebook: Rulebook, timeline: Timeline, sent: Sent) -> Gezegd:
    dienst = rulebook.diensten[sent.dienst]
    return Gezegd(dienst.naam, sent.ontvanger, timeline.gronden(dienst.basis)[sent.basis].record_id, sent.versie)


def hand_on(timeline: Timeline, registratietijd: int, record: Doorgegeven) -> tuple[Timeline, Overdracht]:
    """A record that came for a persoon who became another one, as it goes on; and what is remembered of that."""
    nummer = timeline.head.nummer
    after = timeline if nummer.over else timeline.with_nummer(replace(nummer, over=True))
    return after, Overdracht(registratietijd, record.place, (timeline.persoon.decode(),), doorgegeven=record)


def hand_further(timeline: Timeline, overdracht: Overdracht, place: Place) -> tuple[Timeline, Overdracht]:
    """What goes over to a persoon who became another one in turn; raises WireError when it has been with either before."""
    persoon, nummer = timeline.persoon.decode(), timeline.head.nummer
    if not {persoon, (nummer.nieuw or b"").decode()}.isdisjoint(overdracht.via):
        raise WireError(Reason.NUMMER_KRING)
    carries = overdracht.bekend or overdracht.afgehandeld or overdracht.doorgegeven
    after = timeline if nummer.over or not carries else timeline.with_nummer(replace(nummer, over=True))
    return after, replace(overdracht, oorzaak=place, via=(*overdracht.via, persoon))


def join(rulebook: Rulebook, before: Timeline, overdracht: Overdracht, place: Place, klok: int | None) -> Outcome:
    """Take what was known of another persoon, handed over at ``place``, and judge everything anew.

    Raises WireError when it names what the rules do not know.
    """
    after, cause, day = before, Cause(overdracht.registratietijd, place), BEFORE if klok is None else klok
    for bekend in overdracht.bekend:
        after = _with(rulebook, after, bekend, place.partition, day)
    for found in overdracht.afgehandeld:
        name, handled = name_of(found.signaal_id), after.head.handled
        after = after.with_handled({**handled, name: tuple(dict.fromkeys((*handled.get(name, ()), *found.inhoud)))})
    if after.is_empty:
        return Outcome(before, Fate.NIET_BEWAARD)
    after, of_pairs = judge_pairs(rulebook, before, after, day, cause)
    after, of_gronden = weigh(rulebook, before, forget(rulebook, after), day, cause)
    if after.is_empty:
        return Outcome(before, Fate.NIET_BEWAARD)
    anew = {bron for dienst in rulebook.diensten.values() for bron in dienst.bronnen} if overdracht.deel == 1 else ()
    after, asked = follow(rulebook, after, overdracht.registratietijd, anew)
    return Outcome(with_earlier(after, overdracht), Fate.OPGESLAGEN, (*of_pairs, *of_gronden), asked)


def with_earlier(timeline: Timeline, overdracht: Overdracht) -> Timeline:
    """Remembers of whom something came: their records stand in partitions of their own."""
    nummer, via = timeline.head.nummer, [p.encode() for p in overdracht.via]
    eerder = tuple(dict.fromkeys((*nummer.eerder, *(p for p in via if p != timeline.persoon))))
    return timeline if eerder == nummer.eerder else timeline.with_nummer(replace(nummer, eerder=eerder))


def _with(rulebook: Rulebook, timeline: Timeline, bekend: Bekend, home: int, day: int) -> Timeline:
    """With one record: what the higher versie says, what was sent about either, and whether it is held."""
    soort = next((s for s in rulebook.soorten.values() if s.naam == bekend.soort), None)
    if soort is None:
        raise WireError(Reason.NIET_LEESBAAR)
    timeline, sent = _sent(rulebook, timeline, bekend)
    name = pack(bekend.record_id)
    known, came = timeline.find(soort, name), _record(soort, name, bekend, home)
    newest = came if known is None or came.versie > known.versie else known
    joined = with_sent(newest, _joined(() if known is None else known.sent, sent))
    timeline = arrived(timeline, soort, name, known, bekend.aangehouden, day) if bekend.versie else timeline
    if joined == known:
        return timeline
    return timeline.with_records(rulebook.soorten, [(soort, joined)])


def _record(soort: Soort, name: bytes, bekend: Bekend, home: int) -> Record:
    offset = offset_of(bekend.partition, bekend.offset, home) if bekend.versie else 0
    if bekend.begindatum is None:
        return Record(name, bekend.versie, offset, None, ())
    if not set(soort.velden) <= bekend.velden.keys():  # handed over under rules that did not keep them
        raise WireError(Reason.NIET_LEESBAAR)
    period = Period.tot_en_met(bekend.begindatum, bekend.einddatum)
    return Record(name, bekend.versie, offset, period, tuple(bekend.velden[v] for v in soort.velden))


def _sent(rulebook: Rulebook, timeline: Timeline, bekend: Bekend) -> tuple[Timeline, tuple[Sent, ...]]:
    """What was sent about a record; a basisfeit that it names and that is not known here gets a position."""
    diensten, sent = {d.naam: d for d in rulebook.diensten.values()}, []
    for gezegd in bekend.gezegd:
        dienst = diensten.get(gezegd.dienst)
        if dienst is None:
            raise WireError(Reason.NIET_LEESBAAR)
        grond, name = rulebook.soorten[dienst.basis], pack(gezegd.basisfeit)
        if timeline.find(grond, name) is None:
            timeline = timeline.with_records(rulebook.soorten, [(grond, Record(name, 0, 0, None, ()))])
        sent.append(Sent(dienst.nummer, gezegd.ontvanger, timeline.position(dienst.basis, name), gezegd.versie, None))
    return timeline, tuple(sent)


def _joined(known: tuple[Sent, ...], came: tuple[Sent, ...]) -> tuple[Sent, ...]:
    """Of each signaal the highest versie. What stands here in no higher one is said again: the other withdrew it under that name."""
    result = list(known)
    for sent in came:
        at = next((i for i, s in enumerate(result) if _names(s) == _names(sent)), None)
        if at is None:
            result.append(sent)
        elif result[at].versie < sent.versie:
            result[at] = sent
        elif result[at].versie == sent.versie and result[at].content is not None:
            result[at] = replace(sent, content=b"")
    return tuple(result)


def _names(sent: Sent) -> tuple[int, str, int]:
    return sent.dienst, sent.ontvanger, sent.basis
