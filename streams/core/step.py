"""``step``: one mutatie into the timeline of its persoon, and what follows from it. ``tick``: the same for days that pass.

The live engine, the replay and the tests all call these functions. They are level-triggered: they ask the rules what should stand for
every pair of records, and every basisfeit, that can have been touched, and send the difference to what was sent before.
"""

from collections.abc import Collection
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from schemas.codec import WireError
from schemas.reasons import Reason
from schemas.values import ElkSignaal, Mutatie, Place, Volging, Volgverzoek
from streams.core.chains import NO_CHAINS, alone_last, chains_of, counted_in
from streams.core.days import Days
from streams.core.diff import diff, remember
from streams.core.ends import counted, counting, end_of
from streams.core.handled import unhandled
from streams.core.held import arrived, day_of, is_held, let_go
from streams.core.messages import Cause, basissignaal_of
from streams.core.pairs import judge_pairs, know_the_klok, next_of_pairs, told, with_what_goes_on
from streams.core.period import BEFORE
from streams.core.record import Record, newer, offset_of, pack, record_of, with_sent
from streams.core.retention import kept, look, touched
from streams.core.rulebook import Rulebook, Soort
from streams.core.rules import samenloop
from streams.core.spells import next_border, on, since, spells
from streams.core.timeline import Follow, Timeline


