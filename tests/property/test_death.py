"""Whoever died is followed for no day behind that: in every pattern, whatever the order of arrival, by both cores and by DuckDB."""

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import decode_signaal
from schemas.values import Basissignaal, ElkSignaal, Signaal
from streams.audit.second_opinion import AsOf
from streams.core import ends, pairs, step
from streams.core.timeline import timeline_of
from streams.encoded import rows_in
from tests.property import worlds
from tests.property.basis_worlds import PERSOON, Event, day_of, delivered, events, leavers, live, named_by
from tests.property.death_worlds import DEATH, answers, cut, dying, truth
from tests.property.debtor_worlds import debtors, earners
from tests.property.hunting import Property, found
from tests.property.kerns import Both
from tests.property.package_worlds import BEGINS, applications
from tests.property.test_basis_second_opinion import CATALOGUE, PERSONS, Arriving, judged
from tests.property.test_switch import changed, judge_a_switch
from tests.property.worlds import BASIS, Told, deliveries

SELF_FILTERING, FOLLOWED = "duo.studiefinanciering", "uwv.inkomstenopgave"
AROUND = day_of(BEGINS[2]) - 400, day_of(BEGINS[4]) + 20
few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

LISTED = worlds.PUBLISHED | {FOLLOWED: ("loonheffingennummer", "ikv_nummer", "tijdvak", "loon_sv", "verloonde_uren")}
of_pairs = st.sampled_from((SELF_FILTERING, FOLLOWED)).flatmap(deliveries)
of_gronden = st.one_of(events(), leavers(), debtors(ticks=2), earners())


def said(engine: Both, told: Iterable[Event]) -> list[tuple[str, bytes]]:
    """Every signal, in order; each event is a transaction."""
    effects = [engine.take([delivered(e)]) for e in told]
    return [
        (topic, value or b"")
        for one in effects
        for (topic, _), rows in one.messages.items()
        if topic.startswith("signalen.")
        for _, value, _ in rows_in(rows)
    ]


def signalen(told: Iterable[Event]) -> list[ElkSignaal]:
    return [decode_signaal(value) for _, value in said(Both(0), told)]


@given(dying(of_pairs))
def test_what_a_gemeente_holds_is_what_the_days_up_to_the_death_say(told: list[Any]) -> None:
    assert worlds.live([s for s in signalen(told) if isinstance(s, Signaal)]) == worlds.truth(cut(told), LISTED)


@given(dying(of_gronden) | dying(applications(), AROUND))
def test_what_stands_of_a_basisfeit_is_what_the_days_up_to_the_death_say(told: list[Event]) -> None:
    made = said(Both(0), told)
    assert live((t, v) for t, v in made if isinstance(decode_signaal(v), Basissignaal)) == truth(told)


@given(dying(of_pairs | of_gronden))
def test_versions_run_on_without_gaps_and_no_signal_cites_a_death(told: list[Event]) -> None:
    made = signalen(told)
    for _, group in groupby(sorted(made, key=lambda s: s.signaal_id), key=lambda s: s.signaal_id):
        versions = list(group)
        assert [s.versie for s in versions] == list(range(1, len(versions) + 1))
    assert DEATH not in {r.soort for s in made for r in s.bewijs}
    assert DEATH not in {part.soort for s in made if isinstance(s, Basissignaal) for part in s.gegevens or ()}


@given(dying(of_pairs | of_gronden))
def test_to_take_everything_once_more_changes_nothing(told: list[Event]) -> None:
    engine = Both(0)
    said(engine, told)
    rows = engine.rows
    assert said(engine, told) == []
    assert engine.rows == rows


@given(dying(of_pairs))
def test_without_a_ground_nothing_is_known_of_a_death(told: list[Event]) -> None:
    """Not when it comes, and not any more when the last ground is withdrawn."""
    engine = Both(0)
    said(engine, [e for e in told if isinstance(e, Told) and e.soort == DEATH])
    assert engine.store.rows == {}
    said(engine, told)
    gone = {e.mutatie.record_id for e in told if isinstance(e, Told) and e.soort == BASIS}
    said(engine, [Told(BASIS, worlds.Mutatie(name, 9, 1_760_000_000_009, None)) for name in gone])
    assert [*timeline_of(PERSOON, engine.store.rows.get).of(engine.python.rulebook.by_topic[f"mutaties.{DEATH}"])] == []


