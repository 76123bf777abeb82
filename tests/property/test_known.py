"""What was declared to a gemeente is not told to it: by the days laid beside each other, in every order, by both cores and by DuckDB."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.values import Mutatie, Signaal
from streams.audit.archive import Archive
from streams.audit.second_opinion import AsOf, second_opinion
from streams.core import known, rules
from streams.core.period import Period
from tests.archived import APP, Log
from tests.oracle import known as is_known_by_days
from tests.property import worlds
from tests.property.basis_worlds import Event, Tick, delivered, named_by, newest
from tests.property.chain_worlds import EMPLOYERS, JOB, beside_each
from tests.property.death_worlds import DEATH, answers, cut, dying
from tests.property.debtor_worlds import monthly
from tests.property.hunting import Property, found
from tests.property.kerns import Both
from tests.property.test_basis_second_opinion import CATALOGUE, PERSONS, Arriving, judged
from tests.property.test_death import FOLLOWED, answered, said, signalen
from tests.property.test_switch import changed, judge_a_switch
from tests.property.worlds import BASIS, FIRST, Told, deliveries

DECLARED = "gemeente.opgegeveninkomen"
WEESP = "gm0457"  # has gone into Amsterdam, gm0363, and its dossiers with it
few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def _feit(draw: st.DrawFn, soort: str) -> dict[str, Any] | None:
    if draw(st.integers(0, 4)) == 0:
        return None
    begin = draw(st.integers(FIRST, FIRST + 8))
    feit: dict[str, Any] = {"begindatum": begin, "einddatum": draw(st.none() | st.integers(begin, FIRST + 12))}
    feit["loonheffingennummer"] = draw(st.sampled_from(EMPLOYERS))
    if soort == DECLARED:
        most = draw(st.sampled_from((None, 1_199, 1_200, 1_300)))
        return feit | {"houder": draw(st.sampled_from(("gm0363", "gm0599", WEESP))), "maandbedrag": most}
    if soort == JOB:
        return feit | {"ikv_nummer": 1, "soort_inkomstenverhouding": "15"}
    wage = {"tijdvak": draw(st.sampled_from(("MAAND", "VIER_WEKEN", "OVERIG"))), "loon_sv": draw(st.sampled_from((-1, 420, 1_108, 1_200)))}
    return feit | wage | {"ikv_nummer": 1, "verloonde_uren": None}


@st.composite
def declaring(draw: st.DrawFn) -> list[Event]:
    """Somebody with bijstand who works, and who declared some of it; in any order, with what the bronnen answer behind it."""
    told: list[Event] = list(draw(worlds.histories(BASIS, 2)))
    for soort, most in ((JOB, 2), (FOLLOWED, 2), (DECLARED, 4)):
        for number in range(draw(st.integers(1, most))):
            for versie in range(1, draw(st.integers(1, 2)) + 1):
                name = str(uuid5(NAMESPACE_OID, f"{soort}-{number}"))
                told.append(Told(soort, Mutatie(name, versie, 1_760_000_000_000 + len(told), draw(_feit(soort)))))
    again = draw(st.lists(st.sampled_from(told), max_size=3))
    told = draw(st.permutations(told + again))
    return [*told, *answers(told)]


def truth(told: Sequence[Event]) -> worlds.Live:
    """All pairs that share a day, but for those of which the houder knows each day."""
    standing, _ = newest(told)
    opgaven = [t.mutatie.feit for t in standing if t.soort == DECLARED and t.mutatie.feit is not None]
    feiten = {t.mutatie.record_id: t for t in standing if t.soort in {JOB, FOLLOWED}}
    every = beside_each([t for t in standing if t.soort != DECLARED])
    return {pair for pair in every if not _is_known(pair, feiten.get(pair[3]), opgaven)}


def _is_known(pair: tuple[Any, ...], feit: Told | None, opgaven: Sequence[dict[str, Any]]) -> bool:
    f = None if feit is None else feit.mutatie.feit
    if feit is None or f is None:
        return False
    mine = [o for o in opgaven if o["loonheffingennummer"] == f["loonheffingennummer"]]
    mine = [o for o in mine if ("gm0363" if o["houder"] == WEESP else o["houder"]) == pair[0]]
    if feit.soort == FOLLOWED:
        amount = monthly(feit)
        mine = [o for o in mine if amount is not None and o["maandbedrag"] is not None and amount <= o["maandbedrag"]]
    return is_known_by_days(pair[4], pair[5], [{name: o[name] and _iso(o[name]) for name in ("begindatum", "einddatum")} for o in mine])


def _iso(day: int) -> str:
    return str(date(1970, 1, 1) + timedelta(days=day))


@given(declaring())
def test_what_a_gemeente_holds_is_what_it_was_not_told_itself_whatever_the_order_of_arrival(told: list[Event]) -> None:
    assert worlds.live([s for s in signalen(told) if isinstance(s, Signaal)]) == truth(told)


@given(dying(declaring()))
def test_days_behind_a_death_need_not_be_declared(told: list[Event]) -> None:
    assert worlds.live([s for s in signalen(told) if isinstance(s, Signaal)]) == truth(cut(told))


@given(declaring())
def test_to_take_everything_once_more_changes_nothing_and_no_signal_cites_an_opgave(told: list[Event]) -> None:
    engine = Both(0)
    first, rows = said(engine, told), engine.rows
    assert said(engine, told) == []
    assert engine.rows == rows
    assert not any(b'"soort":"gemeente.opgegeveninkomen"' in value for _, value in first)


@given(worlds.deliveries("duo.studiefinanciering"))
def test_other_feiten_are_told_whatever_was_declared(told: list[Event]) -> None:
    opgave = {"begindatum": FIRST - 9, "einddatum": None, "houder": "gm0363", "loonheffingennummer": EMPLOYERS[0], "maandbedrag": 2**62}
    declared = Told(DECLARED, Mutatie("o-1", 1, 1_760_000_000_000, opgave))
    made = [s for s in signalen([declared, *told]) if isinstance(s, Signaal)]
    assert worlds.live(made) == worlds.truth([t for t in told if isinstance(t, Told)], worlds.PUBLISHED)


def test_the_native_core_leaves_exactly_those_of_whom_something_was_declared() -> None:
    both = Both(0)
    one, other = b"A" * 52, b"B" * 52
    basis = {"begindatum": FIRST, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
    both.take([delivered(_told(BASIS, basis), p) for p in (one, other)])
    opgave = {"begindatum": FIRST, "einddatum": None, "houder": "gm0363", "loonheffingennummer": EMPLOYERS[0], "maandbedrag": None}
    both.take([delivered(_told(DECLARED, opgave), other)])
    left = both.left
    job = {"begindatum": FIRST, "einddatum": None, "loonheffingennummer": EMPLOYERS[0], "ikv_nummer": 1, "soort_inkomstenverhouding": "15"}
    both.take([delivered(_told(JOB, job), one)])
    assert both.left == left
    both.take([delivered(_told(JOB, job), other)])
    assert both.left == left + 1


def _told(soort: str, feit: dict[str, Any]) -> Told:
    return Told(soort, Mutatie(str(uuid5(NAMESPACE_OID, soort)), 1, 1_760_000_000_000, feit))


@st.composite
def arrivals(draw: st.DrawFn) -> Arriving:
    """Of some persons, in any order, with what the bronnen answer behind it."""
    arriving: Arriving = []
    for persoon in PERSONS:
        for e in draw(declaring() | dying(declaring()) | deliveries(FOLLOWED)):
            if not isinstance(e, Tick):
                arriving.append((persoon, named_by(persoon, e)))
    return answered(draw(st.permutations(arriving)))


@few
@given(arrivals())
def test_the_second_opinion_is_the_engines(tmp_path: Path, arriving: Arriving) -> None:
    assert judged(tmp_path, arriving).findings == []


@few
@given(arrivals(), st.integers(0, 12))
def test_what_was_declared_after_a_moment_and_came_before_something_else_is_accounted_for_by_the_order(
    tmp_path: Path, arriving: Arriving, after: int
) -> None:
    assert judged(tmp_path, arriving, AsOf(known_on=1_760_000_000_000 + after)).findings == []


@pytest.mark.parametrize("soort", [DECLARED, DEATH])
def test_what_nobody_is_told_and_came_early_accounts_for_a_pair_that_could_be_known(tmp_path: Path, soort: str) -> None:
    basis = {"begindatum": FIRST, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
    job = {"begindatum": FIRST, "einddatum": None, "loonheffingennummer": EMPLOYERS[0], "ikv_nummer": 1, "soort_inkomstenverhouding": "15"}
    whole = {"houder": "gm0363", "loonheffingennummer": EMPLOYERS[0], "maandbedrag": None} if soort == DECLARED else {}
    late = Told(soort, Mutatie("late", 1, 1_760_000_000_009, {"begindatum": FIRST, "einddatum": None, **whole}))
    opinion = judged(tmp_path, [(PERSONS[0], t) for t in (_told(BASIS, basis), late, _told(JOB, job))], AsOf(known_on=1_760_000_000_005))
    assert (opinion.findings, [f.soort for f in opinion.volgorde]) == ([], ["ONTBREEKT" if soort == DECLARED else "ANDERS"])


def test_records_of_one_batch_came_in_an_order_too(tmp_path: Path) -> None:
    log, first, later = Log(CATALOGUE), 1_760_000_000_001, 1_760_000_000_009
    basis = {"begindatum": FIRST, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
    partition, frame = log.put(BASIS, PERSONS[0], Mutatie("b-1", 1, first, basis))
    log.take(partition, [frame])
    job = {"begindatum": FIRST, "einddatum": None, "loonheffingennummer": EMPLOYERS[0], "ikv_nummer": 1, "soort_inkomstenverhouding": "15"}
    frames = [log.put(JOB, PERSONS[0], Mutatie("j-1", versie, moment, job))[1] for versie, moment in ((2, later), (1, first))]
    log.take(partition, [(frames[0][0], [row for _, rows in frames for row in rows])])
    opinion = second_opinion(Archive(log.archive(tmp_path / "archive")), [CATALOGUE], APP, AsOf(known_on=first))
    assert (opinion.findings, [f.soort for f in opinion.volgorde]) == ([], ["ONTBREEKT"])


def of_wages_alone(dienst: dict[str, Any]) -> None:
    del dienst["feiten"][0]["bekend"]


@few
@given(arrivals(), arrivals(), st.booleans())
def test_a_switch_of_what_is_known_is_followed_by_replay_and_second_opinion(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, before: Arriving, after: Arriving, back: bool
) -> None:
    other = changed(tmp_path_factory.mktemp("catalogus"), {"rechtmatigheidscontrole-levensonderhoud": of_wages_alone})
    judge_a_switch(tmp_path, *((CATALOGUE, other) if back else (other, CATALOGUE)), before, after)


_is_known_rule = rules.is_known


def _one_day(periods: Any, days: Period) -> bool:
    return any(p.shared_with(days) is not None for p in periods)


def _whoever_was_told(known: Any, ontvanger: str, feit: Any, shared: Any, beside: Any) -> bool:
    return any(_is_known_rule(known, houder, feit, shared, beside) for houder in ("gm0363", "gm0599"))


def _as_it_is(bedrag: int, tijdvak: str, period: Period) -> int:
    return bedrag


def _nothing_changes(rulebook: Any, before: Any, after: Any, *of: Any) -> Any:
    return after, ()


STANDS = test_what_a_gemeente_holds_is_what_it_was_not_told_itself_whatever_the_order_of_arrival, (declaring(),)

MUTANTS: dict[str, tuple[Any, str, Any, Property]] = {
    "one day that was declared is enough": (known, "_cover", _one_day, STANDS),
    "what one gemeente knows all know": (rules, "is_known", _whoever_was_told, STANDS),
    "amounts of any tijdvak are those of a month": (known, "per_maand", _as_it_is, STANDS),
    "what is declared later withdraws nothing": ("streams.core.step", "judge_pairs", _nothing_changes, STANDS),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    where, name, mutant, by = MUTANTS[planted]
    found(monkeypatch, (where, name, mutant), by)
