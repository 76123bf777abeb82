"""Worlds of somebody whose employer renumbers jobs, and what is one job by the days: a walk over the days on which somebody has it."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from hypothesis import strategies as st

from schemas.values import Mutatie
from tests.property import worlds
from tests.property.basis_worlds import Event, newest
from tests.property.death_worlds import answers
from tests.property.test_death import LISTED
from tests.property.worlds import BASIS, FIRST, HORIZON, Told

JOB = "uwv.inkomstenverhouding"
EMPLOYERS = ("123456789L01", "987654321L01")
KINDS = ("15", "31")  # wages, and a benefit of the same payer
SHOWN = LISTED | {JOB: ("loonheffingennummer", "ikv_nummer", "soort_inkomstenverhouding")}


@st.composite
def _job(draw: st.DrawFn, ikv: int) -> dict[str, Any] | None:
    if draw(st.integers(0, 4)) == 0:
        return None
    begin = draw(st.integers(FIRST, FIRST + 14))
    end = draw(st.none() | st.integers(begin, min(begin + 6, HORIZON)))
    employer, kind = draw(st.sampled_from((*EMPLOYERS[:1] * 3, EMPLOYERS[1]))), draw(st.sampled_from((*KINDS[:1] * 3, KINDS[1])))
    return {"begindatum": begin, "einddatum": end, "loonheffingennummer": employer, "ikv_nummer": ikv, "soort_inkomstenverhouding": kind}


@st.composite
def jobs(draw: st.DrawFn, most: int = 4) -> list[Told]:
    """All versions of some inkomstenverhoudingen of one or two employers, many of which go on from each other."""
    told = []
    for number in range(draw(st.integers(1, most))):
        for versie in range(1, draw(st.integers(1, 2)) + 1):
            name = str(uuid5(NAMESPACE_OID, f"{JOB}-{number}"))
            told.append(Told(JOB, Mutatie(name, versie, 1_760_000_000_000 + len(told), draw(_job(number + 1)))))
    return told


@st.composite
def working(draw: st.DrawFn) -> list[Event]:
    """Somebody with bijstand and jobs; in any order and some of it twice, with what the bronnen answer behind it."""
    told: list[Event] = [*draw(worlds.histories(BASIS, 2)), *draw(jobs())]
    again = draw(st.lists(st.sampled_from(told), max_size=3))
    told = draw(st.permutations(told + again))
    return [*told, *answers(told)]


def truth(told: Sequence[Event]) -> worlds.Live:
    """All pairs of a bijstand and a job that share a day."""
    return beside_each(newest(told)[0])


def beside_each(standing: Sequence[Told]) -> worlds.Live:
    """The pairs of each bijstand with what shares a day with it, another gemeente's among it; of no other is a bron asked."""
    found = worlds.truth([t for t in standing if t.soort == BASIS], SHOWN)
    for basis in (t for t in standing if t.soort == BASIS):
        feiten = [t for t in standing if t.soort != BASIS and worlds.days(t) & worlds.days(basis)]
        found |= worlds.truth([basis, *chained(feiten)], SHOWN)
    return found


def chained(standing: Iterable[Told]) -> list[Told]:
    """Feiten, with one record for all that leave no day between them at one employer, of one kind."""
    left, alike = list[Told](), dict[tuple[str, str], list[Told]]()
    for t in standing:
        feit = t.mutatie.feit
        if t.soort == JOB and feit is not None:
            alike.setdefault((feit["loonheffingennummer"], feit["soort_inkomstenverhouding"]), []).append(t)
        else:
            left.append(t)
    return [*left, *(one for mine in alike.values() for one in _runs(mine))]


def _runs(mine: Sequence[Told]) -> Iterable[Told]:
    """The first record of each run of days, with the last day of it."""
    has = {day for t in mine for day in worlds.days(t)}
    firsts: dict[int, Told] = {}
    for t in sorted(mine, key=lambda t: (_begin(t), t.mutatie.record_id)):
        day = _begin(t)
        while day - 1 in has:
            day -= 1
        firsts.setdefault(day, t)
    for day, t in firsts.items():
        last, m = day, t.mutatie
        while last + 1 in has:
            last += 1
        assert m.feit is not None
        end = None if last == worlds.BEYOND else last
        yield Told(t.soort, Mutatie(m.record_id, m.versie, m.registratietijd, m.feit | {"einddatum": end}))


def _begin(told: Told) -> int:
    assert told.mutatie.feit is not None
    return int(told.mutatie.feit["begindatum"])
