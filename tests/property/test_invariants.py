"""Invariants 1 to 4 and 6 of the design, on small worlds of every kind."""

from collections import deque
from itertools import groupby
from uuid import NAMESPACE_URL, uuid5

from hypothesis import given
from hypothesis import strategies as st

from streams.core.step import Fate
from tests.property.worlds import BASIS, Run, Told, deliveries, histories, live, rules, run, truth

SELF_FILTERING = "duo.studiefinanciering"
FOLLOWED = "uwv.inkomstenopgave"


@given(deliveries(SELF_FILTERING))
def test_what_stands_is_what_the_days_say_whatever_the_order_of_arrival(told: list[Told]) -> None:
    assert live(run(told).signalen) == truth(told)


@given(histories(BASIS, 2), histories(FOLLOWED, 3), st.randoms(use_true_random=False))
def test_what_was_not_kept_comes_back_with_the_answer_to_a_volgverzoek(basis: list[Told], feiten: list[Told], rnd) -> None:
    """The bron's register has all versions; its answers overtake the mutaties that are still under way, or not."""
    newest = {t.mutatie.record_id: t for t in feiten}  # histories are in order of versions
    arriving = basis + feiten
    rnd.shuffle(arriving)
    engine, waiting, answers = Run(), deque(arriving), deque[Told]()
    while waiting or answers:
        source = answers if answers and (not waiting or rnd.random() < 0.5) else waiting
        for bron, asked in engine.take(source.popleft()):
            if bron == "uwv" and asked.volgt:
                answers.extend(newest.values())
    assert live(engine.signalen) == truth(arriving)


@given(deliveries(SELF_FILTERING))
def test_a_signaal_has_one_name_and_its_versions_run_without_gaps(told: list[Told]) -> None:
    signalen = run(told).signalen
    namespace = uuid5(NAMESPACE_URL, "urn:samenloop:signaal")
    for name, group in groupby(sorted(signalen, key=lambda s: (s.signaal_id, s.versie)), key=lambda s: s.signaal_id):
        versions = list(group)
        first = versions[0]
        parts = (first.dienst, first.ontvanger, BASIS, first.basisfeit.record_id, first.feit.soort, first.feit.record_id)
        assert name == str(uuid5(namespace, "\x1f".join(parts)))
        assert [s.versie for s in versions] == list(range(1, len(versions) + 1))
        for before, after in zip([None, *versions], versions, strict=False):
            stood = before is not None and before.soort != "VERVALLEN"
            assert (after.soort == "NIEUW") != stood


@given(deliveries(SELF_FILTERING), st.integers(0, 30))
def test_the_same_input_gives_the_same_bytes_also_after_a_crash(told: list[Told], crash: int) -> None:
    """Whoever goes on from the kept state and takes the next records again says the same, byte for byte."""
    whole = run(told)
    begun = run(told[:crash])
    resumed = Run(dict(begun.rows), offset=begun.offset)
    for one in told[crash:]:
        resumed.take(one)
    assert begun.bytes + resumed.bytes == whole.bytes
    assert run(told).bytes == whole.bytes


@given(deliveries(SELF_FILTERING))
def test_to_take_everything_once_more_changes_nothing(told: list[Told]) -> None:
    engine = run(told)
    before = dict(engine.rows)
    said = len(engine.signalen)
    for one in told:
        engine.take(one)
    assert engine.rows == before
    assert len(engine.signalen) == said


@given(deliveries(FOLLOWED))
def test_nothing_is_kept_of_a_persoon_without_a_live_basisfeit(told: list[Told]) -> None:
    engine = Run()
    newest: dict[str, Told] = {}
    for one in told:
        engine.take(one)
        if one.soort == BASIS and newest.get(one.mutatie.record_id, one).mutatie.versie <= one.mutatie.versie:
            newest[one.mutatie.record_id] = one
        if all(t.mutatie.feit is None for t in newest.values()):
            kept = [r for soort in rules().soorten.values() for r in engine.timeline.of(soort)]
            assert not any(r.values or r.period is not None for r in kept)
            assert not {"MAAND", "123456789L01"} & {text for page in engine.timeline.pages() for text in page.texts}


@given(deliveries(FOLLOWED))
def test_a_persoon_without_any_basisfeit_leaves_no_trace(told: list[Told]) -> None:
    engine = run(t for t in told if t.soort != BASIS)
    assert set(engine.fates) <= {Fate.NIET_BEWAARD}
    assert engine.rows == {}


@given(deliveries(FOLLOWED))
def test_the_last_volgverzoek_asks_exactly_from_the_first_day_of_the_live_basisfeiten(told: list[Told]) -> None:
    engine = run(told)
    newest: dict[str, Told] = {}
    for t in sorted((t for t in told if t.soort == BASIS), key=lambda t: t.mutatie.versie):
        newest[t.mutatie.record_id] = t
    starts = [t.mutatie.feit["begindatum"] for t in newest.values() if t.mutatie.feit is not None]
    asked = [v for bron, v in engine.asked if bron == "uwv"]
    assert [v.versie for v in asked] == list(range(1, len(asked) + 1))
    assert [x.vanaf for v in asked[-1:] for x in v.volgt] == ([min(starts)] if starts else [])


@given(deliveries(SELF_FILTERING))
def test_a_vervallen_says_nothing_of_what_is_now_another_ontvangers(told: list[Told]) -> None:
    for s in run(told).signalen:
        if s.soort == "VERVALLEN":
            assert s.gegevens is None
            assert {s.begindatum, s.einddatum, s.feit.begindatum, s.feit.einddatum, s.basisfeit.begindatum, s.basisfeit.einddatum} == {None}
