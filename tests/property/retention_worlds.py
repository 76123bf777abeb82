"""Small worlds in which years pass: mutaties of some personen, and the klok that strikes on some days; and what may be kept, day by day."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, uuid5

from hypothesis import strategies as st

from schemas.bewaren import bewaardagen
from schemas.values import Mutatie
from tests.property.basis_worlds import Tick, day_of
from tests.property.worlds import FIRST, Told

TERMIJN = bewaardagen("P15M")
FOR_EVER = 10**6
PERSONEN = (b"A" * 52, b"B" * 52)
BIJSTAND, JONGERE, LOON, DOOD = "gemeente.bijstand", "gemeente.jongere", "uwv.inkomstenverhouding", "rvig.overlijden"
OPGAVE, SCHOOL = "gemeente.opgegeveninkomen", "duo.startkwalificatie"
SOORTEN = (BIJSTAND, JONGERE, LOON, DOOD, OPGAVE, SCHOOL)
GROUNDS = {BIJSTAND: {BIJSTAND, LOON, DOOD, OPGAVE}, JONGERE: {JONGERE, DOOD, SCHOOL}}  # basisfeit → what is kept beside it
UNASKED = {BIJSTAND, JONGERE, OPGAVE, SCHOOL}  # kept in any case
JUMPS = (1, 2, 40, 200, TERMIJN - 1, TERMIJN, TERMIJN + 1, 3 * TERMIJN)
OWN: dict[str, dict[str, Any]] = {
    BIJSTAND: {"houder": "gm0363", "kenmerk": "A-1", "wet": "PARTICIPATIEWET"},
    JONGERE: {"houder": "gm0363", "kenmerk": "A-2", "geboortedatum": day_of("1999-06-01")},
    LOON: {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "soort_inkomstenverhouding": "15"},
    OPGAVE: {"houder": "gm0363", "loonheffingennummer": "123456789L01", "maandbedrag": None},
}


class About(NamedTuple):
    """A mutatie of a persoon."""

    persoon: bytes
    told: Told


Event = About | Tick


@st.composite
def years(draw: st.DrawFn, most: int = 14, soorten: Sequence[str] = SOORTEN, *, rising: bool = False) -> list[Event]:
    """Mutaties whose days lie around those of the klok, in any order of their versions or rising, and ticks with days between them."""
    events, day = list[Event](), FIRST
    for number in range(draw(st.integers(3, most))):
        if draw(st.integers(0, 2)) == 0:
            day += draw(st.sampled_from(JUMPS))
            events.append(Tick(day))
            continue
        soort = draw(st.sampled_from((BIJSTAND, BIJSTAND, *soorten)))
        name = str(uuid5(NAMESPACE_OID, f"{soort}-{draw(st.integers(0, 1))}"))
        versie = number + 1 if rising else draw(st.integers(1, 4))
        told = Told(soort, Mutatie(name, versie, 1_760_000_000_000 + number, draw(_feit(soort, day))))
        events.append(About(draw(st.sampled_from(PERSONEN)), told))
    return [*events, Tick(day + draw(st.sampled_from(JUMPS)))]


@st.composite
def _feit(draw: st.DrawFn, soort: str, day: int) -> dict[str, Any] | None:
    if draw(st.integers(0, 5)) == 0:
        return None
    begin = day - draw(st.sampled_from((0, 1, 30, 600)))
    end = draw(st.none() | st.sampled_from((begin, begin + 20, begin + 600, begin + 3 * TERMIJN)))
    return {"begindatum": begin, "einddatum": end, **OWN.get(soort, {})}


class Life:
    """What is known of one persoon since it was heard of: only what decides how long that is."""

    def __init__(self) -> None:
        self.newest: dict[tuple[str, str], Mutatie] = {}
        self.came: set[int] = set()  # how often the klok had struck when something came, or was told

    def take(self, told: Told, struck: int) -> bool:
        """Whether a mutatie made any difference."""
        key, m = (told.soort, told.mutatie.record_id), told.mutatie
        if not self._keeps(told.soort) or (key in self.newest and self.newest[key].versie >= m.versie):
            return False
        self.newest[key] = m
        self.came.add(struck)
        if told.soort in GROUNDS:
            self.newest = {key: m for key, m in self.newest.items() if self._keeps(key[0])}
        return True

    def _keeps(self, soort: str) -> bool:
        grounds = {s for (s, _), m in self.newest.items() if s in GROUNDS and m.feit is not None}
        return soort in UNASKED or any(soort in GROUNDS[g] for g in grounds)

    def is_over(self, day: int, struck: list[int]) -> bool:
        """Whether nothing of it may be kept any more on a day: by then the klok had struck on the days ``struck``."""
        since = [next((d for d in struck[n:]), None) for n in self.came]
        return all(d is not None and d + TERMIJN <= day for d in since) and self._last() + TERMIJN < day

    def _last(self) -> int:
        """The last day with a basisfeit, as far as anybody knows: of one that goes on there is none."""
        died = min((m.feit["begindatum"] for (s, _), m in self.newest.items() if s == DOOD and m.feit is not None), default=FOR_EVER)
        feiten = [m.feit for (soort, _), m in self.newest.items() if soort in GROUNDS and m.feit is not None]
        ends = [min(died, FOR_EVER if f["einddatum"] is None else f["einddatum"]) for f in feiten if f["begindatum"] <= died]
        return max(ends, default=-FOR_EVER)


class Days:
    """The truth: who is known, and who is erased when."""

    def __init__(self) -> None:
        self.lives: dict[bytes, Life] = {}
        self.struck: list[int] = []

    def take(self, event: Event, told: set[bytes]) -> set[bytes]:
        """Who is erased because of it; of ``told`` something was said because of a tick, which puts it off."""
        if isinstance(event, About):
            life = self.lives.setdefault(event.persoon, Life())
            if not life.take(event.told, len(self.struck)) and not life.came:
                del self.lives[event.persoon]
            return set()
        first = self.struck[-1] + 1 if self.struck else event.day
        self.struck.append(event.day)
        for persoon in told:
            self.lives[persoon].came.add(len(self.struck))
        over = {p for p, life in self.lives.items() if any(life.is_over(d, self.struck) for d in range(first, event.day + 1))}
        for persoon in over:
            del self.lives[persoon]
        return over
