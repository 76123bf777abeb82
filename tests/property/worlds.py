"""Small worlds for Hypothesis: mutaties about one persoon, the engine's run over them, and the truth worked out day by day."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from hypothesis import strategies as st

from bench.catalogues import job_catalogue
from schemas.catalogue import Catalogue
from schemas.codec import encode_signaal
from schemas.values import Mutatie, Place, Signaal
from streams.core.rulebook import Rulebook, rulebook_of
from streams.core.step import Fate, step
from streams.core.timeline import Timeline, timeline_of

BASIS = "gemeente.bijstand"
FIRST, HORIZON = 20_000, 20_030  # begin days lie between; whatever is open reaches the horizon and beyond
LISTED = {
    "duo.studiefinanciering": ("regeling", "onderwijssoort", "maandbedrag"),
    "uwv.inkomstenopgave": ("loonheffingennummer", "tijdvak", "loon_sv"),
}
PUBLISHED = LISTED | {BASIS: ("houder", "wet")}  # of which records are told of beside those of other houders
HOUDERS = ("gm0363", "gm0599", "gm0014")


class Told(NamedTuple):
    """A mutatie and its soort."""

    soort: str
    mutatie: Mutatie


@cache
def catalogue() -> Catalogue:
    """The job of the comparison: unlike in the published catalogue, bronnen deliver a field that no dienst lists."""
    with TemporaryDirectory() as folder:
        return Catalogue.load(job_catalogue(Path(folder)))


@cache
def rules() -> Rulebook:
    """Its rules."""
    return rulebook_of(catalogue())


def _period(draw: st.DrawFn) -> dict[str, Any]:
    begin = draw(st.integers(FIRST, HORIZON))
    end = draw(st.none() | st.integers(begin, HORIZON))
    return {"begindatum": begin, "einddatum": end}


@st.composite
def _feit(draw: st.DrawFn, soort: str) -> dict[str, Any] | None:
    if draw(st.integers(0, 4)) == 0:
        return None
    feit = _period(draw)
    if soort == BASIS:
        return feit | {"houder": draw(st.sampled_from(HOUDERS)), "kenmerk": draw(st.sampled_from(("A-1", "B-2"))), "wet": "PARTICIPATIEWET"}
    if soort == "duo.studiefinanciering":
        return feit | {"regeling": "WTOS", "onderwijssoort": "VO", "maandbedrag": draw(st.none() | st.integers(1, 2))}
    hours = draw(st.integers(1, 2))  # a field that the dienst does not list
    return feit | {
        "loonheffingennummer": "123456789L01",
        "ikv_nummer": 1,
        "tijdvak": "MAAND",
        "loon_sv": draw(st.integers(1, 2)),
        "verloonde_uren": hours,
    }


@st.composite
def histories(draw: st.DrawFn, soort: str, records: int) -> list[Told]:
    """All versions of some records, in the order in which the bron registered them."""
    told = []
    for number in range(draw(st.integers(0, records))):
        name = f"{soort}-{number}"
        for versie in range(1, draw(st.integers(1, 3)) + 1):
            told.append(Told(soort, Mutatie(name, versie, 1_760_000_000_000 + len(told), draw(_feit(soort)))))
    return told


@st.composite
def deliveries(draw: st.DrawFn, soort: str, records: int = 3, twice: int = 4) -> list[Told]:
    """Histories of basisfeiten and of ``soort``, in any order, some of them more than once."""
    told = draw(histories(BASIS, 2)) + draw(histories(soort, records))
    again = draw(st.lists(st.sampled_from(told), max_size=twice)) if told else []
    return draw(st.permutations(told + again))


@dataclass
class Run:
    """What the engine did with some deliveries; between them state is kept as rows."""

    rows: dict[bytes, bytes] = field(default_factory=dict)
    signalen: list[Signaal] = field(default_factory=list)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    offset: int = 0

    def take(self, told: Told) -> list[tuple[str, Any]]:
        """One mutatie, through the bytes in which state is kept; the volgverzoeken that it led to."""
        soort = next(s for s in rules().soorten.values() if s.naam == told.soort)
        before = self.timeline
        outcome = step(rules(), before, soort, told.mutatie, Place(soort.topic, 0, self.offset), None)
        self.offset += 1
        if outcome.timeline is not before:
            for key, row in outcome.timeline.rows().items():
                self.rows.pop(key, None)
                self.rows |= {} if row is None else {key: row}
        self.signalen += outcome.signalen
        self.asked += outcome.volgverzoeken
        self.fates.append(outcome.fate)
        return list(outcome.volgverzoeken)

    @property
    def timeline(self) -> Timeline:
        """The state of the persoon."""
        return timeline_of(b"P", self.rows.get)

    @property
    def bytes(self) -> list[bytes]:
        """The signals as they would go over the wire."""
        return [encode_signaal(s) for s in self.signalen]


def run(told: Iterable[Told]) -> Run:
    """The engine over ``told``, in this order."""
    result = Run()
    for one in told:
        result.take(one)
    return result


Live = set[tuple[Any, ...]]


def live(signalen: Sequence[Signaal]) -> Live:
    """What an ontvanger who took all signals holds in the end."""
    newest: dict[str, Signaal] = {}
    for s in signalen:
        newest[s.signaal_id] = s
    return {
        (s.ontvanger, s.kenmerk, s.basisfeit.record_id, s.feit.record_id, s.begindatum, s.einddatum, json.dumps(s.gegevens, sort_keys=True))
        for s in newest.values()
        if s.soort != "VERVALLEN"
    }


def truth(
    told: Iterable[Told], listed: Mapping[str, Sequence[str]] = LISTED, who: Callable[[str], str | None] = lambda houder: houder
) -> Live:
    """The same, worked out by laying the days of the newest versions beside each other, one by one.

    ``who`` is told in the place of a houder: of a basisfeit beside another one only when each is told to somebody else.
    """
    newest: dict[tuple[str, str], Told] = {}
    for one in told:
        key = one.soort, one.mutatie.record_id
        if key not in newest or newest[key].mutatie.versie < one.mutatie.versie:
            newest[key] = one
    standing = [t for t in newest.values() if t.mutatie.feit is not None]
    return {
        _pair(basis, feit, shared, listed[feit.soort])
        for basis in standing
        for feit in standing
        if basis.soort == BASIS and feit.soort in listed and (shared := sorted(days(basis) & days(feit)))
        if feit.soort != BASIS or who(basis.mutatie.feit["houder"]) != who(feit.mutatie.feit["houder"]) is not None
    }


BEYOND = HORIZON + 10


def days(told: Told) -> set[int]:
    """All days of what stands; what is open has the last one."""
    assert told.mutatie.feit is not None
    begin, end = told.mutatie.feit["begindatum"], told.mutatie.feit["einddatum"]
    return set(range(begin, (BEYOND if end is None else end) + 1))


def _pair(basis: Told, feit: Told, shared: list[int], listed: Sequence[str]) -> tuple[Any, ...]:
    from datetime import date, timedelta

    def iso(day: int) -> str:
        return str(date(1970, 1, 1) + timedelta(days=day))

    b, f = basis.mutatie, feit.mutatie
    assert b.feit is not None
    assert f.feit is not None
    gegevens = json.dumps({v: f.feit[v] for v in listed}, sort_keys=True)
    end = None if shared[-1] == BEYOND else iso(shared[-1])
    return (b.feit["houder"], b.feit["kenmerk"], b.record_id, f.record_id, iso(shared[0]), end, gegevens)
