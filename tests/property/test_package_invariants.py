"""The pattern informatiepakket: what stands, what bronnen are asked for, versions and bytes; by both cores, with bronnen that answer."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import decode_signaal
from schemas.values import Place
from streams.audit import reproduce as reproducing
from streams.audit.reproduce import Input
from streams.effects import Effects
from tests.property.basis_worlds import PERSOON, Event, Tick, by_topic, delivered, live
from tests.property.kerns import PARTITION
from tests.property.package_worlds import Node, applications, asked_since, truth
from tests.property.worlds import Told


@given(applications())
def test_what_stands_is_what_the_days_say_whatever_the_order_of_arrival(told: list[Event]) -> None:
    node = Node()
    assert live(row for e in told for row in node.tell([e])) == truth(told)


@given(applications(), st.lists(st.integers(0, 20), max_size=4))
def test_it_is_the_same_however_it_is_cut(told: list[Event], cuts: list[int]) -> None:
    ends, node = sorted({0, *(c for c in cuts if c < len(told)), len(told)}), Node()
    assert live(row for a, b in pairwise(ends) for row in node.tell(told[a:b])) == truth(told)


@given(applications())
def test_bronnen_are_asked_from_the_first_day_of_reference(told: list[Event]) -> None:
    node = Node()
    for e in told:
        node.tell([e])
    assert node.asked() == asked_since(told)


@given(applications())
def test_a_package_is_told_when_its_time_comes_and_gone_when_its_ground_is(told: list[Event]) -> None:
    node, standing = Node(), dict[str, str]()
    for number, e in enumerate(told, 1):
        for _, value in node.tell([e]):
            s = decode_signaal(value)
            assert (s.soort == "NIEUW") == (standing.get(s.signaal_id, "VERVALLEN") == "VERVALLEN")
            assert (s.soort == "VERVALLEN") == (s.gegevens is None)
            standing[s.signaal_id] = s.soort
        stands = [name for name, soort in standing.items() if soort != "VERVALLEN"]
        assert len(stands) == len(truth(told[:number])), "after each event, not only in the end"


@given(applications())
def test_days_that_pass_one_by_one_tell_the_same_as_one_tick_behind_them(told: list[Event]) -> None:
    days = [e.day for e in told if isinstance(e, Tick)]
    records: list[Event] = [e for e in told if isinstance(e, Told)]
    if not days:
        return
    daily, once = Node(), Node()
    for node in (daily, once):
        node.tell([*records, Tick(min(days) - 1)])
    each = [row for day in range(min(days), min(max(days), min(days) + 40) + 1) for row in daily.tell([Tick(day)])]
    behind = once.tell([Tick(min(max(days), min(days) + 40))])
    assert by_topic(behind) == by_topic(each)


class Recorded(Node):
    """Also knows what stands where on the log."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[Input] = []

    def take(self, events: Sequence[Event]) -> Effects:
        for number, event in enumerate(events):
            topic = delivered(event).topic
            offset = self.engine._next.get(topic, 70) + number  # all of one transaction are versions of one record
            place, turn = Place(topic, PARTITION, offset), len(self.inputs)
            if isinstance(event, Tick):
                self.inputs.append(reproducing.Tick(place, event.day, turn))
            else:
                self.inputs.append(reproducing.Delivered(self.engine.python.rulebook.by_topic[topic], place, event.mutatie, turn))
        return super().take(events)


@given(applications())
def test_every_signaal_is_reproduced_byte_for_byte_from_its_records_and_the_klok(told: list[Event]) -> None:
    node, sent = Recorded(), dict[str, dict[int, list[bytes]]]()
    for e in told:
        for _, value in node.tell([e]):
            s = decode_signaal(value)
            sent.setdefault(s.signaal_id, {}).setdefault(s.versie, []).append(value)
    for name, versions in sent.items():
        assert reproducing.reproduce(node.engine.python.rulebook, PERSOON, name, node.inputs, versions).differences == ()


@given(applications())
def test_to_take_everything_once_more_tells_nothing(told: list[Event]) -> None:
    node = Node()
    for e in told:
        node.tell([e])
    assert [row for e in told for row in node.tell([e])] == []
