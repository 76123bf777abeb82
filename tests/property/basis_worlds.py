"""Small worlds of the patterns that judge all feiten of a basisfeit together: mutaties and ticks, and the truth worked out day by day."""

import json
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, uuid5

from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.codec import decode_signaal
from schemas.values import Basissignaal, Mutatie
from streams.effects import Effects
from streams.encoded import rows_in
from tests.property.kerns import Both, Delivered, catalogue_with, codec_of
from tests.property.worlds import FIRST, HORIZON, Told, _feit

PERSOON = b"P" * 52
KLOK = "klok"
SOORTEN = ("gemeente.jongere", "duo.inschrijving", "duo.startkwalificatie")
BEFORE, BEYOND = FIRST - 1, HORIZON + 2_000  # behind the 27th birthday of all who are 23 in between
BORN = ("2001-10-14", "1997-10-20", "2000-02-29", "1997-02-28", "2005-06-01")  # 2024-10-04 is the first day


class Tick(NamedTuple):
    """A tick of the klok."""

    day: int


Event = Told | Tick


def day_of(iso: str) -> int:
    """Days since 1970-01-01."""
    return (date.fromisoformat(iso) - date(1970, 1, 1)).days


def iso(day: int) -> str:
    """ISO 8601."""
    return str(date(1970, 1, 1) + timedelta(days=day))


@st.composite
def _feit_of(draw: st.DrawFn, soort: str) -> dict[str, Any] | None:
    if soort not in SOORTEN:
        return draw(_feit(soort))
    if draw(st.integers(0, 4)) == 0:
        return None
    begin = draw(st.integers(FIRST, HORIZON))
    feit: dict[str, Any] = {"begindatum": begin, "einddatum": draw(st.none() | st.integers(begin, HORIZON))}
    if soort == "gemeente.jongere":
        houder, kenmerk = draw(st.sampled_from(("gm0363", "gm0599"))), draw(st.sampled_from(("A-1", "B-2")))
        return feit | {"houder": houder, "kenmerk": kenmerk, "geboortedatum": day_of(draw(st.sampled_from(BORN)))}
    return feit | ({"onderwijssoort": draw(st.sampled_from(("VO", "HBO")))} if soort == "duo.inschrijving" else {})


@st.composite
def _history(draw: st.DrawFn, soort: str, most: int) -> list[Event]:
    told: list[Event] = []
    for number in range(draw(st.integers(0, most))):
        name = str(uuid5(NAMESPACE_OID, f"{soort}-{number}"))
        for versie in range(1, draw(st.integers(1, 3)) + 1):
            told.append(Told(soort, Mutatie(name, versie, 1_760_000_000_000 + len(told), draw(_feit_of(soort)))))
    return told


@st.composite
def events(draw: st.DrawFn, more: Sequence[str] = (), ticks: int = 4) -> list[Event]:
    """Mutaties of one persoon and ticks, in any order, some more than once; ``more``: other soorten beside those of the dienst."""
    told: list[Event] = []
    for soort, most in (("gemeente.jongere", 2), ("duo.inschrijving", 3), ("duo.startkwalificatie", 1), *((s, 2) for s in more)):
        told += draw(_history(soort, most))
    told += [Tick(day) for day in draw(st.lists(st.integers(FIRST - 2, HORIZON + 3), max_size=ticks))]
    again = draw(st.lists(st.sampled_from(told), max_size=3)) if told else []
    return draw(st.permutations(told + again))


