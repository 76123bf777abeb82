"""How long anything is kept of a persoon: for the bewaartermijn since its last basisfeit, and since anything last came about it.

While a basisfeit goes on, nobody looks. When none does any more, a day is set on which the klok looks whether it is over: never later
than it can be, since whatever comes meanwhile makes that only later. So a mutatie that changes nothing of this costs nothing.
"""

from msgspec.structs import replace

from streams.core.days import Days
from streams.core.ends import counting
from streams.core.period import BEFORE
from streams.core.rulebook import Rulebook, Soort
from streams.core.timeline import NO_NUMMER, Timeline


def goes_on(rulebook: Rulebook, timeline: Timeline) -> bool:
    """Whether some basisfeit has no last day."""
    return _end(rulebook, timeline) is None


def kept(rulebook: Rulebook, before: Timeline, after: Timeline, soort: Soort, klok: int | None) -> Timeline:
    """After a mutatie: with a day to look at, when no basisfeit goes on any more, or the persoon is new.

    The native core writes the same row.
    """
    if not soort.in_kop and before.head.gronden:
        return after
    if goes_on(rulebook, after) or not (is_nothing(before) or goes_on(rulebook, before)):
        return after
    return _looked_at(rulebook, after.with_due(replace(after.due, laatst=None)), klok)  # what came now bears its place


def touched(rulebook: Rulebook, timeline: Timeline, klok: int | None) -> Timeline:
    """After something of which no record bears the place: it is remembered with its day."""
    timeline = timeline.with_due(replace(timeline.due, laatst=klok))
    return timeline if goes_on(rulebook, timeline) else _looked_at(rulebook, timeline, klok)


def taken_over(old: Rulebook, new: Rulebook, before: Timeline, after: Timeline, klok: int | None, *, told: bool) -> Timeline:
    """Under other rules: the klok looks when it would have, and at once where it is another bewaartermijn; ``told``: something was said."""
    if told:
        return touched(new, after, klok)
    due = replace(after.due, laatst=before.due.laatst, bewaren=before.due.bewaren)
    if goes_on(new, after):
        due = replace(due, bewaren=None)
    elif due.bewaren is None or _termijn(old, before) != _termijn(new, after):
        due = replace(due, bewaren=BEFORE)
    return after.with_due(due)


def is_nothing(timeline: Timeline) -> bool:
    """Whether there is no row of a persoon."""
    return timeline.is_empty and timeline.head.nummer == NO_NUMMER


def _looked_at(rulebook: Rulebook, timeline: Timeline, klok: int | None) -> Timeline:
    """Something just came: until a bewaartermijn behind the next day nothing is over. Without a klok nobody knows; its first tick looks."""
    return timeline.with_due(replace(timeline.due, bewaren=BEFORE if klok is None else klok + 1 + _termijn(rulebook, timeline)))


def look(rulebook: Rulebook, timeline: Timeline, at: int, day: int, days: Days) -> Timeline | None:
    """The persoon on the day ``at``, with the next day to look, or none while a basisfeit goes on; None when it is over.

    ``day`` is that of the tick, behind which other things may come; the same, unless days passed without one.
    """
    end = _end(rulebook, timeline)
    if end is None:
        return timeline.with_due(replace(timeline.due, bewaren=None))
    termijn = _termijn(rulebook, timeline)
    over = termijn + max(end, days.behind(_latest(rulebook, timeline, days)))
    return None if over <= at else timeline.with_due(replace(timeline.due, bewaren=min(over, day + 1 + termijn)))


def _end(rulebook: Rulebook, timeline: Timeline) -> int | None:
    """The first day behind all basisfeiten as they count, BEFORE all days where none stands; None: one goes on."""
    end = BEFORE
    for dienst in rulebook.diensten.values():
        for _, counts in counting(dienst, timeline):
            if counts.period is not None:
                if counts.period.end is None:
                    return None
                end = max(end, counts.period.end)
    return end


def _latest(rulebook: Rulebook, timeline: Timeline, days: Days) -> int:
    """The klok's day when anything last came about a persoon, or was told by time alone."""
    laatst = timeline.due.laatst
    records = ((s, r) for s in rulebook.soorten.values() for r in timeline.of(s) if r.versie and r.offset >= 0)
    return max([BEFORE if laatst is None else laatst, *(days.taken(s.nummer, r.offset) for s, r in records)])


def _termijn(rulebook: Rulebook, timeline: Timeline) -> int:
    """The longest bewaartermijn of the diensten whose basisfeiten are known, in days; of all where there is none."""
    found = [d.bewaren for d in rulebook.diensten.values() if timeline.gronden(d.basis)]
    return max(found, default=rulebook.bewaren)
