"""Pairs of a basisfeit and a feit: all that an ontvanger is to be told of them, minus what was sent."""

from collections.abc import Iterator

from schemas.values import ElkSignaal
from streams.core.chains import NO_CHAINS, alike, chains_of, counted_in
from streams.core.diff import diff, remember
from streams.core.ends import counting
from streams.core.handled import unhandled
from streams.core.held import is_held, next_let_go
from streams.core.messages import Cause, signaal_of
from streams.core.period import Period
from streams.core.record import Record, with_sent
from streams.core.rulebook import DienstRule, Rulebook, Soort
from streams.core.rules import Wanted, samenloop
from streams.core.timeline import Handled, Timeline


def judge_pairs(rulebook: Rulebook, before: Timeline, after: Timeline, day: int, cause: Cause) -> tuple[Timeline, tuple[ElkSignaal, ...]]:
    """Tell what the rules want on ``day`` of every pair in ``after``; ``before`` is from before the cause."""
    signalen, changed = list[ElkSignaal](), list[tuple[Soort, Record]]()
    diensten = [(d, [*counting(d, after)]) for d in rulebook.diensten.values() if d.van_paren]
    chains = {
        (d.nummer, j, n): chains_of(d, n, after.of(rulebook.soorten[n]), counts)
        for d, gronden in diensten
        for j, (_, counts) in enumerate(gronden)
        for n in d.groepeer
    }
    for soort, feit in feiten_of(rulebook, after):
        record, waits = feit, is_held(after, soort, feit)
        for dienst, gronden in diensten:
            grond = rulebook.soorten[dienst.basis]
            for j, (basis, counts) in enumerate(gronden):
                judged = soort.nummer in dienst.feiten and not waits
                of = counted_in(chains.get((dienst.nummer, j, soort.nummer), NO_CHAINS), feit)
                wanted = samenloop(dienst, soort.nummer, counts, of, day, after.head.gronden) if judged else None
                was = before.find(grond, basis.name) or basis
                record = told(signalen, rulebook, after.head.handled, dienst, soort, record, j, was, basis, wanted, cause)
        if record is not feit:
            changed.append((soort, record))
    return after.with_records(rulebook.soorten, changed), tuple(signalen)


def with_what_goes_on(dienst: DienstRule, soort: Soort, timeline: Timeline, was: Record, record: Record) -> list[Record]:
    """A feit and those that may have gone on as one with it as it was before, or go on so now."""
    if soort.nummer not in dienst.groepeer:
        return [record]
    others = (f for f in timeline.of(soort) if f.name != record.name)
    return [record, *(f for f in others if alike(dienst, soort.nummer, f, was) or alike(dienst, soort.nummer, f, record))]


def next_of_pairs(rulebook: Rulebook, timeline: Timeline, day: int) -> int | None:
    """The first day after ``day`` on which time alone matters to a pair: another ontvanger is told, or a record no longer held."""
    borders = [next_let_go(rulebook, timeline), *(days.end for beurten in _ending(rulebook, timeline) for days, _ in beurten)]
    return min((b for b in borders if b is not None and b > day), default=None)


def know_the_klok(rulebook: Rulebook, timeline: Timeline) -> bool:
    """Whether time alone changes, or has changed, what should stand of some pair."""
    return bool(timeline.head.held) or any(_ending(rulebook, timeline))


def _ending(rulebook: Rulebook, timeline: Timeline) -> Iterator[tuple[tuple[Period, str], ...]]:
    """Who is told on which days of the basisfeiten whose houder ends."""
    for dienst in rulebook.diensten.values():
        if dienst.van_paren and dienst.beurten:
            for basis in timeline.gronden(dienst.basis):
                beurten = None if basis.period is None else dienst.beurten.get(str(basis.values[dienst.houder]))
                if beurten is not None:
                    yield beurten


def feiten_of(rulebook: Rulebook, timeline: Timeline) -> Iterator[tuple[Soort, Record]]:
    """All feiten of a persoon, and the basisfeiten, each of which may be a feit beside another one."""
    for soort in rulebook.soorten.values():
        if not soort.voor_alle:
            yield from ((soort, feit) for feit in timeline.of(soort))


def told(  # noqa: PLR0913, PLR0917 - a pair of records, and what a signaal about it names
    signalen: list[ElkSignaal],
    rulebook: Rulebook,
    handled: Handled,
    dienst: DienstRule,
    soort: Soort,
    feit: Record,
    j: int,
    was: Record,
    basis: Record,
    wanted: Wanted | None,
    cause: Cause,
) -> Record:
    """The feit after the ontvanger was told of it what is ``wanted`` beside the basisfeit at position ``j``."""
    changes = list(diff(feit.sent, dienst.nummer, j, wanted))
    if handled:
        changes = unhandled(handled, rulebook, dienst, changes, basis, (soort.naam, feit.record_id))
    if not changes:
        return feit
    signalen += [signaal_of(rulebook, dienst, soort, c, was, basis, feit, cause) for c in changes]
    return with_sent(feit, remember(feit.sent, changes))
