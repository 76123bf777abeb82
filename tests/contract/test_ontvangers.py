"""The table of ontvangers: the gemeenten of the Netherlands, dated, and other authorities."""

from datetime import date
from itertools import chain

import pytest

from schemas.catalogue import Catalogue


def on(catalogue: Catalogue, day: date) -> int:
    everyone = (o for o in catalogue.ontvangers.values() if o.soort == "gemeente")
    return sum((o.vanaf is None or o.vanaf <= day) and (o.tot is None or day < o.tot) for o in everyone)


@pytest.mark.parametrize(
    ("day", "number"),
    [
        (date(2020, 12, 31), 355),
        (date(2021, 6, 1), 352),
        (date(2022, 1, 1), 345),
        (date(2022, 3, 24), 344),
        (date(2023, 1, 1), 342),
        (date(2026, 1, 1), 342),
    ],
)
def test_the_number_of_gemeenten_on_a_day_is_that_of_statistics_netherlands(catalogue: Catalogue, day: date, number: int) -> None:
    assert on(catalogue, day) == number


def test_every_oin_is_unique_and_from_the_test_range(catalogue: Catalogue) -> None:
    oins = [x.oin for x in chain(catalogue.ontvangers.values(), catalogue.bronnen.values())]
    assert len(set(oins)) == len(oins)
    assert all(len(oin) == 20 and oin.startswith("00000099") for oin in oins)


def test_every_gemeente_that_ended_went_into_one_that_exists_but_for_one_that_was_divided(catalogue: Catalogue) -> None:
    ended = {o.id: o.opgegaan_in for o in catalogue.ontvangers.values() if o.tot is not None}
    assert {ontvanger for ontvanger, opvolger in ended.items() if opvolger is None} == {"gm0788"}
    assert set(ended.values()) - {None} <= catalogue.blijvende_ontvangers.keys()
