"""What a bron registers and corrects within days: held until the days of its ``aanhouden`` are over, and then told as it stands.

They run from the day on which the earliest version that is known was registered, so that the order of arrival does not matter. Only what
is held is remembered, in the head of the persoon: a record that is known and not held was let go, and is told from then on as any other.
"""

from streams.core.period import day_after
from streams.core.record import Record
from streams.core.rulebook import Rulebook, Soort
from streams.core.timeline import Timeline

_DAY_MS = 86_400_000


def arrived(timeline: Timeline, soort: Soort, name: bytes, known: Record | None, registered: int | None, day: int) -> Timeline:
    """The timeline with what a version, also an older one, does to what is held on the klok's ``day``; the same when that is nothing.

    ``registered`` is the day of the earliest version that came; None: it was let go under another number of the persoon.
    """
    first = held_since(timeline, soort, name)
    if soort.aanhouden is None or (first is None and known is not None and known.versie):
        return timeline
    earliest = None if registered is None else registered if first is None else min(first, registered)
    held = earliest if earliest is not None and day_after(earliest, soort.aanhouden) > day else None
    return timeline if held == first else timeline.with_held(soort, name, held)


def day_of(registratietijd: int) -> int:
    """The day (UTC) of a moment."""
    return registratietijd // _DAY_MS


def held_since(timeline: Timeline, soort: Soort, name: bytes) -> int | None:
    """While a record is held, the day on which it was first registered."""
    return timeline.head.held.get(soort.nummer, {}).get(name)


def is_held(timeline: Timeline, soort: Soort, record: Record) -> bool:
    """Whether a record is not to be told yet."""
    return held_since(timeline, soort, record.name) is not None


def until(timeline: Timeline, soort: Soort, name: bytes) -> int | None:
    """The day from which a record that is held is told."""
    first = held_since(timeline, soort, name)
    return None if first is None or soort.aanhouden is None else day_after(first, soort.aanhouden)


def let_go(rulebook: Rulebook, timeline: Timeline, day: int) -> Timeline:
    """The timeline without what is no longer held on the klok's ``day``."""
    for nummer, held in timeline.head.held.items():
        soort = rulebook.soorten[nummer]
        for name in held:
            due = until(timeline, soort, name)
            if due is None or due <= day:
                timeline = timeline.with_held(soort, name, None)
    return timeline


def next_let_go(rulebook: Rulebook, timeline: Timeline) -> int | None:
    """The first day on which something is no longer held."""
    due = (until(timeline, rulebook.soorten[n], name) for n, held in timeline.head.held.items() for name in held)
    return min((day for day in due if day is not None), default=None)
