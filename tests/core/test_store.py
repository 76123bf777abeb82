"""The store's own counts: kept with every change, and never counted anew."""

from hypothesis import given
from hypothesis import strategies as st

from streams.effects import Effects
from streams.store import PartitionStore

Changes = dict[bytes, bytes | None]
KEYS = st.sampled_from([b"A" * 52, b"B" * 52, b"A" * 52 + b".1", b"B" * 52 + b".12"])
CHANGES = st.lists(st.dictionaries(KEYS, st.none() | st.binary(min_size=1, max_size=9), max_size=4), max_size=8)


@given(CHANGES, CHANGES)
def test_persons_and_bytes_are_those_of_the_rows(
    restored: list[dict[bytes, bytes | None]], applied: list[dict[bytes, bytes | None]]
) -> None:
    store = PartitionStore("")
    for rows in restored:
        store.restore(rows.items())
    store.restored()
    for rows in applied:
        store.apply(Effects(changes=rows))
    assert store.persons == sum(len(key) == 52 for key in store.rows)
    assert store.size == sum(len(key) + len(value) for key, value in store.rows.items())
