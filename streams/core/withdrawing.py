"""Everything that diensten said about a persoon, withdrawn: when they are no more, or the persoon has become another one."""

from collections.abc import Iterable
from typing import Final

from schemas.values import ElkSignaal
from streams.core.diff import diff, remember
from streams.core.messages import Cause, basissignaal_of
from streams.core.pairs import feiten_of, told
from streams.core.record import Record, with_sent
from streams.core.rulebook import DienstRule, Rulebook, Soort
from streams.core.spells import Standing
from streams.core.timeline import Timeline


def withdrawn(
    rulebook: Rulebook, timeline: Timeline, diensten: Iterable[DienstRule], cause: Cause
) -> tuple[Timeline, tuple[ElkSignaal, ...]]:
    """All that ``diensten`` said, in their own words."""
    signalen, changed = list[ElkSignaal](), list[tuple[Soort, Record]]()
    gone = list(diensten)
    of_pairs = [d for d in gone if d.van_paren]
    for soort, feit in feiten_of(rulebook, timeline) if of_pairs else ():
        record = feit
        for dienst in of_pairs:
            for j, basis in enumerate(timeline.gronden(dienst.basis)):
                record = told(signalen, rulebook, timeline.head.handled, dienst, soort, record, j, basis, basis, None, cause)
        if record is not feit:
            changed.append((soort, record))
    timeline = timeline.with_records(rulebook.soorten, changed)
    for dienst in (d for d in gone if not d.van_paren):
        for j, basis in enumerate(timeline.gronden(dienst.basis)):
            changes = list(diff(basis.sent, dienst.nummer, j, _NOTHING))
            if changes:
                signalen += [basissignaal_of(rulebook, dienst, c, basis, basis, cause) for c in changes]
                grond = rulebook.soorten[dienst.basis], with_sent(basis, remember(basis.sent, changes))
                timeline = timeline.with_records(rulebook.soorten, [grond])
    return timeline, tuple(signalen)


_NOTHING: Final[Standing | None] = None
