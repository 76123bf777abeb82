"""Bijstand of two gemeenten over the same days: each is told of the other's, by the days laid beside each other, both cores and DuckDB."""

from collections.abc import Callable, Iterable
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.catalogue import Catalogue
from schemas.codec import decode_signaal
from schemas.values import ElkSignaal, Mutatie, Place, Signaal
from streams.audit import reproduce as reproducing
from streams.audit.second_opinion import AsOf
from streams.core import pairs, rules
from streams.encoded import rows_in
from tests.property import worlds
from tests.property.basis_worlds import PERSOON, Event, Tick, delivered, named_by
from tests.property.death_worlds import cut, dying
from tests.property.handled_worlds import handled, signals_of
from tests.property.hunting import Property, found
from tests.property.kerns import PARTITION, Both, sent
from tests.property.test_basis_second_opinion import PERSONS, Arriving, judged
from tests.property.test_switch import changed, judge_a_switch
from tests.property.worlds import BASIS, FIRST, HOUDERS, PUBLISHED, Told

DIENST, FEIT = "rechtmatigheidscontrole-levensonderhoud", "duo.studiefinanciering"
few = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
some = settings(max_examples=40)


@st.composite
def benefits(draw: st.DrawFn, records: int = 4) -> list[Event]:
    """Bijstand of somebody at one gemeente or several, each record with a kenmerk of its own, and study finance; in any order."""
    told: list[Event] = list(draw(worlds.histories(FEIT, 1)))
    for number in range(draw(st.integers(1, records))):
        name = str(uuid5(NAMESPACE_OID, f"b-{number}"))
        told += [
            Told(BASIS, Mutatie(name, v, 1_760_000_000_000 + v, draw(_benefit(number)))) for v in range(1, draw(st.integers(1, 3)) + 1)
        ]
    again = draw(st.lists(st.sampled_from(told), max_size=3))
    return draw(st.permutations(told + again))


@st.composite
def _benefit(draw: st.DrawFn, number: int) -> dict[str, Any] | None:
    if draw(st.integers(0, 5)) == 0:
        return None
    begin, houder = draw(st.integers(FIRST, FIRST + 8)), draw(st.sampled_from(HOUDERS))
    days = {"begindatum": begin, "einddatum": draw(st.none() | st.integers(begin, FIRST + 12))}
    wet = draw(st.sampled_from(("PARTICIPATIEWET", "IOAW")))
    return days | {"houder": houder, "kenmerk": f"{houder}/{number}{draw(st.sampled_from('ab'))}", "wet": wet}


def signalen(told: Iterable[Event]) -> list[ElkSignaal]:
    """Each event a transaction of its own, by both cores."""
    engine = Both(0)
    return [s for e in told for s in signals_of(engine.take([delivered(e)]))]


def pairs_of(made: Iterable[ElkSignaal]) -> worlds.Live:
    return worlds.live([s for s in made if isinstance(s, Signaal)])


@given(benefits())
def test_each_gemeente_holds_what_the_days_say_of_the_others_whatever_the_order_of_arrival(told: list[Event]) -> None:
    assert pairs_of(signalen(told)) == worlds.truth(told, PUBLISHED)


@some
@given(benefits(), st.lists(st.integers(0, 20), max_size=3))
def test_it_is_the_same_however_it_is_cut(told: list[Event], cuts: list[int]) -> None:
    engine, ends = Both(0), sorted({0, *(c for c in cuts if c < len(told)), len(told)})
    made = [s for a, b in pairwise(ends) for s in signals_of(engine.take([delivered(e) for e in told[a:b]]))]
    assert pairs_of(made) == worlds.truth(told, PUBLISHED)


@some
@given(dying(benefits()))
def test_of_days_behind_a_death_neither_is_told(told: list[Event]) -> None:
    assert pairs_of(signalen(told)) == worlds.truth(cut(told), PUBLISHED)


@some
@given(benefits())
def test_versions_run_without_gaps_and_to_take_everything_once_more_changes_nothing(told: list[Event]) -> None:
    engine = Both(0)
    made = [s for e in told for s in signals_of(engine.take([delivered(e)]))]
    for _, group in groupby(sorted(made, key=lambda s: (s.signaal_id, s.versie)), key=lambda s: s.signaal_id):
        versions = list(group)
        assert [s.versie for s in versions] == list(range(1, len(versions) + 1))
        for before, after in zip([None, *versions], versions, strict=False):
            assert (after.soort == "NIEUW") != (before is not None and before.soort != "VERVALLEN")
    rows = dict(engine.store.rows)
    assert [s for e in told for s in signals_of(engine.take([delivered(e)]))] == []
    assert engine.store.rows == rows


