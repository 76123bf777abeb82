"""What a consumer group is told of how far a partition is, and from where a topic is read when the group knows less."""

import pytest

from streams.group import GroupOffsets

UITKERING, KLOK = ("mutaties.uwv.uitkering", 2), ("klok", 2)


def test_a_partition_goes_on_where_its_changelog_says_although_the_group_knows_less() -> None:
    group = GroupOffsets({UITKERING: 40}, {UITKERING: 52}, 1.0)
    assert group.taken == {UITKERING: 52}
    assert group.behind == {UITKERING: 52}


def test_a_changelog_of_before_offsets_stood_there_leaves_it_to_the_group() -> None:
    group = GroupOffsets({UITKERING: 40}, {UITKERING: 0}, 1.0)
    assert group.taken == {UITKERING: 40}
    assert group.behind == {}


def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    """Kafka takes a removed topic from the group; what the changelog says of it is of the topic before."""
    group = GroupOffsets({KLOK: 3}, {UITKERING: 5_000, KLOK: 3}, 1.0)
    assert group.taken == {UITKERING: 0, KLOK: 3}
    assert group.due({UITKERING: 10}, 0.0) == {UITKERING: 10}


def test_the_group_is_told_with_the_first_transaction_and_then_once_an_interval() -> None:
    group = GroupOffsets({UITKERING: 0}, {UITKERING: 0}, 1.0)
    told = [_commit(group, {UITKERING: 10 * i}, now) for i, now in enumerate((5.0, 5.4, 5.9, 6.0, 6.1), 1)]
    assert told == [{UITKERING: 10}, {}, {}, {UITKERING: 40}, {}]
    assert group.behind == {UITKERING: 50}


def test_what_waited_is_told_together() -> None:
    group = GroupOffsets({UITKERING: 0, KLOK: 0}, {UITKERING: 0, KLOK: 0}, 1.0)
    for offsets, now in (({UITKERING: 1}, 0.0), ({KLOK: 1}, 0.1), ({UITKERING: 2}, 0.2)):
        _commit(group, offsets, now)
    assert _commit(group, {UITKERING: 3}, 1.0) == {UITKERING: 3, KLOK: 1}
    assert group.behind == {}


@pytest.mark.parametrize("moment", [0.1, 0.9])
def test_a_topic_that_the_group_does_not_know_is_told_at_once(moment: float) -> None:
    """Else nobody could tell it from one that was removed and made anew."""
    group = GroupOffsets({UITKERING: 4}, {UITKERING: 4, KLOK: 0}, 1.0)
    _commit(group, {UITKERING: 5}, 0.0)
    assert _commit(group, {KLOK: 1}, moment) == {KLOK: 1}


def _commit(group: GroupOffsets, offsets: dict[tuple[str, int], int], now: float) -> dict[tuple[str, int], int]:
    told = group.due(offsets, now)
    group.stands(offsets, told, now)
    return told
