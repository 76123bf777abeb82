"""Worlds in which somebody may have died: any other world with deaths in between, and what the truth of it becomes."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from hypothesis import strategies as st

from schemas.values import Mutatie
from tests.property import basis_worlds, debtor_worlds, package_worlds
from tests.property.basis_worlds import Event, Live, Tick, newest
from tests.property.package_worlds import PACKAGES, Package
from tests.property.worlds import BASIS, FIRST, HORIZON, Told

DEATH = "rvig.overlijden"
GROUNDS = {BASIS, "gemeente.jongere", debtor_worlds.BASIS, *(p.basis for p in PACKAGES)}
UNASKED = GROUNDS | {"gemeente.opgegeveninkomen"}


@st.composite
def dying(draw: st.DrawFn, world: st.SearchStrategy[Any], days: tuple[int, int] = (FIRST - 2, HORIZON)) -> list[Event]:
    """Some world with deaths of one or two records in it, some corrected or withdrawn; behind it what the bronnen answer when asked."""
    told: list[Event] = list(draw(world))
    for number in range(draw(st.integers(1, 2))):
        for versie in range(1, draw(st.integers(1, 3)) + 1):
            feit = {"begindatum": draw(st.integers(*days)), "einddatum": None} if draw(st.integers(0, 3)) else None
            told.append(Told(DEATH, Mutatie(str(uuid5(NAMESPACE_OID, f"death-{number}")), versie, 1_760_000_000_002 + len(told), feit)))
    told = draw(st.permutations(told))
    return [*told, *answers(told)]


def answers(told: Iterable[Event]) -> list[Event]:
    """The newest of each record that a bron is asked for: of whom nobody had a ground when it came, nothing was kept."""
    found: dict[tuple[str, str], Told] = {}
    for one in told:
        if isinstance(one, Told) and one.soort not in UNASKED:
            key = one.soort, one.mutatie.record_id
            found[key] = max(found.get(key, one), one, key=lambda t: t.mutatie.versie)
    return list(found.values())


def cut(told: Sequence[Event]) -> list[Event]:
    """What stands and the last tick, as if whoever died had ended every basisfeit on that day, and never had a later one."""
    standing, klok = newest(told)
    last = day_of_death(standing)
    kept = [_until(t, last) if t.soort in GROUNDS else t for t in standing if t.soort != DEATH]
    return [*(t for t in kept if t is not None), *([] if klok is None else [Tick(klok)])]


def day_of_death(standing: Iterable[Told]) -> int | None:
    """The first that stands."""
    return min((t.mutatie.feit["begindatum"] for t in standing if t.soort == DEATH and t.mutatie.feit is not None), default=None)


def _until(basis: Told, last: int | None) -> Told | None:
    m = basis.mutatie
    assert m.feit is not None
    days = m.feit["begindatum"], m.feit["einddatum"]
    if last is None or (days[1] is not None and days[1] <= last):
        return basis
    return None if days[0] > last else Told(basis.soort, Mutatie(m.record_id, m.versie, m.registratietijd, m.feit | {"einddatum": last}))


def truth(told: Sequence[Event]) -> Live:
    """What stands of basisfeiten that are judged with all feiten together, by the days up to and including that of the death."""
    left, last = cut(told), day_of_death(newest(told)[0])
    packages = [_before(p, last) for p in PACKAGES]
    return basis_worlds.truth(left) | debtor_worlds.owed(left) | package_worlds.truth(left, packages)


def _before(package: Package, last: int | None) -> Package:
    """Of days behind the last one nothing is told either when they are days of reference."""
    return package._replace(days=lambda feit: [day for day in package.days(feit) if last is None or day <= last])