@given(benefits())
def test_no_gemeente_learns_the_kenmerk_of_another_in_a_signal_or_its_headers(told: list[Event]) -> None:
    engine = Both(0)
    for e in told:
        for (topic, _), messages in sent(engine.take([delivered(e)])).items():
            ontvanger = topic.removeprefix("signalen.")
            for value, headers in messages if topic.startswith("signalen.") else ():
                said = b"\n".join([value or b"", *(text for _, text in headers)])
                assert not any(f"{other}/".encode() in said for other in HOUDERS if other != ontvanger)


@given(benefits())
def test_nobody_is_told_of_a_basisfeit_beside_itself_or_of_what_it_pays_itself(told: list[Event]) -> None:
    for s in signalen(told):
        if isinstance(s, Signaal) and s.feit.soort == BASIS and s.gegevens is not None:
            assert s.feit.record_id != s.basisfeit.record_id
            assert s.gegevens["houder"] != s.ontvanger
            assert s.gegevens.keys() == {"houder", "wet"}


@some
@given(benefits())
def test_no_bron_is_asked_for_bijstand(told: list[Event]) -> None:
    engine = Both(0)
    assert not any(topic == "volgverzoeken.gemeente" for e in told for topic, _ in sent(engine.take([delivered(e)])))


@some
@given(benefits())
def test_every_signaal_is_reproduced_byte_for_byte_from_the_records_of_bijstand(told: list[Event]) -> None:
    engine, said, inputs = Both(0), dict[str, dict[int, list[bytes]]](), list[reproducing.Input]()
    for number, event in enumerate(told):
        assert isinstance(event, Told)
        one = delivered(event)
        place = Place(one.topic, PARTITION, engine._next.get(one.topic, 70))
        if event.soort == BASIS:
            inputs.append(reproducing.Delivered(engine.python.rulebook.by_topic[one.topic], place, event.mutatie, number))
        for (topic, _), messages in engine.take([one]).messages.items():
            for _, value, _ in rows_in(messages) if topic.startswith("signalen.") else ():
                s = decode_signaal(value)
                if isinstance(s, Signaal) and s.feit.soort == BASIS:
                    said.setdefault(s.signaal_id, {}).setdefault(s.versie, []).append(value or b"")
    for name, versions in said.items():
        assert reproducing.reproduce(engine.python.rulebook, PERSOON, name, inputs, versions).differences == ()


def stated(number: int, versie: int = 1, **other: Any) -> Told:
    """Bijstand at Amsterdam that lasts, unless something ``other`` is said."""
    feit = {"begindatum": FIRST, "einddatum": None, "houder": "gm0363", "kenmerk": f"A-{number}", "wet": "IOAW"} | other
    return Told(BASIS, Mutatie(str(uuid5(NAMESPACE_OID, f"b-{number}")), versie, 1_760_000_000_000 + versie, feit))


STUDY = {"begindatum": FIRST, "einddatum": None, "regeling": "WTOS", "onderwijssoort": "VO", "maandbedrag": 1}


def study(versie: int) -> Told:
    return Told(FEIT, Mutatie(str(uuid5(NAMESPACE_OID, "s")), versie, 1_760_000_000_000, STUDY | {"maandbedrag": versie}))


def test_the_native_core_leaves_exactly_the_second_bijstand_and_from_then_on_whoever_has_one() -> None:
    both = Both(0)
    both.take([delivered(stated(1))])
    left = both.left  # the first one: bronnen are asked
    plain = [
        study(1),
        stated(2, kenmerk="A-9", einddatum=FIRST + 9),
        stated(1, 2, einddatum=FIRST + 9),
        stated(3, begindatum=FIRST + 10, houder="gm0599"),
        study(2),
    ]
    both.take([delivered(e) for e in plain])
    assert both.left == left, "another norm, the days behind, and study finance beside three records of bijstand"
    both.take([delivered(stated(4, begindatum=FIRST + 9, houder="gm0599"))])
    assert both.left == left + 1
    both.take([delivered(study(3)), delivered(stated(4, 2, begindatum=FIRST + 10, houder="gm0599"))])
    assert both.left == left + 3


def test_a_second_bijstand_that_was_handled_is_not_told_again_to_that_gemeente_and_is_to_the_other() -> None:
    engine, second = Both(0), stated(2, houder="gm0599")
    first, other = (s for e in (stated(1), second) for s in signals_of(engine.take([delivered(e)])))
    assert (first.ontvanger, other.ontvanger) == ("gm0363", "gm0599")
    engine.take([handled(first)])
    gone, back = (Told(BASIS, replace(second.mutatie, versie=v, feit=feit)) for v, feit in ((2, None), (3, second.mutatie.feit)))
    said = [(s.ontvanger, s.soort) for e in (gone, back) for s in signals_of(engine.take([delivered(e)]))]
    assert said == [("gm0363", "VERVALLEN"), ("gm0599", "VERVALLEN"), ("gm0599", "NIEUW")]


