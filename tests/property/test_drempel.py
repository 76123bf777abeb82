"""The pattern drempel against days that are added up one by one; by both cores, and beside the rule of pairs for the same income."""

from collections import deque
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.encoded import rows_in
from tests.property.basis_worlds import PERSOON, Event, delivered, live, said, told_by
from tests.property.debtor_worlds import answered, answers, debtors, earners, owed
from tests.property.kerns import Both, codec_of


@given(answered(debtors() | earners()))
def test_what_stands_is_what_the_days_add_up_to_whatever_the_order_of_arrival(told: list[Event]) -> None:
    assert live(told_by(Both(0), ([e] for e in told))) == owed(told)


@given(debtors(), st.randoms(use_true_random=False))
def test_income_that_was_not_kept_comes_back_with_the_answer_to_a_volgverzoek(told: list[Event], rnd) -> None:
    """Answers overtake the mutaties that are still under way, or not."""
    engine, waiting, answering, heard = Both(0), deque(told), deque[Event](), list[tuple[str, bytes]]()
    while waiting or answering:
        source = answering if answering and (not waiting or rnd.random() < 0.5) else waiting
        effects = engine.take([delivered(source.popleft())])
        heard += said(effects)
        asked = [v for (topic, _), rows in effects.messages.items() if topic == "volgverzoeken.uwv" for k, v, _ in rows_in(rows)]
        if any(codec_of(0).decode_volgverzoek(v).volgt for v in asked):
            answering.extend(answers(told))
    assert live(heard) == owed(told)


@given(debtors(("gemeente.bijstand",)), st.lists(st.integers(0, 30), max_size=5))
def test_it_is_the_same_beside_the_rule_of_pairs_and_however_it_is_cut(told: list[Event], cuts: list[int]) -> None:
    whole = [*told, *answers(told)]
    ends = sorted({0, *(c for c in cuts if c < len(whole)), len(whole)})
    assert live(told_by(Both(0), [whole[a:b] for a, b in pairwise(ends)], PERSOON)) == owed(told)
