"""Small worlds of the pattern drempel: what is reclaimed of a persoon, what is earned, and the truth worked out day by day."""

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import floor
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from hypothesis import strategies as st

from schemas.values import Mutatie
from tests.property.basis_worlds import Event, Live, Tick, covers, iso
from tests.property.worlds import FIRST, HORIZON, Told, _feit

BASIS = "gemeente.terugvordering"
INCOMES = ("uwv.inkomstenopgave", "uwv.uitkering")
LISTED = {"uwv.inkomstenopgave": ("loon_sv", "tijdvak"), "uwv.uitkering": ("bruto_bedrag", "onzeker")}
WAGES = (-300, -1, 0, 600, 601, 1_107, 1_108, 1_109, 1_200, 1_201, 2**62)  # 1,108 in four weeks are 1,200 and a third in a month
NEVER = HORIZON + 1  # nothing begins or ends behind it


@st.composite
def _feit_of(draw: st.DrawFn, soort: str, wages: Sequence[int] = WAGES) -> dict[str, Any] | None:
    if soort not in {BASIS, *INCOMES}:
        return draw(_feit(soort))
    if draw(st.integers(0, 5)) == 0:
        return None
    begin = draw(st.integers(FIRST, HORIZON))
    feit: dict[str, Any] = {"begindatum": begin, "einddatum": draw(st.none() | st.integers(begin, HORIZON))}
    if soort == BASIS:
        grens = draw(st.sampled_from((1_200, 1_200, 600, 0, -5, 2**62)))
        houder, kenmerk = draw(st.sampled_from(("gm0363", "gm0599"))), draw(st.sampled_from(("A-1", "B-2")))
        return feit | {"houder": houder, "kenmerk": kenmerk, "drempelbedrag": grens}
    if soort == "uwv.uitkering":
        return feit | {"regeling": "WW", "bruto_bedrag": draw(st.sampled_from((None, 600, 1_200, 1_300)))}
    employer = {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "verloonde_uren": None}
    return feit | employer | {"tijdvak": draw(st.sampled_from(tuple(TIMES))), "loon_sv": draw(st.sampled_from(wages))}


@st.composite
def debtors(draw: st.DrawFn, more: Sequence[str] = (), ticks: int = 3) -> list[Event]:
    """Mutaties of one persoon and ticks, in any order, some more than once; ``more``: other soorten beside those of the dienst."""
    told: list[Event] = []
    for soort, most in ((BASIS, 2), (INCOMES[0], 4), (INCOMES[1], 2), *((s, 2) for s in more)):
        for number in range(draw(st.integers(0, most))):
            name = str(uuid5(NAMESPACE_OID, f"{soort}-{number}"))
            for versie in range(1, draw(st.integers(1, 2)) + 1):
                told.append(Told(soort, Mutatie(name, versie, 1_760_000_000_000 + len(told), draw(_feit_of(soort)))))
    told += [Tick(day) for day in draw(st.lists(st.integers(FIRST - 2, HORIZON + 3), max_size=ticks))]
    again = draw(st.lists(st.sampled_from(told), max_size=2)) if told else []
    return draw(st.permutations(told + again))


@st.composite
def earners(draw: st.DrawFn) -> list[Event]:
    """Somebody from whom much is reclaimed for long, with little income around the threshold, and ticks around its days."""
    days = st.integers(FIRST, FIRST + 12)
    reclaimed = {"begindatum": FIRST + draw(st.integers(0, 3)), "einddatum": draw(st.none() | st.just(FIRST + 10))}
    reclaimed |= {"houder": "gm0363", "kenmerk": "A-1", "drempelbedrag": 1_200}
    told: list[Event] = [Told(BASIS, Mutatie(str(uuid5(NAMESPACE_OID, "t")), 1, 1_760_000_000_000, reclaimed))]
    for number in range(draw(st.integers(1, 3))):
        begin, soort = draw(days), draw(st.sampled_from((INCOMES[0], INCOMES[0], INCOMES[1])))
        feit = draw(_feit_of(soort, (-300, 600, 1_108, 1_109, 1_200, 1_201)).filter(bool)) | {
            "begindatum": begin,
            "einddatum": draw(st.none() | st.integers(begin, begin + 6)),
        }
        told.append(Told(soort, Mutatie(str(uuid5(NAMESPACE_OID, f"{soort}-{number}")), 1, 1_760_000_000_001, feit)))
    told += [Tick(day) for day in draw(st.lists(days, max_size=1))]
    last = draw(st.sampled_from((NEVER, *(t.mutatie.feit["begindatum"] for t in told if isinstance(t, Told) and t.mutatie.feit))))
    return [*draw(st.permutations(told)), Tick(last - 1), Tick(last)]


