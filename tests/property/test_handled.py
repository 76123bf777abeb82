"""A handled signal is not sent again for the same facts, and nothing else is left out: by both cores."""

from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from schemas.catalogue import Catalogue
from schemas.partitioner import partition_of
from schemas.values import Afhandeling
from streams.audit.archive import Archive
from streams.audit.second_opinion import second_opinion
from tests.archived import APP, Log
from tests.kept import PARTITIES
from tests.kept import told as spoken
from tests.property.handled_worlds import (
    AFHANDELINGEN,
    FIRST,
    PERSOON,
    Action,
    Course,
    Report,
    Stated,
    Tick,
    actions,
    content_of,
    handled,
    live,
    signals_of,
    told,
)
from tests.property.kerns import Both, Delivered, codec_of

CATALOGUE = Catalogue.load()  # no argument of a test: Hypothesis would write it out
STRANGER = "00000000-0000-5000-8000-000000000000"


@given(actions)
def test_what_was_handled_and_withdrawn_is_not_sent_again_and_whatever_else_should_stand_does(world: list[Action]) -> None:
    found = told(world)
    done = {content for _, content in found.done}
    assert live(found.said) <= live(found.plain)
    assert live(found.plain) - live(found.said) <= done, "only what was handled may be missing"
    for number, signaal in enumerate(found.said):
        if signaal.soort == "NIEUW":
            assert content_of(signaal) not in {content for at, content in found.done if at <= number}
    assert [s.versie for s in found.said] == [_seen(found.said[:i], s.signaal_id) + 1 for i, s in enumerate(found.said)]


def _seen(said: list, name: str) -> int:
    return sum(s.signaal_id == name for s in said)


@given(actions)
def test_without_a_report_everything_is_as_it_was(world: list[Action]) -> None:
    found = told([a for a in world if not isinstance(a, Report)])
    assert found.said == found.plain


@given(actions)
def test_a_report_never_says_anything_and_twice_or_of_a_stranger_it_changes_nothing(world: list[Action]) -> None:
    engine, course, said = Both(0), Course(), []
    for action in world:
        delivery = course.delivered(action, said)
        if delivery is None:
            continue
        effects = engine.take([delivery])
        said += signals_of(effects)
        if isinstance(action, Report):
            assert not effects.messages
            again = engine.take([delivery])
            assert (again.changes, again.messages, again.counts) == ({}, {}, Counter({f"{AFHANDELINGEN} bekend": 1}))
    strange = codec_of(0).encode_afhandeling(Afhandeling(STRANGER, 1, 0))
    nobody = engine.take([Delivered(AFHANDELINGEN, PERSOON, strange), Delivered(AFHANDELINGEN, b"Q" * 52, strange)])
    assert (nobody.changes, nobody.messages, nobody.counts) == ({}, {}, Counter({f"{AFHANDELINGEN} niet_bewaard": 2}))


def course_of(*world: Action) -> list[tuple[str, int, str]]:
    """What is said of a pair or a basisfeit: soort, versie and kenmerk."""
    return [(s.soort, s.versie, s.kenmerk) for s in told(world).said]


GROUND, WORK, NO_WORK, OTHER_WORK = (
    Stated("gemeente.bijstand", 1), Stated("uwv.inkomstenopgave", 1), Stated("uwv.inkomstenopgave", 0), Stated("uwv.inkomstenopgave", 2),
)  # fmt: skip


def test_the_same_work_is_not_told_again_after_it_was_handled_and_other_work_is() -> None:
    before = [("NIEUW", 1, "A-1"), ("VERVALLEN", 2, "A-1")]
    assert course_of(GROUND, WORK, Report(0), NO_WORK, WORK) == before
    assert course_of(GROUND, WORK, NO_WORK, WORK) == [*before, ("NIEUW", 3, "A-1")], "nobody was done with it"
    assert course_of(GROUND, WORK, Report(0), NO_WORK, OTHER_WORK) == [*before, ("NIEUW", 3, "A-1")]
    assert course_of(GROUND, WORK, NO_WORK, Report(1), WORK) == [*before, ("NIEUW", 3, "A-1")], "when it was reported it did not stand"


def test_a_change_is_always_told_also_back_to_what_was_handled() -> None:
    changed = [("NIEUW", 1, "A-1"), ("GEWIJZIGD", 2, "A-1"), ("GEWIJZIGD", 3, "A-1")]
    assert course_of(GROUND, WORK, Report(0), OTHER_WORK, WORK) == changed


def test_both_of_two_contents_that_were_handled_are_remembered() -> None:
    said = course_of(GROUND, WORK, Report(0), OTHER_WORK, Report(0), NO_WORK, WORK, NO_WORK, OTHER_WORK)
    assert [s for s, _, _ in said] == ["NIEUW", "GEWIJZIGD", "VERVALLEN"]


def test_a_benefit_that_is_withdrawn_and_comes_again_does_not_tell_the_handled_work_anew() -> None:
    gone, back = Stated("gemeente.bijstand", 0), GROUND
    assert [s for s, _, _ in course_of(GROUND, WORK, Report(0), gone, back, WORK)] == ["NIEUW", "VERVALLEN"]


def test_a_signal_about_a_basisfeit_follows_the_same_rule() -> None:
    young, left, enrolled = Stated("gemeente.jongere", 1), Stated("duo.inschrijving", 1), Stated("duo.inschrijving", 2)
    said = course_of(young, left, Tick(FIRST + 7), Report(0), enrolled, left)
    assert [s for s, _, _ in said] == ["NIEUW", "VERVALLEN"]
    assert [s for s, _, _ in course_of(young, left, Tick(FIRST + 7), enrolled, left)] == ["NIEUW", "VERVALLEN", "NIEUW"]


def test_the_native_core_leaves_those_of_whom_something_was_handled_and_nobody_else() -> None:
    engine, course = Both(0), Course()
    said = [s for action in (GROUND, WORK) for s in signals_of(engine.take([_of(course, action)]))]
    left = engine.left
    engine.take([_of(course, OTHER_WORK)])
    assert engine.left == left
    engine.take([handled(said[0]), _of(course, WORK)])
    assert engine.left == left, "it had said something else by then"
    said = signals_of(engine.take([_of(course, OTHER_WORK)]))
    engine.take([handled(said[0])])
    engine.take([_of(course, NO_WORK)])
    assert engine.left == left + 1


def _of(course: Course, action: Action) -> Delivered:
    delivery = course.delivered(action, [])
    assert delivery is not None
    return delivery


few = settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])


@few
@given(actions)
def test_the_second_opinion_is_the_engines(tmp_path: Path, world: list[Action]) -> None:
    log, course = Log(CATALOGUE), Course()
    partition = partition_of(PERSOON, PARTITIES)
    log.take(partition, [])
    for action in world:
        delivery = course.delivered(action, spoken(log))
        if delivery is not None:
            log.take(partition, [(delivery.topic, [log.append(delivery.topic, partition, delivery.key, delivery.value)])])
    folder = log.archive(tmp_path / str(sum(1 for _ in tmp_path.iterdir())))
    opinion = second_opinion(Archive(folder), [CATALOGUE], APP)
    assert (opinion.findings, opinion.geldend) == ([], len(live(spoken(log))))
