"""Inkomstenverhoudingen of one employer that go on from each other are one job: by the days, in every order, by both cores and DuckDB."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.codec import decode_signaal
from schemas.values import Ketensignaal, Mutatie, Signaal
from streams.audit.second_opinion import AsOf
from streams.core import chains, pairs, step
from streams.core.period import Period
from streams.core.record import Record
from tests.property import worlds
from tests.property.basis_worlds import Event, Tick, delivered
from tests.property.chain_worlds import EMPLOYERS, JOB, KINDS, truth, working
from tests.property.death_worlds import cut, dying
from tests.property.hunting import Property, found
from tests.property.kerns import Both
from tests.property.test_basis_second_opinion import CATALOGUE, PERSONS, Arriving, judged
from tests.property.test_death import answered, said, signalen
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
    rows = dict(engine.store.rows)
    assert said(engine, told) == []
    assert engine.store.rows == rows


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
    both = Both(0)
    both.take([delivered(bijstand())])
    left = both.left
    both.take([delivered(job(1, 2, 10))])
    assert both.left == left
    for told in (second, bijstand("A-2", 2), job(1, 1, 10, versie=2), job(2, 0, -1, versie=2)):
        both.take([delivered(told)])
    assert both.left == left + 4
    for told in (job(2, 0, -1, versie=3), job(1, 3, 11, versie=3), bijstand("A-3", 3)):
        both.take([delivered(told)])
    assert both.left == left + 4


def test_a_job_may_go_on_from_one_that_stands_on_another_page() -> None:
    both, many = Both(0), [job(n, 4 * n, 4 * n + 1) for n in range(1, 60)]
    both.take([delivered(bijstand())])
    for told in many:
        both.take([delivered(told)])
    left, made = both.left, said(both, [job(60, 42, 43), job(60, 42, 42, versie=2), job(60, 0, -1, versie=3)])
    assert len(both.store.rows) > 4
    assert both.left == left + 3
    assert sorted(decode_signaal(value).soort for _, value in made) == ["GEWIJZIGD"] * 3 + ["NIEUW", "VERVALLEN"]


@st.composite
def arrivals(draw: st.DrawFn) -> Arriving:
    """Of some persons, in any order, with what the bronnen answer behind it."""
    arriving: Arriving = []
    for persoon in PERSONS:
        for e in draw(working() | dying(working())):
            if not isinstance(e, Tick):
                arriving.append((persoon, Told(e.soort, replace(e.mutatie, record_id=f"{persoon[:1].decode()}-{e.mutatie.record_id}"))))
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


_linked, _touched = chains._linked, pairs.with_what_goes_on


def _after_a_day(records: Sequence[Any]) -> Any:
    longer = [Record(r.name, r.versie, r.offset, Period(r.period.start, r.period.end and r.period.end + 1), r.values) for r in records]
    return _linked(longer)


def _sharing_a_day(records: Sequence[Any]) -> Any:
    shorter = [Record(r.name, r.versie, r.offset, Period(r.period.start, r.period.end and r.period.end - 1), r.values) for r in records]
    return {name: (of, more) for name, (of, more) in _linked(shorter)}.items()


def _by_the_newest(dienst: Any, soort: Any, timeline: Any, was: Any, record: Any) -> Any:
    return _touched(dienst, soort, timeline, record, record)


def _the_record_alone(dienst: Any, soort: Any, timeline: Any, was: Any, record: Any) -> Any:
    return [(feit, of) for feit, of in _touched(dienst, soort, timeline, was, record) if feit is record]


def _all_employers(dienst: Any, soort: int, feiten: Any) -> Any:
    return dict(_linked([f for f in feiten if f.period is not None])) if soort in dienst.groepeer else {}


STANDS = test_what_a_gemeente_holds_is_one_signal_a_job_whatever_the_order_of_arrival, (working(),)

MUTANTS: dict[str, tuple[Any, str, Any, Property]] = {
    "a day between is no end": (chains, "_linked", _after_a_day, STANDS),
    "only shared days join": (chains, "_linked", _sharing_a_day, STANDS),
    "what it went on from before is forgotten": ("streams.core.step", "with_what_goes_on", _by_the_newest, STANDS),
    "the others of a chain are not told": ("streams.core.step", "with_what_goes_on", _the_record_alone, STANDS),
    "employers do not matter": (pairs, "chains_of", _all_employers, STANDS),
    "a bijstand is laid beside each record": (step, "chains_of", lambda *_: {}, STANDS),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    where, name, mutant, by = MUTANTS[planted]
    found(monkeypatch, (where, name, mutant), by)
