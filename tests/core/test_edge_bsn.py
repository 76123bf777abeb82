"""The elfproef."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bronnen.bsn import normal_bsn
from tests.core.edge import bsns


@given(bsns)
def test_a_number_that_passes_the_elfproef_is_itself(bsn: str) -> None:
    assert normal_bsn(bsn) == bsn


@given(bsns, st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_always_found(bsn: str, place: int, more: int) -> None:
    wrong = bsn[:place] + str((int(bsn[place]) + more) % 10) + bsn[place + 1 :]
    assert normal_bsn(wrong) is None


@given(bsns, st.integers(0, 7))
def test_two_neighbours_that_changed_places_are_always_found(bsn: str, place: int) -> None:
    if bsn[place] != bsn[place + 1]:
        swapped = bsn[:place] + bsn[place + 1] + bsn[place] + bsn[place + 2 :]
        assert normal_bsn(swapped) is None


@given(bsns.filter(lambda b: b.startswith("0")))
def test_a_dropped_leading_zero_comes_back(bsn: str) -> None:
    assert normal_bsn(bsn[1:]) == bsn


@given(st.text(max_size=12))
def test_anything_else_is_no_bsn(text: str) -> None:
    found = normal_bsn(text)
    assert found is None or found == text.zfill(9)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 9,
        "0" * 8,
        "99999001",
        "9999900190",
        "99999001 ",
        "+99990019",
        "٩٩٩٩٩٠٠١٩",
        "".join(chr(0xFF10 + int(d)) for d in "999990019"),
        "99999001²",
    ],
)
def test_it_takes_nine_ascii_digits(text: str) -> None:
    assert normal_bsn(text) is None