def answers(told: Iterable[Event]) -> list[Told]:
    """What the register of the bron answers to a volgverzoek: the newest of each record of income."""
    newest = _newest(told).values()
    return [t for t in newest if t.soort in INCOMES]


def answered(told: st.SearchStrategy[list[Event]]) -> st.SearchStrategy[list[Event]]:
    """The same with the answers of the register behind them."""
    return told.map(lambda events: [*events, *answers(events)])


def _newest(told: Iterable[Event]) -> dict[tuple[str, str], Told]:
    newest: dict[tuple[str, str], Told] = {}
    for one in told:
        if isinstance(one, Told):
            key = one.soort, one.mutatie.record_id
            if key not in newest or newest[key].mutatie.versie < one.mutatie.versie:
                newest[key] = one
    return newest


def owed(told: Sequence[Event]) -> Live:
    """What should stand, worked out by adding up what there is on each day."""
    klok = max((t.day for t in told if isinstance(t, Tick)), default=None)
    standing = [t for t in _newest(told).values() if t.mutatie.feit is not None]
    incomes = sorted((t for t in standing if t.soort in INCOMES and monthly(t) is not None), key=_order)
    found = [_risen(b, incomes, klok) for b in standing if b.soort == BASIS and klok is not None]
    return {held for held in found if held is not None}


def _risen(basis: Told, incomes: Sequence[Told], klok: int) -> tuple[Any, ...] | None:
    b = basis.mutatie.feit
    assert b is not None

    def above(day: int) -> bool:
        there = [monthly(t) or 0 for t in incomes if covers(t, day)]
        return covers(basis, day) and sum(there) > b["drempelbedrag"] and sum(there) > 0

    first = next((day for day in range(min(klok, NEVER), FIRST - 1, -1) if above(day)), None)
    if first is None:
        return None
    last = first
    while above(first - 1):
        first -= 1
    while above(last + 1) and last < NEVER:
        last += 1
    parts = [_part(t) for t in incomes if any(covers(t, day) for day in range(first, last + 1))]
    return (
        "inkomen-bij-terugvordering", b["houder"], b["kenmerk"], basis.mutatie.record_id,
        iso(first), None if last == NEVER else iso(last), json.dumps(parts),
    )  # fmt: skip


TIMES = {"MAAND": Fraction(1), "VIER_WEKEN": Fraction(13, 12), "OVERIG": None}


def monthly(t: Told) -> int | None:
    """The amount of a feit as that of a month, if it is known."""
    f = t.mutatie.feit
    assert f is not None
    if t.soort == "uwv.uitkering":
        return f["bruto_bedrag"]
    times = TIMES[f["tijdvak"]]
    if times is None and f["einddatum"] is not None:
        times = Fraction(365, 12) / len(range(f["begindatum"], f["einddatum"] + 1))
    return None if times is None else floor(f["loon_sv"] * times)


def _order(t: Told) -> tuple[Any, ...]:
    f = t.mutatie.feit
    assert f is not None
    end = NEVER if f["einddatum"] is None else f["einddatum"]
    return f["begindatum"], end, INCOMES.index(t.soort), t.mutatie.record_id


def _part(t: Told) -> tuple[Any, ...]:
    f = t.mutatie.feit
    assert f is not None
    velden = tuple((name, f.get(name)) for name in LISTED[t.soort])
    return t.soort, iso(f["begindatum"]), None if f["einddatum"] is None else iso(f["einddatum"]), velden