def test_the_native_core_leaves_exactly_those_of_whom_a_death_is_known() -> None:
    both = Both(0)
    living, dead = b"A" * 52, b"B" * 52
    basis = {"begindatum": 19_000, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
    both.take([delivered(told(BASIS, 1, basis), p) for p in (living, dead)])
    both.take([delivered(told(DEATH, 1, {"begindatum": 19_100, "einddatum": None}), dead)])
    left = both.left
    wages = [told(FOLLOWED, n, {"begindatum": 19_000 + n, "einddatum": 19_030 + n} | _WAGE) for n in range(20)]
    both.take([delivered(w, living) for w in wages])
    assert both.left == left
    both.take([delivered(w, dead) for w in wages])
    assert both.left == left + len(wages)
    both.take([delivered(told(DEATH, 2, None), dead), delivered(told(BASIS, 2, basis | {"kenmerk": "A-2"}), living)])
    assert both.left == left + len(wages) + 1


_WAGE = {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": 1, "verloonde_uren": None}


def told(soort: str, versie: int, feit: dict[str, Any] | None) -> Told:
    """A version of the one record of a soort; of wages, a record each."""
    name = f"0b2c3d4e-0000-4000-8000-{versie if soort == FOLLOWED else 0:012x}"
    return Told(soort, worlds.Mutatie(name, 1 if soort == FOLLOWED else versie, 1_760_000_000_000, feit))


@st.composite
def arrivals(draw: st.DrawFn) -> Arriving:
    """Of some persons, in any order, with what the bronnen answer behind it; ticks are those of all."""
    arriving: Arriving = []
    for persoon in PERSONS:
        for e in draw(dying(of_pairs | of_gronden) | dying(applications(), AROUND)):
            arriving.append((persoon, named_by(persoon, e)))
    return answered(draw(st.permutations(arriving)))


def answered(arriving: Arriving) -> Arriving:
    """With what the bronnen answer behind it."""
    return [*arriving, *((persoon, a) for persoon in PERSONS for a in answers(e for p, e in arriving if p == persoon))]


@few
@given(arrivals())
def test_the_second_opinion_is_the_engines(tmp_path: Path, arriving: Arriving) -> None:
    assert judged(tmp_path, arriving).findings == []


@few
@given(arrivals(), st.integers(0, 12))
def test_a_death_that_was_registered_after_a_moment_and_came_early_is_accounted_for_by_the_order(
    tmp_path: Path, arriving: Arriving, after: int
) -> None:
    assert judged(tmp_path, arriving, AsOf(known_on=1_760_000_000_000 + after)).findings == []


def for_ever(dienst: dict[str, Any]) -> None:
    del dienst["basisfeit"]["eindigt_bij"]


@few
@given(arrivals(), arrivals(), st.booleans())
def test_a_switch_to_rules_that_know_of_death_or_do_not_is_followed_by_replay_and_second_opinion(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, before: Arriving, after: Arriving, back: bool
) -> None:
    names = ("rechtmatigheidscontrole-levensonderhoud", "voortijdig-schoolverlaters", "kwijtschelding")
    other = changed(tmp_path_factory.mktemp("catalogus"), dict.fromkeys(names, for_ever))
    after = answered([*before, *after])[len(before) :]  # the switch asks for deaths that were not kept
    judge_a_switch(tmp_path, *((CATALOGUE, other) if back else (other, CATALOGUE)), before, after)


_end_of = ends.end_of


def _a_day_early(dienst: Any, timeline: Any) -> int | None:
    end = _end_of(dienst, timeline)
    return None if end is None else end - 1


def _never(dienst: Any, timeline: Any) -> int | None:
    return None


def _as_they_are(dienst: Any, timeline: Any) -> Any:
    return [(basis, basis) for basis in timeline.gronden(dienst.basis)]


def _by_the_first_alone(dienst: Any, timeline: Any) -> int | None:
    first = timeline.gronden(dienst.eindigt_bij)[:1]
    return next((r.period.start + 1 for r in first if r.period is not None), None)


PAIRS = test_what_a_gemeente_holds_is_what_the_days_up_to_the_death_say, (dying(of_pairs),)
ALONE = test_what_stands_of_a_basisfeit_is_what_the_days_up_to_the_death_say, (dying(of_gronden),)

MUTANTS: dict[str, tuple[Any, str, Any, Property]] = {
    "the day of death counts no more": (ends, "end_of", _a_day_early, PAIRS),
    "a death says nothing of what is known": (pairs, "counting", _as_they_are, PAIRS),
    "a death says nothing of what comes later": (step, "counting", _as_they_are, PAIRS),
    "a death says nothing of a new version of the basisfeit": (step, "end_of", _never, PAIRS),
    "a death says nothing of what is judged together": (step, "end_of", _never, ALONE),
    "of two deaths the one that came first counts": (ends, "end_of", _by_the_first_alone, PAIRS),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    *mutant, by = MUTANTS[planted]
    found(monkeypatch, (mutant[0], mutant[1], mutant[2]), by)
