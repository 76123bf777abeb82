"""``explain --verify`` of signals on which records act that they do not cite, and of a persoon whose number changed."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from samenloop import reproduction
from samenloop.cited import places_of
from samenloop.errors import NotDoneError
from samenloop.reproduction import Check, check_signaal
from schemas.catalogue import Catalogue
from schemas.codec import Codec, encode_signaal
from schemas.nummers import Nummerwijziging
from schemas.partitioner import partition_of
from schemas.sources import KLOK, NUMMERWIJZIGINGEN
from schemas.values import ElkSignaal, Mutatie, Place
from tests.archived import APP, Log
from tests.kept import PARTITIES, told

DAY, T0, DAY_MS = 20_000, 1_760_000_000_000, 86_400_000
PERSONEN = [bytes([letter]) * 52 for letter in b"ABCDEFGH"]
A = PERSONEN[0]
SAME = next(p for p in PERSONEN[1:] if partition_of(p, PARTITIES) == partition_of(A, PARTITIES))
OTHER = next(p for p in PERSONEN if partition_of(p, PARTITIES) != partition_of(A, PARTITIES))
BASIS, JOB, OPGAVE, DEATH = "gemeente.bijstand", "uwv.inkomstenverhouding", "gemeente.opgegeveninkomen", "rvig.overlijden"
HELD = "dji.detentie"
DOSSIER = {"houder": "gm0599", "kenmerk": "A-1", "wet": "IOAW"}


@pytest.fixture
def log(catalogue: Catalogue) -> Log:
    return Log(catalogue)


def take(log: Log, persoon: bytes, soort: str, versie: int, begin: int | None, name: str = "r-1", **velden: Any) -> None:
    """A version that is open-ended unless it says otherwise, or a withdrawal, which the engine takes at once."""
    feit = None if begin is None else {"begindatum": begin, "einddatum": None, **velden}
    partition, frame = log.put(soort, persoon, Mutatie(name, versie, T0 + versie, feit))
    log.take(partition, [frame])


def basis(log: Log, persoon: bytes) -> None:
    take(log, persoon, BASIS, 1, DAY, **DOSSIER)


def job(log: Log, persoon: bytes, versie: int, employer: str = "123456789L01", end: int | None = None) -> None:
    take(log, persoon, JOB, versie, DAY, einddatum=end, loonheffingennummer=employer, ikv_nummer=1, soort_inkomstenverhouding="15")


def declare(log: Log, persoon: bytes, versie: int, employer: str | None, name: str = "o-1") -> None:
    more = {"houder": "gm0599", "loonheffingennummer": employer, "maandbedrag": None}
    take(log, persoon, OPGAVE, versie, None if employer is None else DAY, name, **({} if employer is None else more))


def klok(log: Log, day: int) -> None:
    """A tick in every partition."""
    value = Codec(log.catalogue).encode(log.catalogue.latest_schema(KLOK).id, {"datum": day})
    for partition in range(PARTITIES):
        log.take(partition, [(KLOK, [log.append(KLOK, partition, None, value)])])


def became(log: Log, old: bytes, new: bytes) -> None:
    """All goes over before anything else comes."""
    value = Codec(log.catalogue).encode_nummerwijziging(Nummerwijziging(1, T0, new.decode()))
    log.append(NUMMERWIJZIGINGEN, partition_of(old, PARTITIES), old, value)
    log.work()


def checked(monkeypatch: pytest.MonkeyPatch, log: Log, history: list[ElkSignaal]) -> Check:
    """What ``explain --verify`` says of a signal, with the topics of ``log``."""

    async def read(_brokers: str, partition: int, until: Mapping[str, int | None]) -> AsyncIterator[Any]:
        for topic, end in until.items():
            for row in log.log.get((topic, partition), []):
                if end is None or row.offset < end:
                    yield type("Record", (), {**vars(row), "topic": topic, "partition": partition})

    monkeypatch.setattr(reproduction, "read_partition", read)
    rows = {Place(t, p, r.offset): r for (t, p), found in log.log.items() for r in found}
    places = {p: rows[p] for s in history for p in places_of(s)}
    sent = {s.versie: [encode_signaal(s)] for s in history}
    return asyncio.run(check_signaal("", log.catalogue, APP, places, history, sent))


def test_a_pair_that_an_opgave_withdrew_and_no_opgave_that_came_later_and_is_not_cited_hides_is_proven(
    monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    one, other = "123456789L01", "987654321L01"
    basis(log, A)
    job(log, A, 1, one)
    declare(log, A, 1, one)
    declare(log, A, 2, None)
    declare(log, A, 1, other, "o-2")  # cited by nothing: it takes away what the next version of the job would say
    job(log, A, 2, other)
    history = told(log)
    assert [s.soort for s in history] == ["NIEUW", "VERVALLEN", "NIEUW", "VERVALLEN"]
    assert checked(monkeypatch, log, history).holds


def test_a_pair_that_a_death_ends_which_came_before_it_mattered_and_is_not_cited_is_proven(
    monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    basis(log, A)
    job(log, A, 1, end=DAY + 40)
    take(log, A, DEATH, 1, DAY + 30, "d-1")
    take(log, A, DEATH, 2, None, "d-1")
    take(log, A, DEATH, 1, DAY + 60, "d-2")  # behind the job as it is now
    job(log, A, 2)
    history = told(log)
    assert [s.einddatum for s in history] == ["2024-11-13", "2024-11-03", "2024-11-13", "2024-12-03"]
    assert checked(monkeypatch, log, history).holds


def test_a_pair_that_was_held_and_let_go_by_a_tick_is_proven_and_a_tick_too_early_is_not(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    first = T0 // DAY_MS
    klok(log, first)
    basis(log, A)
    take(log, A, HELD, 1, DAY, "d-1")
    klok(log, first + 2)
    take(log, A, HELD, 2, DAY + 10, "d-1")
    assert told(log) == []
    klok(log, first + 3)
    (only,) = told(log)
    assert (only.begindatum, only.oorzaak.topic) == ("2024-10-14", "klok")
    assert checked(monkeypatch, log, [only]).holds
    early = replace(only, oorzaak=replace(only.oorzaak, offset=only.oorzaak.offset - 1))
    assert not checked(monkeypatch, log, [early]).holds


def test_a_pair_that_is_as_it_should_be_and_one_that_is_not_are_told_apart_when_something_was_declared(
    monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    basis(log, A)
    declare(log, A, 1, "987654321L01")
    job(log, A, 1)
    (only,) = told(log)
    assert checked(monkeypatch, log, [only]).holds
    (wrong,) = checked(monkeypatch, log, [replace(only, einddatum="2026-01-01")]).reproduction.differences
    assert (wrong.versie, wrong.made) == (1, encode_signaal(only))


def renumbered(log: Log, number: int, versie: int, begin: int, end: int | None) -> None:
    more = {"einddatum": end, "loonheffingennummer": "123456789L01", "ikv_nummer": number, "soort_inkomstenverhouding": "15"}
    take(log, A, JOB, versie, begin, f"j-{number}", **more)


def test_a_job_that_goes_on_under_another_number_is_proven_with_records_that_it_does_not_cite(
    monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    basis(log, A)
    renumbered(log, 1, 1, DAY + 5, None)
    renumbered(log, 2, 1, DAY + 30, None)  # goes on from the first, of which nothing is told
    renumbered(log, 1, 2, DAY + 5, DAY + 29)  # ends, and the job does not
    renumbered(log, 3, 1, DAY - 9, DAY + 4)  # is the first now
    take(log, A, JOB, 2, None, "j-3")
    renumbered(log, 2, 2, DAY + 30, DAY + 60)
    named = {n: [s for s in told(log) if s.bewijs[1].record_id == f"j-{n}"] for n in (1, 3)}
    assert [s.soort for s in named[1]] == ["NIEUW", "VERVALLEN", "NIEUW", "GEWIJZIGD"]
    assert [s.soort for s in named[3]] == ["NIEUW", "VERVALLEN"]
    assert all(checked(monkeypatch, log, history).holds for history in named.values())
    (wrong,) = checked(monkeypatch, log, [*named[1][:3], replace(named[1][3], einddatum="2026-01-01")]).reproduction.differences
    assert (wrong.versie, wrong.made) == (4, encode_signaal(named[1][3]))


@pytest.mark.parametrize("nieuw", [SAME, OTHER], ids=["one partition", "another partition"])
def test_a_signal_about_records_of_two_numbers_is_left_to_replay(monkeypatch: pytest.MonkeyPatch, log: Log, nieuw: bytes) -> None:
    basis(log, A)
    became(log, A, nieuw)
    job(log, nieuw, 1)
    assert [s.soort for s in told(log)] == ["NIEUW"]
    with pytest.raises(NotDoneError, match="number changed: 'replay' proves it"):
        checked(monkeypatch, log, told(log))


@pytest.mark.parametrize("soort", [DEATH, OPGAVE])
def test_a_signal_that_cites_nothing_of_what_went_over_and_follows_from_it_is_left_to_replay(
    monkeypatch: pytest.MonkeyPatch, log: Log, soort: str
) -> None:
    if soort == DEATH:
        take(log, A, BASIS, 1, DAY, "b-0", **DOSSIER)  # without a ground no death is kept
        take(log, A, DEATH, 1, DAY + 50)
        take(log, A, BASIS, 2, None, "b-0")
        take(log, A, BASIS, 3, DAY, "b-0", **DOSSIER)
        take(log, A, DEATH, 1, DAY + 50)
    else:
        declare(log, A, 1, "987654321L01")
    became(log, A, OTHER)
    basis(log, OTHER)
    job(log, OTHER, 1)
    mine = [s for s in told(log) if s.basisfeit.record_id == "r-1"]
    assert [s.soort for s in mine] == ["NIEUW"]
    with pytest.raises(NotDoneError, match="number changed: 'replay' proves it"):
        checked(monkeypatch, log, mine)


def test_a_signal_that_was_withdrawn_before_the_number_changed_is_left_to_replay(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    basis(log, A)
    job(log, A, 1)
    take(log, A, JOB, 2, None)
    became(log, A, OTHER)
    take(log, A, BASIS, 2, None)  # is handed on
    with pytest.raises(NotDoneError, match="number changed: 'replay' proves it"):
        checked(monkeypatch, log, told(log))
