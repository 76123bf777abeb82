"""Small worlds of the pattern informatiepakket: mutaties and ticks about one persoon, and the truth worked out by walking over days."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple
from uuid import NAMESPACE_OID, uuid5

from hypothesis import strategies as st

from schemas.values import Mutatie
from streams.core.timeline import timeline_of
from streams.effects import Effects
from streams.encoded import rows_in
from tests.property.basis_worlds import PERSOON, Event, Live, Tick, covers, day_of, delivered, iso, newest, said
from tests.property.kerns import Both, codec_of
from tests.property.worlds import Told

BEGINS: Final = ("2025-03-31", "2025-02-28", "2024-02-29", "2025-01-01", "2025-07-15")  # months before these are of all lengths
NUMBERS: Final = {  # of the soorten: parts of the same days are in their order
    "uwv.inkomstenopgave": 3,
    "uwv.uitkering": 4,
    "svb.pensioen": 5,
    "rdw.voertuig": 20,
    "belastingdienst.vermogen": 21,
    "rvig.huishouden": 42,
}
INCOME: Final = {
    "uwv.inkomstenopgave": ("tijdvak", "loon_sv"),
    "uwv.uitkering": ("regeling", "bruto_bedrag", "onzeker"),
    "svb.pensioen": ("regeling", "bruto_bedrag", "onzeker"),
}
OPEN: Final = 99_999


class Package(NamedTuple):
    """What the oracle knows of a dienst."""

    dienst: str
    basis: str
    soorten: dict[str, tuple[str, ...]]  # with the fields that are told
    days: Callable[[dict[str, Any]], list[int]]  # those of reference, by the feit of the basisfeit
    wacht: int = 3


def _months_before(day: int, months: int) -> list[int]:
    """All days before ``day``, back to the one with its number so many months ago, or the last of a month that is too short."""
    last = date.fromisoformat(iso(day))
    days, first = [], last - timedelta(days=1)
    while True:
        days.append(day_of(str(first)))
        passed = (last.year - first.year) * 12 + last.month - first.month
        month_ends = (first + timedelta(days=1)).month != first.month
        if passed == months and (first.day == last.day or (month_ends and first.day < last.day)):
            return sorted(days)
        first -= timedelta(days=1)


PACKAGES: Final = (
    Package("inkomensafhankelijke-regelingen", "gemeente.regelingaanvraag", INCOME, lambda f: _months_before(f["begindatum"], 12)),
    Package(
        "kwijtschelding",
        "invorderaar.kwijtscheldingsaanvraag",
        INCOME
        | {
            "belastingdienst.vermogen": ("vermogenssoort", "bedrag"),
            "rdw.voertuig": ("kenteken",),
            "rvig.huishouden": ("leefvorm", "aantal_personen"),
        },
        lambda f: [f["peildatum"]],
    ),
    Package(
        "wmo-en-jeugd", "gemeente.voorzieningaanvraag", {"rvig.huishouden": ("leefvorm", "aantal_personen")}, lambda f: [f["begindatum"]]
    ),
    Package(
        "beslagvrije-voet",
        "invorderaar.beslagverzoek",
        INCOME | {"rvig.huishouden": ("leefvorm", "aantal_kinderen")},
        lambda f: _months_before(f["begindatum"], 2),
    ),
)


@st.composite
def _fields(draw: st.DrawFn, soort: str) -> dict[str, Any]:
    """Those of a feit, listed or not, of which some differ from version to version."""
    number = draw(st.integers(1, 2))
    match soort:
        case "uwv.inkomstenopgave":
            hours = draw(st.none() | st.integers(1, 2))  # not listed
            listed = {"tijdvak": "MAAND", "loon_sv": number}
            return listed | {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "verloonde_uren": hours}
        case "belastingdienst.vermogen":
            return {"vermogenssoort": "BANKTEGOED", "bedrag": number}
        case "rdw.voertuig":
            return {"kenteken": "X999XX", "voertuigsoort": "PERSONENAUTO", "bouwjaar": 2018 + number}  # the last two are not listed
        case "rvig.huishouden":
            return {"leefvorm": "PARTNERS", "aantal_personen": number, "aantal_kinderen": draw(st.integers(0, 1))}
        case _:
            return {"regeling": "WW" if soort == "uwv.uitkering" else "AOW", "bruto_bedrag": draw(st.none() | st.just(number))}


@st.composite
def _application(draw: st.DrawFn, basis: str) -> dict[str, Any]:
    begin = day_of(draw(st.sampled_from(BEGINS)))
    end = draw(st.none() | st.integers(begin, begin + 12))
    houder = draw(st.sampled_from(("gm0363", "gm0599") if basis.startswith("gemeente.") else ("gm0363", "ws0013")))
    feit = {"begindatum": begin, "einddatum": end, "houder": houder, "kenmerk": "A-1"}
    return feit | ({"peildatum": begin + draw(st.integers(-3, 1))} if basis == "invorderaar.kwijtscheldingsaanvraag" else {})


@st.composite
def _feit(draw: st.DrawFn, soort: str, days: Sequence[int]) -> dict[str, Any]:
    """Around the first and the last day of reference, or over all of them."""
    near = st.sampled_from((days[0], days[-1])).flatmap(lambda day: st.integers(day - 2, day + 2))
    begin = draw(near | st.just(days[0] - 40))
    end = draw(st.none() | near)
    return {"begindatum": begin, "einddatum": None if end is None else max(begin, end)} | draw(_fields(soort))


@st.composite
def applications(draw: st.DrawFn, packages: Sequence[Package] = PACKAGES) -> list[Event]:
    """Applications of one dienst with feiten and ticks, some withdrawn or corrected, in any order, some more than once."""
    package = draw(st.sampled_from(packages))
    told: list[Event] = []
    days: list[int] = []
    ticks = [day_of(BEGINS[-1])]
    for number in range(draw(st.integers(1, 2))):
        name = str(uuid5(NAMESPACE_OID, f"{package.basis}-{number}"))
        for versie in range(1, draw(st.integers(1, 2)) + 1):
            feit = draw(_application(package.basis))
            days = days or package.days(feit)
            ticks += [feit["begindatum"] + package.wacht, *([] if feit["einddatum"] is None else [feit["einddatum"]])]
            stated = None if draw(st.integers(0, 5)) == 0 else feit
            told.append(Told(package.basis, Mutatie(name, versie, 1_760_000_000_000 + len(told), stated)))
    for soort in package.soorten:
        for number in range(draw(st.integers(0, 2))):
            name = str(uuid5(NAMESPACE_OID, f"{soort}-{number}"))
            for versie in range(1, draw(st.integers(1, 2)) + 1):
                feit = draw(st.none() | _feit(soort, days)) if versie > 1 else draw(_feit(soort, days))
                told.append(Told(soort, Mutatie(name, versie, 1_760_000_000_000 + len(told), feit)))
    near = st.sampled_from(ticks).flatmap(lambda day: st.integers(day - 1, day + 1))
    told += [Tick(day) for day in draw(st.lists(near, max_size=4))]
    again = draw(st.lists(st.sampled_from(told), max_size=3))
    return draw(st.permutations(told + again))


class Node:
    """The engine, and bronnen that answer with the newest version of what reaches the days that were asked for."""

    def __init__(self) -> None:
        self.engine = Both(0)
        self._registered: dict[tuple[str, str], list[Told]] = {}  # all versions that a bron ever delivered

    def tell(self, events: Sequence[Event]) -> list[tuple[str, bytes]]:
        """What is said because of one transaction, and of those that bring the answers to what was asked in it."""
        effects = self.take([one for e in events for one in self._register(e)])
        asked = [(t, rows) for (t, _), rows in effects.messages.items() if t.startswith("volgverzoeken.")]
        answers = [e for topic, rows in asked for _, value, _ in rows_in(rows) for e in self._answer(topic, value)]
        return said(effects) + [row for e in answers for row in self.tell([e])]

    def take(self, events: Sequence[Event]) -> Effects:
        """One transaction."""
        return self.engine.take([delivered(e) for e in events])

    def asked(self) -> dict[str, int]:
        """dienst → the first day that bronnen were last asked for."""
        follows = timeline_of(PERSOON, self.engine.store.rows.get).head.follows.values()
        diensten = self.engine.python.rulebook.diensten
        return {diensten[d].naam: day for follow in follows for d, day in follow.since}

    def _register(self, event: Event) -> list[Event]:
        """What goes out because of it."""
        if isinstance(event, Tick):
            return [event]
        versions = self._registered.setdefault((event.soort, event.mutatie.record_id), [])
        versions.append(event)
        last = _last(versions)
        return [event] if last.mutatie.versie == event.mutatie.versie else [event, last]

    def _answer(self, topic: str, value: bytes | None) -> Iterator[Told]:
        if value is None:  # the persoon was erased: the bron follows nobody any more, and answers nothing
            return
        bron = topic.removeprefix("volgverzoeken.")
        for volging in codec_of(0).decode_volgverzoek(value).volgt:
            soorten = next(p for p in PACKAGES if p.dienst == volging.dienst).soorten
            for (soort, _), versions in self._registered.items():
                if soort in soorten and soort.split(".")[0] == bron and any(_reaches(v, volging.vanaf) for v in versions):
                    yield _last(versions)


def _last(versions: Iterable[Told]) -> Told:
    return max(versions, key=lambda t: t.mutatie.versie)


def _reaches(told: Told, day: int) -> bool:
    feit = told.mutatie.feit
    return feit is not None and (feit["einddatum"] is None or feit["einddatum"] >= day)


def truth(told: Iterable[Event], packages: Sequence[Package] = PACKAGES) -> Live:
    """What the ontvangers hold in the end, by the newest versions and the newest day."""
    standing, klok = newest(told)
    return {
        _package(p, basis, standing, klok)
        for p in packages
        for basis in standing
        if basis.soort == p.basis and klok is not None and covers(basis, klok) and _waited(p, basis, klok)
        if p.days(basis.mutatie.feit or {})
    }


def asked_since(told: Iterable[Event]) -> dict[str, int]:
    """dienst → the first day of which anything counts, where an application stands."""
    found: dict[str, int] = {}
    for basis in newest(told)[0]:
        for p in (p for p in PACKAGES if p.basis == basis.soort):
            assert basis.mutatie.feit is not None
            found[p.dienst] = min(found.get(p.dienst, OPEN), p.days(basis.mutatie.feit)[0])
    return found


def _waited(package: Package, basis: Told, klok: int) -> bool:
    """Whether the application was there before, for so many days."""
    return all(covers(basis, klok - n) for n in range(package.wacht + 1))


def _package(package: Package, basis: Told, standing: Sequence[Told], klok: int) -> tuple[Any, ...]:
    b = basis.mutatie.feit
    assert b is not None
    days = package.days(b)
    found = [t for t in standing if t.soort in package.soorten and any(covers(t, day) for day in days)]
    parts = [_part(t, package.soorten[t.soort]) for t in sorted(found, key=_order)]
    return package.dienst, b["houder"], b["kenmerk"], basis.mutatie.record_id, iso(days[0]), iso(days[-1]), json.dumps(parts)


def _order(t: Told) -> tuple[Any, ...]:
    f = t.mutatie.feit
    assert f is not None
    return f["begindatum"], OPEN if f["einddatum"] is None else f["einddatum"], NUMBERS[t.soort], t.mutatie.record_id


def _part(t: Told, velden: Sequence[str]) -> tuple[Any, ...]:
    f = t.mutatie.feit
    assert f is not None
    listed = tuple(sorted((v, f.get(v)) for v in velden))
    return t.soort, iso(f["begindatum"]), None if f["einddatum"] is None else iso(f["einddatum"]), listed
