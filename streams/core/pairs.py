"""Pairs of a basisfeit and a feit: all that an ontvanger is to be told of them, minus what was sent."""

from collections.abc import Iterator

from schemas.values import ElkSignaal
from streams.core.diff import diff, remember
from streams.core.handled import unhandled
from streams.core.messages import Cause, signaal_of
from streams.core.record import Record, with_sent
from streams.core.rulebook import DienstRule, Rulebook, Soort
from streams.core.rules import Wanted, samenloop
from streams.core.timeline import Handled, Timeline


def judge_pairs(rulebook: Rulebook, before: Timeline, after: Timeline, cause: Cause) -> tuple[Timeline, tuple[ElkSignaal, ...]]:
    """Tell what the rules want of every pair in ``after``; ``before`` is from before the cause."""
    signalen, changed = list[ElkSignaal](), list[tuple[Soort, Record]]()
    diensten = [d for d in rulebook.diensten.values() if d.van_paren]
    for soort, feit in feiten_of(rulebook, after):
        record = feit
        for dienst in diensten:
            grond = rulebook.soorten[dienst.basis]
            for j, basis in enumerate(after.gronden(dienst.basis)):
                wanted = samenloop(dienst, soort.nummer, basis, record) if soort.nummer in dienst.feiten else None
                was = before.find(grond, basis.name) or basis
                record = told(signalen, rulebook, after.head.handled, dienst, soort, record, j, was, basis, wanted, cause)
        if record is not feit:
            changed.append((soort, record))
    return after.with_records(rulebook.soorten, changed), tuple(signalen)


def feiten_of(rulebook: Rulebook, timeline: Timeline) -> Iterator[tuple[Soort, Record]]:
    """All feiten of a persoon."""
    for soort in rulebook.soorten.values():
        if not soort.is_basisfeit:
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
