"""DuckDB and the engine agree on what stands, whatever the order of arrival; on what could be known, and on what held on a day."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.values import Mutatie
from streams.audit.archive import Archive
from streams.audit.second_opinion import AsOf, Opinion, second_opinion
from tests.archived import APP, Log
from tests.property.worlds import BASIS, FIRST, HORIZON, Told, catalogue, histories, truth

FOLLOWED = "uwv.inkomstenopgave"
SELF_FILTERING = "duo.studiefinanciering"
PERSONS = [b"A" * 52, b"B" * 52]
BEGIN = 1_760_000_000_000  # the first registratietijd
CATALOGUE = catalogue()  # no argument of a test: Hypothesis would write it out
EVERYTHING = AsOf()
few = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])

Arriving = list[tuple[bytes, Told]]


@st.composite
def arrivals(draw: st.DrawFn, soorten: Sequence[str]) -> Arriving:
    """Mutaties about some persons in any order, some of them twice."""
    told: Arriving = []
    for persoon in PERSONS:
        mine = draw(histories(BASIS, 2)) + [t for soort in soorten for t in draw(histories(soort, 2))]
        told += [(persoon, Told(t.soort, replace(t.mutatie, record_id=f"{persoon[:1].decode()}-{t.mutatie.record_id}"))) for t in mine]
    twice = draw(st.lists(st.sampled_from(told), max_size=4)) if told else []
    return draw(st.permutations(told + twice))


def judged(folder: Path, arriving: Arriving, as_of: AsOf = EVERYTHING) -> Opinion:
    log = Log(CATALOGUE)
    for persoon, told in arriving:
        partition, frame = log.put(told.soort, persoon, told.mutatie)
        log.take(partition, [frame])
    if not arriving:
        log.take(0, [])
    number = sum(1 for _ in folder.iterdir())
    return second_opinion(Archive(log.archive(folder / str(number))), [CATALOGUE], APP, as_of)


def standing(arriving: Arriving, about: int | None = None) -> int:
    """How many signals the days laid beside each other give."""
    day = None if about is None else str(date(1970, 1, 1) + timedelta(days=about))
    pairs = [pair for persoon in PERSONS for pair in truth(t for p, t in arriving if p == persoon)]
    return sum(1 for *_, begin, end, _ in pairs if day is None or (begin <= day and (end is None or day <= end)))


@few
@given(arrivals([FOLLOWED, SELF_FILTERING]))
def test_the_second_opinion_is_the_engines_also_on_who_was_followed_when(tmp_path: Path, arriving: Arriving) -> None:
    opinion = judged(tmp_path, arriving)
    assert opinion.findings == []
    assert (opinion.mutaties, opinion.niet_genomen) == (len(arriving), 0)


@few
@given(arrivals([SELF_FILTERING]), st.integers(FIRST, HORIZON))
def test_what_holds_on_a_day_is_what_the_days_say(tmp_path: Path, arriving: Arriving, day: int) -> None:
    about = str(date(1970, 1, 1) + timedelta(days=day))
    opinion = judged(tmp_path, arriving, AsOf(about=about))
    assert (opinion.findings, opinion.geldend) == ([], standing(arriving, day))


@few
@given(arrivals([SELF_FILTERING]), st.integers(-1, 7), st.none() | st.integers(FIRST, HORIZON))
def test_what_could_be_known_on_a_moment_is_what_had_been_registered_when_all_came_in_that_order(
    tmp_path: Path, arriving: Arriving, after: int, day: int | None
) -> None:
    arriving = sorted(arriving, key=lambda a: (a[1].mutatie.registratietijd, a[1].mutatie.versie))
    moment = BEGIN + after
    about = None if day is None else str(date(1970, 1, 1) + timedelta(days=day))
    opinion = judged(tmp_path, arriving, AsOf(moment, about))
    assert (opinion.findings, opinion.volgorde) == ([], [])
    assert opinion.geldend == standing([a for a in arriving if a[1].mutatie.registratietijd <= moment], day)


@few
@given(arrivals([FOLLOWED, SELF_FILTERING]), st.integers(-1, 7))
def test_whatever_differs_on_a_moment_is_told_apart_when_the_order_of_arrival_accounts_for_it(
    tmp_path: Path, arriving: Arriving, after: int
) -> None:
    assert judged(tmp_path, arriving, AsOf(BEGIN + after)).findings == []


def test_a_feit_that_was_kept_for_a_basisfeit_which_was_registered_later_is_told_apart(tmp_path: Path) -> None:
    """The other bijstand came first, so that the wage was kept when nothing that was registered by the moment gave a ground for it."""
    paid = {"begindatum": 20_000, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "PARTICIPATIEWET"}
    wage = {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": 1, "verloonde_uren": None}
    told = [
        Told(BASIS, Mutatie("b-1", 1, BEGIN + 4, paid)),
        Told(FOLLOWED, Mutatie("f-1", 1, BEGIN + 2, {"begindatum": 20_000, "einddatum": None, **wage})),
        Told(BASIS, Mutatie("b-0", 1, BEGIN + 2, paid)),
    ]
    opinion = judged(tmp_path, [(PERSONS[0], t) for t in told], AsOf(BEGIN + 2))
    assert (opinion.findings, len(opinion.volgorde)) == ([], 1)