class Fate(StrEnum):
    """Where an input record ended; together with quarantine these add up to what came in."""

    OPGESLAGEN = "opgeslagen"  # it is in the timeline
    BEKEND = "bekend"  # the timeline has this version already, or a newer one
    NIET_BEWAARD = "niet_bewaard"  # there is no ground to keep it
    DOORGEGEVEN = "doorgegeven"  # it went over to the persoon that this one became


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What one mutatie did."""

    timeline: Timeline
    fate: Fate
    signalen: tuple[ElkSignaal, ...] = ()
    volgverzoeken: tuple[tuple[str, Volgverzoek], ...] = ()  # (bron, volgverzoek)


def step(
    rulebook: Rulebook, timeline: Timeline, soort: Soort, mutatie: Mutatie, place: Place, klok: int | None, taken: Place | None = None
) -> Outcome:
    """Take ``mutatie``, found at ``place``, into ``timeline``; raises WireError when no rule can be applied to it.

    ``klok`` is the day of the newest tick, in days since 1970-01-01; None: there was none. ``taken`` is where it was handed on to the
    persoon, when it came under another number.
    """
    refuse_unaddressable(rulebook, soort, mutatie)
    if not _may_keep(rulebook, timeline, soort):
        return Outcome(timeline, Fate.NIET_BEWAARD)
    name = pack(mutatie.record_id)
    known = timeline.find(soort, name)
    cause, day, fate = Cause(mutatie.registratietijd, taken or place), BEFORE if klok is None else klok, Fate.OPGESLAGEN
    after = timeline if soort.aanhouden is None else arrived(timeline, soort, name, known, day_of(mutatie.registratietijd), day)
    if known is None or newer(known, mutatie):
        offset = place.offset if taken is None else offset_of(place.partition, place.offset, taken.partition)
        record = record_of(soort, mutatie, name, offset, known.sent if known else ())
    elif after is timeline:
        return Outcome(timeline, Fate.BEKEND)
    else:  # an older version that was registered earlier
        record, fate = known, Fate.BEKEND
    if soort.voor_alle:
        after, signalen = judge_pairs(rulebook, timeline, timeline.with_records(rulebook.soorten, [(soort, record)]), day, cause)
    else:
        records, signalen = _judge(rulebook, after, soort, known or record, record, day, cause)
        after = after.with_records(rulebook.soorten, records)
    after = forget(rulebook, after) if soort.is_basisfeit else after
    timed = soort.paren_van or soort.aanhouden is not None
    if soort.telt_mee or (timed and (know_the_klok(rulebook, timeline) or know_the_klok(rulebook, after))):
        after, more = weigh(rulebook, timeline, after, day, cause)
        signalen += more
    after = touched(rulebook, after, klok) if fate is Fate.BEKEND else kept(rulebook, timeline, after, soort, klok)
    if not soort.is_basisfeit:
        return Outcome(after, fate, signalen)
    after, volgverzoeken = follow(rulebook, after, mutatie.registratietijd)
    return Outcome(after, Fate.OPGESLAGEN, signalen, volgverzoeken)


def tick(
    rulebook: Rulebook, timeline: Timeline, klok: int | None, day: int, place: Place, days: Days
) -> tuple[Timeline | None, tuple[ElkSignaal, ...]]:
    """What time alone brings a persoon: the days behind ``klok``, that of the tick before, up to ``day``, that of the tick at ``place``.

    A day of which no tick came passes as if one had come. Only of the days before the first tick of all nobody is told. None: of the
    persoon nothing may be kept any more, and nobody is told of that.
    """
    first, signalen = day if klok is None else klok + 1, list[ElkSignaal]()
    while (due := timeline.due.next) is not None and due <= day:
        before, at, cause = timeline, max(due, first), Cause(day * _DAY_MS, place)
        if before.due.bewaren is not None and before.due.bewaren <= at:
            looked_at = look(rulebook, before, at, day, days)
            if looked_at is None:
                return None, tuple(signalen)
            timeline = looked_at
            continue
        if know_the_klok(rulebook, before):
            timeline, more = judge_pairs(rulebook, before, let_go(rulebook, before, at), at, cause)
            signalen += more
        timeline, more = weigh(rulebook, before, timeline, at, cause)
        signalen += more
        if signalen:
            timeline = timeline.with_due(replace(timeline.due, laatst=day))
    return timeline, tuple(signalen)


_DAY_MS: Final = 86_400_000


def refuse_unaddressable(rulebook: Rulebook, soort: Soort, mutatie: Mutatie) -> None:
    """Raises WireError for a basisfeit of which nobody can be told."""
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


def _judge(
    rulebook: Rulebook, timeline: Timeline, soort: Soort, was: Record, record: Record, day: int, cause: Cause
) -> tuple[list[tuple[Soort, Record]], tuple[ElkSignaal, ...]]:
    """The record and all others of which a pair has to be told of because of it, as they are afterwards, and what is said.

    Only pairs with the record, or with a feit that went on or goes on as one with it, can have changed. ``timeline`` and ``was`` are from
    before it.
    """
    signalen: list[ElkSignaal] = []
    handled = timeline.head.handled
    waits = soort.aanhouden is not None and is_held(timeline, soort, record)
    records = {(soort.nummer, record.name): (soort, record)}
    for d in soort.paar_in:
        dienst = rulebook.diensten[d]
        touched = [record] if soort.nummer not in dienst.groepeer else with_what_goes_on(dienst, soort, timeline, was, record)
        for j, (basis, counts) in enumerate(counting(dienst, timeline)):
            chains = chains_of(dienst, soort.nummer, touched, counts) if len(touched) > 1 else NO_CHAINS
            for feit in alone_last(touched, chains):
                key, of = (soort.nummer, feit.name), chains.get(feit.name, (feit, ()))
                known = records[key][1] if key in records else feit
                wanted = None if waits else samenloop(dienst, soort.nummer, counts, of, day, timeline.head.gronden)
                after = told(signalen, rulebook, handled, dienst, soort, known, j, basis, basis, wanted, cause)
                if after is not known:
                    records[key] = soort, after
    for d in soort.paren_van:
        dienst = rulebook.diensten[d]
        j, counts = timeline.position(dienst.basis, record.name), counted(record, end_of(dienst, timeline))
        for nummer in dienst.feiten:
            other = rulebook.soorten[nummer]
            chains = chains_of(dienst, nummer, timeline.of(other), counts)
            for feit in timeline.of(other):
                _, known = records.get((nummer, feit.name), (other, feit))  # another dienst may have been told of it already
                waits = other.aanhouden is not None and is_held(timeline, other, known)
                wanted = None if waits else samenloop(dienst, nummer, counts, counted_in(chains, feit), day, timeline.head.gronden)
                after = told(signalen, rulebook, handled, dienst, other, known, j, was, record, wanted, cause)
                if after is not known:
                    records[nummer, feit.name] = other, after
    return list(records.values()), tuple(signalen)


def weigh(rulebook: Rulebook, before: Timeline, after: Timeline, day: int, cause: Cause) -> tuple[Timeline, tuple[ElkSignaal, ...]]:
    """Tell what the rules want on ``day`` of each basisfeit and all feiten together; ``before`` is from before the cause."""
    signalen: list[ElkSignaal] = []
    borders = [next_of_pairs(rulebook, after, day)]
    for dienst in rulebook.van_gronden:
        grond, gronden = rulebook.soorten[dienst.basis], after.gronden(dienst.basis)
        soorten = [rulebook.soorten[n] for n in dienst.feiten] if gronden else []
        feiten = [(s, f) for s in soorten for f in after.of(s) if f.period is not None]
        end = end_of(dienst, after)
        for j, basis in enumerate(gronden):
            found = spells(dienst, basis, feiten, end)
            borders.append(next_border(found, day))
            changes = list(diff(basis.sent, dienst.nummer, j, on(found, day)))
            if after.head.handled:
                changes = unhandled(after.head.handled, rulebook, dienst, changes, basis)
            if changes:
                was = before.find(grond, basis.name) or basis
                signalen += [basissignaal_of(rulebook, dienst, c, was, basis, cause) for c in changes]
                after = after.with_records(rulebook.soorten, [(grond, with_sent(basis, remember(basis.sent, changes)))])
    return after.with_due(replace(after.due, regels=min((b for b in borders if b is not None), default=None))), tuple(signalen)


def forget(rulebook: Rulebook, timeline: Timeline) -> Timeline:
    """Drop what may no longer be kept since the last basisfeit went."""
    gone = [nummer for nummer, soort in rulebook.soorten.items() if not _may_keep(rulebook, timeline, soort)]
    return timeline.forgetting(rulebook.soorten, gone) if gone else timeline


def follow(
    rulebook: Rulebook, timeline: Timeline, registratietijd: int, anew: Collection[str] = ()
) -> tuple[Timeline, tuple[tuple[str, Volgverzoek], ...]]:
    """Ask each bron for what the live basisfeiten give a ground for, and only when that has changed; those of ``anew`` in any case."""
    wanted: dict[str, list[tuple[int, int]]] = {}
    for dienst in rulebook.diensten.values():
        starts = [day for basis in timeline.gronden(dienst.basis) if (day := since(dienst, basis)) is not None]
        for bron in dienst.bronnen:
            wanted.setdefault(bron, []).extend([(dienst.nummer, min(starts))] if starts else [])
    follows, asked = dict(timeline.head.follows), []
    for bron, days in sorted(wanted.items()):
        last = follows.get(bron)
        if tuple(days) != (last.since if last else ()) or (days and bron in anew):
            follows[bron] = Follow(last.versie + 1 if last else 1, tuple(days))
            volgt = tuple(Volging(rulebook.diensten[d].naam, day) for d, day in days)
            asked.append((bron, Volgverzoek(follows[bron].versie, registratietijd, volgt)))
    return timeline.with_follows(follows) if asked else timeline, tuple(asked)