@st.composite
def leavers(draw: st.DrawFn) -> list[Event]:
    """Somebody under 23 with few feiten, most of which end, and ticks around a termijn of a month behind them; in any order."""
    listed = {"begindatum": FIRST, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "geboortedatum": day_of("2005-06-01")}
    told: list[Event] = [Told("gemeente.jongere", Mutatie(str(uuid5(NAMESPACE_OID, "j")), 1, 1_760_000_000_000, listed))]
    for soort, most in (("duo.inschrijving", 2), ("duo.startkwalificatie", 1)):
        for number in range(draw(st.integers(0, most))):
            begin = draw(st.integers(FIRST, HORIZON))
            feit = {"begindatum": begin, "einddatum": draw(st.sampled_from((begin, begin + 7, begin + 20, None)))}
            feit |= {"onderwijssoort": "VO"} if soort == "duo.inschrijving" else {}
            told.append(Told(soort, Mutatie(str(uuid5(NAMESPACE_OID, f"{soort}-{number}")), 1, 1_760_000_000_001, feit)))
    ends = [t.mutatie.feit["einddatum"] for t in told if isinstance(t, Told) and t.mutatie.feit and t.mutatie.feit["einddatum"]]
    late = [st.integers(end + 26, end + 36) for end in ends]
    told += [Tick(day) for day in draw(st.lists(st.one_of(st.integers(FIRST, HORIZON + 60), *late), min_size=1, max_size=3))]
    return draw(st.permutations(told))


def delivered(event: Event, persoon: bytes = PERSOON) -> Delivered:
    """An event as it stands on the log."""
    if isinstance(event, Tick):
        return Delivered(KLOK, None, codec_of(0).encode(catalogue_with(0).latest_schema(KLOK).id, {"datum": event.day}))
    topic, m = f"mutaties.{event.soort}", event.mutatie
    value = {"record_id": m.record_id, "versie": m.versie, "registratietijd": m.registratietijd, "feit": m.feit}
    return Delivered(topic, persoon, codec_of(0).encode(catalogue_with(0).latest_schema(topic).id, value))


def said(effects: Effects) -> list[tuple[str, bytes]]:
    """The signals about basisfeiten that are sent, with their topics."""
    found = [
        (topic, value) for (topic, _), rows in effects.messages.items() if topic.startswith("signalen.") for _, value, _ in rows_in(rows)
    ]
    return [(t, v) for t, v in found if v is not None and isinstance(decode_signaal(v), Basissignaal)]


def told_by(engine: Both, transactions: Iterable[Sequence[Event]], persoon: bytes = PERSOON) -> list[tuple[str, bytes]]:
    """What is said because of some transactions, in order; both cores say it."""
    return [row for events in transactions for row in said(engine.take([delivered(e, persoon) for e in events]))]


Live = set[tuple[Any, ...]]


def live(messages: Iterable[tuple[str, bytes]]) -> Live:
    """What the ontvangers hold in the end."""
    newest: dict[str, Basissignaal] = {}
    for _, value in messages:
        s = decode_signaal(value)
        assert isinstance(s, Basissignaal)
        newest[s.signaal_id] = s
    return {_held(s) for s in newest.values() if s.soort != "VERVALLEN"}


def _held(s: Basissignaal) -> tuple[Any, ...]:
    parts = [(p.soort, p.begindatum, p.einddatum, tuple(sorted(p.velden.items()))) for p in s.gegevens or ()]
    return (s.dienst, s.ontvanger, s.kenmerk, s.basisfeit.record_id, s.begindatum, s.einddatum, json.dumps(parts))


def newest(told: Iterable[Event]) -> tuple[list[Told], int | None]:
    """The newest version of each record that stands, and the newest day of the klok."""
    found: dict[tuple[str, str], Told] = {}
    klok: int | None = None
    for one in told:
        if isinstance(one, Tick):
            klok = one.day if klok is None else max(klok, one.day)
            continue
        key = one.soort, one.mutatie.record_id
        if key not in found or found[key].mutatie.versie < one.mutatie.versie:
            found[key] = one
    return [t for t in found.values() if t.mutatie.feit is not None], klok


def truth(told: Iterable[Event]) -> Live:
    """The same, worked out by walking from day to day around that of the klok."""
    standing, klok = newest(told)
    bases = [t for t in standing if t.soort == "gemeente.jongere"]
    feiten = sorted((t for t in standing if t.soort in SOORTEN[1:]), key=_order)
    found = [rule(b, feiten, klok) for b in bases if klok is not None for rule in (_lacking, _left)]
    return {held for held in found if held is not None}


def _order(t: Told) -> tuple[Any, ...]:
    f = t.mutatie.feit
    assert f is not None
    return f["begindatum"], f["einddatum"] or BEYOND, SOORTEN.index(t.soort), t.mutatie.record_id