@st.composite
def arrivals(draw: st.DrawFn) -> Arriving:
    """Of two persons, in any order, with days that pass."""
    arriving: Arriving = [(persoon, named_by(persoon, e)) for persoon in PERSONS for e in draw(benefits(3) | dying(benefits(3)))]
    ticks = [(PERSOON, Tick(day)) for day in draw(st.lists(st.integers(FIRST, FIRST + 14), max_size=3))]
    return draw(st.permutations(arriving + ticks))


@few
@given(arrivals(), st.none() | st.integers(0, 6))
def test_the_second_opinion_is_the_engines(tmp_path: Path, arriving: Arriving, after: int | None) -> None:
    known = AsOf() if after is None else AsOf(known_on=1_760_000_000_000 + after)
    assert judged(tmp_path, arriving, known).findings == []


def without_a_second(dienst: dict[str, Any]) -> None:
    dienst["feiten"] = [f for f in dienst["feiten"] if f["soort"] != BASIS]


def under_another_name(dienst: dict[str, Any]) -> None:
    dienst |= {"dienst": "een-andere", "nummer": 99}


@cache
def also_alone(change: Callable[[dict[str, Any]], None] | None = None) -> Catalogue:
    """The published catalogue with a dienst that judges bijstand with all feiten together as well; of the first something is changed."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        changed(folder, {})
        first = yaml.safe_load((folder / "diensten" / f"{DIENST}.yaml").read_text())
        studies = [f for f in first["feiten"] if f["soort"] == FEIT]
        alone = first | {"dienst": "pakket", "nummer": 98, "feiten": studies, "regel": {"patroon": "informatiepakket", "versie": 1}}
        alone.pop("opgaven")
        if change is not None:
            change(first)
        for dienst in (first, alone):
            (folder / "diensten" / f"{dienst['nummer']}.yaml").write_text(yaml.safe_dump(dienst))
        (folder / "diensten" / f"{DIENST}.yaml").unlink()
        return Catalogue.load(folder)


@cache
def published_without() -> Catalogue:
    with TemporaryDirectory() as folder:
        return changed(Path(folder), {DIENST: without_a_second})


SWITCHES = {
    "told of from now on, or no longer": (published_without, Catalogue.load),
    "judged alone from now on, or no longer": (also_alone, Catalogue.load),
    "judged alone, and told of under another name": (also_alone, lambda: also_alone(under_another_name)),
    "judged alone, and no longer told of": (also_alone, lambda: also_alone(without_a_second)),
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_is_followed_by_replay_and_second_opinion(tmp_path: Path, switch: str) -> None:
    old, new = (catalogue() for catalogue in SWITCHES[switch])

    @few
    @given(arrivals(), arrivals(), st.booleans())
    def judged_alike(before: Arriving, after: Arriving, back: bool) -> None:
        judge_a_switch(tmp_path, *((new, old) if back else (old, new)), before, after)

    judged_alike()


def _always(*_: object) -> bool:
    return True


def _of_who_is_told_first(dienst: Any, ontvanger: str, feit: Any, day: int) -> bool:
    return bool(feit.values[dienst.houder] > ontvanger)


def _as_before(samenloop: Any) -> Any:
    def without(dienst: Any, soort: int, basis: Any, feit: Any, day: int, beside: Any) -> Any:
        return None if soort == dienst.basis else samenloop(dienst, soort, basis, feit, day, beside)

    return without


STANDS = test_each_gemeente_holds_what_the_days_say_of_the_others_whatever_the_order_of_arrival, (benefits(),)
DEATHS = test_of_days_behind_a_death_neither_is_told, (dying(benefits()),)

MUTANTS: dict[str, tuple[Any, str, Any, Property]] = {
    "of one gemeente too": (rules, "of_another", _always, STANDS),
    "one of the two is told": (rules, "of_another", _of_who_is_told_first, STANDS),
    "a feit in a page alone": ("streams.core.step", "samenloop", _as_before(rules.samenloop), STANDS),
    "a death ends what stands in pages": (pairs, "samenloop", _as_before(rules.samenloop), DEATHS),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(monkeypatch: pytest.MonkeyPatch, planted: str) -> None:
    where, name, mutant, by = MUTANTS[planted]
    found(monkeypatch, (where, name, mutant), by)
