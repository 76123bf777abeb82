"""Inkomstenverhoudingen of one employer that go on from each other are one job: by the days, in every order, by both cores and DuckDB."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from random import Random
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.codec import decode_signaal
from schemas.values import Ketensignaal, Mutatie, Signaal
from streams.audit.archive import Archive
from streams.audit.second_opinion import AsOf, second_opinion
from streams.core import chains, pairs, step
from streams.core.period import Period
from streams.core.record import Record
from tests.archived import APP, Log
from tests.property import worlds
from tests.property.basis_worlds import PERSOON, Event, Tick, delivered, named_by
from tests.property.chain_worlds import EMPLOYERS, JOB, KINDS, jobs, truth, working
from tests.property.death_worlds import cut, dying
from tests.property.handled_worlds import handled
from tests.property.hunting import Property, found
from tests.property.kerns import Both, Delivered
from tests.property.number_worlds import newest
from tests.property.number_worlds import worlds as numbers
from tests.property.test_basis_second_opinion import CATALOGUE, PERSONS, Arriving, judged, take
from tests.property.test_death import answered, said, signalen
from tests.property.test_nummer import net_of
from tests.property.test_switch import changed, judge_a_switch
from tests.property.worlds import BASIS, FIRST, Told

few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def of_pairs(told: Iterable[Event]) -> list[Signaal]:
    return [s for s in signalen(told) if isinstance(s, Signaal)]


@given(working())
def test_what_a_gemeente_holds_is_one_signal_a_job_whatever_the_order_of_arrival(told: list[Event]) -> None:
    assert worlds.live(of_pairs(told)) == truth(told)


@given(dying(working()))
def test_a_job_that_goes_on_behind_a_death_is_told_up_to_it(told: list[Event]) -> None:
    assert worlds.live(of_pairs(told)) == truth(cut(told))


@given(working())
def test_versions_run_on_without_gaps_while_jobs_are_joined_and_parted(told: list[Event]) -> None:
    for _, group in groupby(sorted(of_pairs(told), key=lambda s: s.signaal_id), key=lambda s: s.signaal_id):
        versions = list(group)
        assert [s.versie for s in versions] == list(range(1, len(versions) + 1))
        for before, after in zip([None, *versions], versions, strict=False):
            assert (after.soort == "NIEUW") == (before is None or before.soort == "VERVALLEN")


@given(working())
def test_a_signal_names_every_record_that_goes_on_from_its_first_and_only_then_has_the_wider_form(told: list[Event]) -> None:
    for s in of_pairs(told):
        if not isinstance(s, Ketensignaal):
            continue
        assert (s.soort != "VERVALLEN", s.weggelaten, s.bewijs) == (True, 0, (s.basisfeit, s.feit, *s.vervolg))
        until = s.feit.einddatum
        for r in s.vervolg:
            assert (s.feit.begindatum or "") <= (r.begindatum or "")
            assert until is None or (r.begindatum or "") <= _day_after(until)
            until = None if until is None or r.einddatum is None else max(until, r.einddatum)
        assert s.vervolg
        assert until is None or (s.einddatum or "") <= until


def _day_after(day: str) -> str:
    from datetime import date, timedelta

    return str(date.fromisoformat(day) + timedelta(1))


@given(working())
def test_to_take_everything_once_more_changes_nothing(told: list[Event]) -> None:
    engine = Both(0)
    said(engine, told)
    rows = engine.rows
    assert said(engine, told) == []
    assert engine.rows == rows


def job(number: int, begin: int, end: int | None, versie: int = 1, employer: int = 0, kind: int = 0) -> Told:
    """A version of an inkomstenverhouding; of ``end`` -1 its withdrawal."""
    feit = {"begindatum": FIRST + begin, "einddatum": None if end is None else FIRST + end, "ikv_nummer": number}
    feit |= {"loonheffingennummer": EMPLOYERS[employer], "soort_inkomstenverhouding": KINDS[kind]}
    name = str(uuid5(NAMESPACE_OID, f"job-{number}"))
    return Told(JOB, Mutatie(name, versie, 1_760_000_000_000 + number, None if end == -1 else feit))


def bijstand(kenmerk: str = "A-1", versie: int = 1) -> Told:
    feit = {"begindatum": FIRST, "einddatum": None, "houder": "gm0363", "kenmerk": kenmerk, "wet": "IOAW"}
    return Told(BASIS, Mutatie(str(uuid5(NAMESPACE_OID, "bijstand")), versie, 1_760_000_000_000, feit))


PLAIN = [
    job(2, 12, 15),  # a day lies between
    job(2, 11, 15, employer=1),
    job(2, 11, 15, kind=1),
]


@pytest.mark.parametrize("second", PLAIN)
def test_the_native_core_keeps_jobs_that_do_not_go_on_from_each_other(second: Told) -> None:
    both = Both(0)
    both.take([delivered(bijstand())])
    left = both.left
    both.take([delivered(e) for e in (job(1, 2, 10), second)])
    both.take([delivered(bijstand("A-2", 2))])
    both.take([delivered(job(1, 3, 10, versie=2))])
    assert both.left == left


@pytest.mark.parametrize("second", [job(2, 11, 15), job(2, 5, None), job(2, 0, 1)])
def test_the_native_core_leaves_a_job_that_goes_on_and_takes_it_back_when_it_no_longer_does(second: Told) -> None:
    assert left_while_it_goes_on(Both(0), second) == [0, 4, 0]


def left_while_it_goes_on(both: Both, second: Told) -> list[int]:
    """How many mutaties were left before a second record went on from a job, then, and when it no longer did."""
    told = [
        [job(1, 2, 10)],
        [second, bijstand("A-2", 2), job(1, 1, 10, versie=2), job(2, 0, -1, versie=2)],
        [job(2, 0, -1, versie=3), job(1, 3, 11, versie=3), bijstand("A-3", 3)],
    ]
    both.take([delivered(bijstand())])
    left = [both.left]
    for part in told:
        for one in part:
            both.take([delivered(one)])
        left.append(both.left)
    return [after - before for before, after in pairwise(left)]


def test_a_job_may_go_on_from_one_that_stands_on_another_page() -> None:
    both = Both(0)
    left, made = on_another_page(both)
    assert len(both.store.rows) > 4
    assert both.left == left + 3
    assert sorted(decode_signaal(value).soort for _, value in made) == ["GEWIJZIGD"] * 3 + ["NIEUW", "VERVALLEN"]


def on_another_page(both: Both) -> tuple[int, list[tuple[str, bytes]]]:
    """Many jobs, and one that joins two of them, is shortened and withdrawn: how many were left before that, and what is said of it."""
    both.take([delivered(bijstand())])
    for n in range(1, 60):
        both.take([delivered(job(n, 4 * n, 4 * n + 1))])
    return both.left, said(both, [job(60, 42, 43), job(60, 42, 42, versie=2), job(60, 0, -1, versie=3)])


@given(
    numbers(worlds.histories(BASIS, 2).flatmap(lambda b: jobs().map(lambda j: b + j))),
    st.randoms(use_true_random=False),
    st.sampled_from((0, 0.5)),
)
def test_a_job_whose_records_come_under_two_numbers_of_one_persoon_is_one_job(world: tuple[list, list], draw: Random, twice: float) -> None:
    told, deliveries = world
    of = {t.mutatie.record_id: t for t in told if t.soort == JOB}

    def answers(persoon: bytes, bron: str) -> list[Delivered]:
        return [delivered(t, persoon) for t in of.values()] if bron == "uwv" else []

    net = net_of(deliveries, draw, answers=answers, twice=twice)
    assert worlds.live([s for s in newest(net.signalen) if isinstance(s, Signaal)]) == truth(told)


def test_a_job_goes_over_to_the_gemeente_that_takes_over_with_all_its_records() -> None:
    weesp = bijstand("A-1")
    assert weesp.mutatie.feit is not None
    weesp.mutatie.feit["houder"] = "gm0457"
    made = of_pairs([weesp, job(1, 2, 10), job(2, 11, None), Tick(FIRST + 3), job(3, 0, 1), job(2, 11, 20, versie=2)])
    told = {o: [(s.soort, _number(s), len(s.bewijs)) for s in made if s.ontvanger == o] for o in ("gm0457", "gm0363")}
    assert told == {
        "gm0457": [("NIEUW", 1, 2), ("GEWIJZIGD", 1, 3), ("VERVALLEN", 1, 2)],
        "gm0363": [("NIEUW", 1, 3), ("VERVALLEN", 1, 2), ("NIEUW", 3, 4), ("GEWIJZIGD", 3, 4)],
    }


def _number(signaal: Signaal) -> int:
    return next(n for n in range(1, 9) if job(n, 0, 0).mutatie.record_id == signaal.feit.record_id)


def test_a_job_that_was_handled_joined_to_an_earlier_one_and_parted_again_is_not_told_twice() -> None:
    both = Both(0)

    def told(*events: Told) -> list[Signaal]:
        return [s for _, value in said(both, events) if isinstance(s := decode_signaal(value), Signaal)]

    (only,) = told(bijstand(), job(2, 11, 20))
    both.take([handled(only, PERSOON)])
    assert [(s.soort, _number(s)) for s in told(job(1, 2, 10))] == [("VERVALLEN", 2), ("NIEUW", 1)]
    assert [(s.soort, _number(s)) for s in told(job(1, 0, -1, versie=2))] == [("VERVALLEN", 1)]
    assert [(s.soort, _number(s)) for s in told(job(3, 21, 30))] == [("NIEUW", 2)], "it goes on, and that is news"


def test_nothing_of_a_job_is_kept_without_a_ground_and_its_versions_run_on() -> None:
    withdrawn = Told(BASIS, Mutatie(bijstand().mutatie.record_id, 2, 1_760_000_000_002, None))
    events = [bijstand(), job(1, 2, 10), job(2, 11, 20), withdrawn, job(2, 11, 20), bijstand("A-1", 3)]
    made = of_pairs([*events, job(2, 11, 20), job(1, 2, 10)])
    assert [(s.versie, s.soort, _number(s)) for s in made] == [
        (1, "NIEUW", 1),
        (2, "GEWIJZIGD", 1),
        (3, "VERVALLEN", 1),
        (1, "NIEUW", 2),
        (2, "VERVALLEN", 2),
        (4, "NIEUW", 1),
    ]


@st.composite
def arrivals(draw: st.DrawFn) -> Arriving:
    """Of some persons, in any order, with what the bronnen answer behind it."""
    arriving: Arriving = []
    for persoon in PERSONS:
        for e in draw(working() | dying(working())):
            if not isinstance(e, Tick):
                arriving.append((persoon, named_by(persoon, e)))
    return answered(draw(st.permutations(arriving)))


@few
@given(arrivals())
def test_the_second_opinion_is_the_engines(tmp_path: Path, arriving: Arriving) -> None:
    assert judged(tmp_path, arriving).findings == []


@few
@given(arrivals(), st.integers(0, 9))
def test_a_job_that_was_registered_after_a_moment_and_came_before_something_else_is_accounted_for_by_the_order(
    tmp_path: Path, arriving: Arriving, after: int
) -> None:
    assert judged(tmp_path, arriving, AsOf(known_on=1_760_000_000_000 + after)).findings == []


def test_a_record_that_goes_on_and_is_cited_as_another_one_is_named(tmp_path: Path) -> None:
    log = Log(CATALOGUE)
    take(log, [(PERSONS[0], e) for e in (bijstand(), job(1, 2, 10), job(2, 11, 20))])
    row = log.log["signalen.gm0363", 0][-1]
    signaal = json.loads(row.value)
    signaal["vervolg"][0]["versie"] += 1
    row.value = json.dumps(signaal).encode()
    findings = second_opinion(Archive(log.archive(tmp_path / "a")), [CATALOGUE], APP).findings
    assert [(f.soort, f.waar) for f in findings] == [("BEWIJS_ANDERS", signaal["signaal_id"])]


def each_alone(dienst: dict[str, Any]) -> None:
    del dienst["feiten"][0]["groepeer"]


def of_any_kind(dienst: dict[str, Any]) -> None:
    dienst["feiten"][0]["groepeer"] = ["loonheffingennummer"]


@few
@given(arrivals(), arrivals(), st.booleans(), st.sampled_from((each_alone, of_any_kind)))
def test_a_switch_of_what_is_one_job_is_followed_by_replay_and_second_opinion(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, before: Arriving, after: Arriving, back: bool, change: Any
) -> None:
    other = changed(tmp_path_factory.mktemp("catalogus"), {"rechtmatigheidscontrole-levensonderhoud": change})
    judge_a_switch(tmp_path, *((CATALOGUE, other) if back else (other, CATALOGUE)), before, after)


_linked, _touched, chains_of = chains._linked, pairs.with_what_goes_on, chains.chains_of


def _after_a_day(records: Sequence[Any]) -> Any:
    longer = [Record(r.name, r.versie, r.offset, Period(r.period.start, r.period.end and r.period.end + 1), r.values) for r in records]
    return _linked(longer)


def _sharing_a_day(records: Sequence[Any]) -> Any:
    shorter = [Record(r.name, r.versie, r.offset, Period(r.period.start, r.period.end and r.period.end - 1), r.values) for r in records]
    return {name: (of, more) for name, (of, more) in _linked(shorter)}.items()


def _by_the_newest(dienst: Any, soort: Any, timeline: Any, was: Any, record: Any) -> Any:
    return _touched(dienst, soort, timeline, record, record)


def _the_record_alone(dienst: Any, soort: Any, timeline: Any, was: Any, record: Any) -> Any:
    return [record]


def _all_employers(dienst: Any, soort: int, feiten: Any, basis: Any) -> Any:
    return chains_of(dataclasses.replace(dienst, groepeer=dict.fromkeys(dienst.groepeer, ())), soort, feiten, basis)


def _whatever_the_bijstand(dienst: Any, soort: int, feiten: Any, basis: Any) -> Any:
    return chains_of(dienst, soort, feiten, Record(basis.name, 1, 0, basis.period and Period(0, None), ()))


STANDS = test_what_a_gemeente_holds_is_one_signal_a_job_whatever_the_order_of_arrival, (working(),)

MUTANTS: dict[str, tuple[Any, str, Any, Property]] = {
    "a day between is no end": (chains, "_linked", _after_a_day, STANDS),
    "only shared days join": (chains, "_linked", _sharing_a_day, STANDS),
    "what it went on from before is forgotten": ("streams.core.step", "with_what_goes_on", _by_the_newest, STANDS),
    "the others of a chain are not told": ("streams.core.step", "with_what_goes_on", _the_record_alone, STANDS),
    "employers do not matter": (step, "chains_of", _all_employers, STANDS),
    "records that nobody is asked for begin a job": (step, "chains_of", _whatever_the_bijstand, STANDS),
    "a bijstand is laid beside each record": (step, "chains_of", lambda *_: {}, STANDS),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    where, name, mutant, by = MUTANTS[planted]
    found(monkeypatch, (where, name, mutant), by)
