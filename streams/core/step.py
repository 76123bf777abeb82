"""``step``: one mutatie into the timeline of its persoon, and what follows from it.

The live engine, the replay and the tests all call this function. It is level-triggered: it asks the rule what should stand for
every pair of records that the mutatie can have touched, and sends the difference to what was sent before.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from schemas.codec import WireError
from schemas.reasons import Reason
from schemas.values import Mutatie, Place, Signaal, Volging, Volgverzoek
from streams.core.diff import Change, diff, remember
from streams.core.messages import signaal_of
from streams.core.rulebook import DienstRule, Rulebook, Soort
from streams.core.rules import PATTERNS
from streams.core.timeline import Follow, Record, Timeline, forgotten, newer, pack, record_of


class Fate(StrEnum):
    """Where an input record ended; together with quarantine these add up to what came in."""

    OPGESLAGEN = "opgeslagen"  # it is in the timeline
    BEKEND = "bekend"  # the timeline has this version already, or a newer one
    NIET_BEWAARD = "niet_bewaard"  # there is no ground to keep it


class Outcome(NamedTuple):
    """What one mutatie did."""

    timeline: Timeline
    fate: Fate
    signalen: tuple[Signaal, ...] = ()
    volgverzoeken: tuple[tuple[str, Volgverzoek], ...] = ()  # (bron, volgverzoek)


def step(rulebook: Rulebook, timeline: Timeline, soort: Soort, mutatie: Mutatie, place: Place) -> Outcome:
    """Take ``mutatie``, found at ``place``, into ``timeline``; raises WireError when no rule can be applied to it."""
    _refuse_unaddressable(rulebook, soort, mutatie)
    if not _may_keep(rulebook, timeline, soort):
        return Outcome(timeline, Fate.NIET_BEWAARD)
    name = pack(mutatie.record_id)
    position = timeline.position(soort.nummer, name)
    known = None if position is None else timeline.of(soort.nummer)[position]
    if not newer(known, mutatie):
        return Outcome(timeline, Fate.BEKEND)
    record = record_of(soort, mutatie, name, place.offset, known.sent if known else ())
    after = timeline.with_record(soort.nummer, position, record)
    touched = len(after.of(soort.nummer)) - 1 if position is None else position
    after, signalen = _judge(rulebook, timeline, after, soort, touched, mutatie, place)
    if not soort.is_basisfeit:
        return Outcome(after, Fate.OPGESLAGEN, signalen)
    after = _forget(rulebook, after)
    after, volgverzoeken = _follow(rulebook, after, mutatie.registratietijd)
    return Outcome(after, Fate.OPGESLAGEN, signalen, volgverzoeken)


def _refuse_unaddressable(rulebook: Rulebook, soort: Soort, mutatie: Mutatie) -> None:
    if mutatie.feit is None:
        return
    for nummer in soort.grond_voor:
        if mutatie.feit["houder"] not in rulebook.diensten[nummer].ontvangers:
            raise WireError(Reason.HOUDER_ONBEKEND)
        if not mutatie.feit["kenmerk"]:
            raise WireError(Reason.KENMERK_ONTBREEKT)


def _may_keep(rulebook: Rulebook, timeline: Timeline, soort: Soort) -> bool:
    """Nobody without a ground: a record stays only beside a live basisfeit, or when its bron filters itself."""
    if soort.is_basisfeit or soort.filtert_zelf:
        return True
    return any(timeline.has_live(rulebook.diensten[d].basis) for d in soort.gebruikt_door)


def _pairs(rulebook: Rulebook, timeline: Timeline, soort: Soort, touched: int) -> Iterator[tuple[DienstRule, int, int, int]]:
    """(dienst, soort of the feit, position of the feit, position of the basisfeit) of every pair with the touched record."""
    for d in soort.gebruikt_door:
        dienst = rulebook.diensten[d]
        for basis in range(len(timeline.of(dienst.basis))):
            yield dienst, soort.nummer, touched, basis
    for d in soort.grond_voor:
        dienst = rulebook.diensten[d]
        for nummer in dienst.feiten:
            for feit in range(len(timeline.of(nummer))):
                yield dienst, nummer, feit, touched


def _judge(
    rulebook: Rulebook, before: Timeline, after: Timeline, soort: Soort, touched: int, mutatie: Mutatie, place: Place
) -> tuple[Timeline, tuple[Signaal, ...]]:
    signalen: list[Signaal] = []
    for dienst, nummer, i, j in _pairs(rulebook, after, soort, touched):
        feit, basis = after.of(nummer)[i], after.of(dienst.basis)[j]
        changes: list[Change] = list(diff(feit.sent, dienst.nummer, j, PATTERNS[dienst.patroon](dienst, nummer, basis, feit)))
        if not changes:
            continue
        was = before.of(dienst.basis)[j] if j < len(before.of(dienst.basis)) else basis
        signalen += [
            signaal_of(rulebook, dienst, rulebook.soorten[nummer], c, was, basis, feit, mutatie.registratietijd, place) for c in changes
        ]
        new = Record(feit.name, feit.versie, feit.offset, feit.start, feit.end, feit.values, remember(feit.sent, changes))
        after = after.with_record(nummer, i, new)
    return after, tuple(signalen)


def _forget(rulebook: Rulebook, timeline: Timeline) -> Timeline:
    """Drop what may no longer be kept since the last basisfeit went."""
    records = dict(timeline.records)
    for nummer, found in timeline.records.items():
        if not _may_keep(rulebook, timeline, rulebook.soorten[nummer]):
            records[nummer] = tuple(forgotten(r) for r in found if r.sent)
            if not records[nummer]:
                del records[nummer]
    return Timeline(records, timeline.follows)


def _follow(rulebook: Rulebook, timeline: Timeline, registratietijd: int) -> tuple[Timeline, tuple[tuple[str, Volgverzoek], ...]]:
    """Ask each bron for what the live basisfeiten give a ground for, and only when that has changed."""
    wanted: dict[str, list[tuple[int, int]]] = {}
    for dienst in rulebook.diensten.values():
        starts = [r.start for r in timeline.of(dienst.basis) if r.start is not None]
        for bron in dienst.bronnen:
            wanted.setdefault(bron, []).extend([(dienst.nummer, min(starts))] if starts else [])
    follows, asked = dict(timeline.follows), []
    for bron, since in sorted(wanted.items()):
        last = follows.get(bron)
        if tuple(since) != (last.since if last else ()):
            follows[bron] = Follow(last.versie + 1 if last else 1, tuple(since))
            volgt = tuple(Volging(rulebook.diensten[d].naam, day) for d, day in since)
            asked.append((bron, Volgverzoek(follows[bron].versie, registratietijd, volgt)))
    return Timeline(timeline.records, follows), tuple(asked)