def covers(t: Told, day: int) -> bool:
    """Whether the record is there on a day."""
    f = t.mutatie.feit
    return f is not None and f["begindatum"] <= day and (f["einddatum"] is None or day <= f["einddatum"])


def age_on(born: int, day: int) -> int:
    """In whole years."""
    b, d = date.fromisoformat(iso(born)), date.fromisoformat(iso(day))
    return d.year - b.year - ((d.month, d.day) < (b.month, b.day))


def _lacking(basis: Told, feiten: Sequence[Told], klok: int) -> tuple[Any, ...] | None:
    """What stands of jongeren-zonder-startkwalificatie."""
    b = basis.mutatie.feit
    assert b is not None

    def none_on(day: int) -> bool:
        return not any(covers(f, day) for f in feiten)

    def lacks(day: int) -> bool:
        return covers(basis, day) and 23 <= age_on(b["geboortedatum"], day) < 27 and none_on(day)

    if not lacks(klok):
        return None
    first = last = hole = klok
    while lacks(first - 1):
        first -= 1
    while lacks(last + 1) and last < BEYOND:
        last += 1
    while none_on(hole - 1) and hole > BEFORE:
        hole -= 1
    ended = [f for f in feiten if f.mutatie.feit is not None and f.mutatie.feit["einddatum"] == hole - 1]
    parts = [_part(f) for f in ended]
    return (
        "jongeren-zonder-startkwalificatie", b["houder"], b["kenmerk"], basis.mutatie.record_id, iso(first), iso(last), json.dumps(parts),
    )  # fmt: skip


def _left(basis: Told, feiten: Sequence[Told], klok: int) -> tuple[Any, ...] | None:
    """What stands of voortijdig-schoolverlaters: walks back to the day on which the last enrolment ended, and on to the end."""
    b = basis.mutatie.feit
    assert b is not None

    def none_on(day: int) -> bool:
        return not any(covers(f, day) for f in feiten)

    def in_view(day: int) -> bool:
        return covers(basis, day) and age_on(b["geboortedatum"], day) < 23 and none_on(day)

    hole = last = klok
    while none_on(hole - 1) and hole > BEFORE:
        hole -= 1
    ended = [f for f in feiten if f.soort == "duo.inschrijving" and f.mutatie.feit is not None and f.mutatie.feit["einddatum"] == hole - 1]
    begun = date.fromisoformat(iso(hole))
    month = date(begun.year + begun.month // 12, begun.month % 12 + 1, 1)
    late = min(begun.day, ((month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day)
    if not ended or not in_view(klok) or iso(klok) < str(month.replace(day=late)):
        return None
    while in_view(last + 1) and last < BEYOND:
        last += 1
    end = None if last == BEYOND else iso(last)
    return (
        "voortijdig-schoolverlaters", b["houder"], b["kenmerk"], basis.mutatie.record_id, iso(hole), end,
        json.dumps([_part(f) for f in ended]),
    )  # fmt: skip


def _part(t: Told) -> tuple[Any, ...]:
    f = t.mutatie.feit
    assert f is not None
    velden = tuple(sorted((k, v) for k, v in f.items() if k == "onderwijssoort"))
    return t.soort, iso(f["begindatum"]), None if f["einddatum"] is None else iso(f["einddatum"]), velden


def named_by(persoon: bytes, event: Event) -> Event:
    """An event about one of several personen: no two have a record of one name."""
    if isinstance(event, Tick):
        return event
    return Told(event.soort, replace(event.mutatie, record_id=f"{persoon[:1].decode()}-{event.mutatie.record_id}"))


def by_topic(told: list[tuple[str, bytes]]) -> list[tuple[str, tuple[object, ...]]]:
    """What each ontvanger is told, but for the cause, in order: topics have none among them."""
    return sorted(((topic, _without_cause(value)) for topic, value in told), key=itemgetter(0))


def _without_cause(value: bytes) -> tuple[object, ...]:
    s = decode_signaal(value)
    return s.signaal_id, s.versie, s.soort, s.begindatum, s.einddatum, s.kenmerk, s.gegevens
