"""Of whoever became another one both end, each by what is known of it; so does what an ontvanger handled, and a persoon of many pages."""

from random import Random

from tests.property.basis_worlds import Tick, delivered
from tests.property.handled_worlds import handled
from tests.property.number_worlds import PERSONEN, Net, became
from tests.property.retention_worlds import TERMIJN
from tests.property.test_nummer import GROUND, STUDY, stated

A, B, _ = PERSONEN
FIRST = 20_100
ENDED = GROUND | {"einddatum": FIRST - 1}
STUDY_OF_A = stated(A, "duo.studiefinanciering", STUDY)


class Years:
    """Engines of all partitions, on which days begin."""

    def __init__(self) -> None:
        self.net = Net()

    def take(self, *deliveries: object) -> None:
        """Each taken, with all that follows from it, before the next comes."""
        for d in deliveries:
            self.net.put(delivered(d) if isinstance(d, Tick) else d)  # type: ignore[arg-type]
            self.net.take(Random(0))

    def known(self) -> set[bytes]:
        """Those of whom any row is left."""
        return {p for p in PERSONEN if self.net.rows(p)}


def test_of_two_numbers_of_one_persoon_each_ends_a_termijn_after_what_last_came_under_it() -> None:
    years = Years()
    years.take(Tick(FIRST), stated(A, "gemeente.bijstand", ENDED), STUDY_OF_A, Tick(FIRST + 50), became(A, B))
    years.take(Tick(FIRST + 51), Tick(FIRST + 50 + TERMIJN))
    assert years.known() == {A, B}
    years.take(Tick(FIRST + 60 + TERMIJN))
    assert years.known() == set()
    assert set(years.net.erased) == {A, B}
    assert years.net.erased.count(A) == years.net.erased.count(B) > 5


def test_what_still_comes_under_the_old_number_keeps_what_it_became_for_as_long() -> None:
    years = Years()
    years.take(
        Tick(FIRST), stated(A, "gemeente.bijstand", GROUND), became(A, B), Tick(FIRST + TERMIJN), STUDY_OF_A, Tick(FIRST + TERMIJN + 1)
    )
    years.take(Tick(FIRST + 2 * TERMIJN))
    assert years.known() == {A, B}
    years.take(Tick(FIRST + 2 * TERMIJN + 1))
    assert years.known() == {B}, "the bijstand goes on, and what A was is known no longer"


def test_a_number_of_whom_nothing_else_is_known_is_forgotten_too() -> None:
    years = Years()
    years.take(Tick(FIRST), became(A, B), Tick(FIRST + 1), Tick(FIRST + TERMIJN))
    assert years.known() == {A}
    years.take(Tick(FIRST + 1 + TERMIJN))
    assert (years.known(), years.net.erased) == (set(), [])


def test_a_report_of_an_ontvanger_puts_the_end_off() -> None:
    years = Years()
    years.take(Tick(FIRST), stated(A, "gemeente.bijstand", ENDED), STUDY_OF_A, Tick(FIRST + 1), Tick(FIRST + 100))
    years.take(handled(years.net.signalen[0], A), Tick(FIRST + 101), Tick(FIRST + 100 + TERMIJN))
    assert years.known() == {A}
    years.take(Tick(FIRST + 101 + TERMIJN))
    assert years.known() == set()


def test_of_a_persoon_of_many_pages_no_page_is_left() -> None:
    years = Years()
    many = [stated(A, "duo.studiefinanciering", STUDY, name=str(n)) for n in range(130)]
    years.take(Tick(FIRST), stated(A, "gemeente.bijstand", ENDED), *many, Tick(FIRST + 1))
    assert len(years.net.rows(A)) > 5
    years.take(Tick(FIRST + 1 + TERMIJN))
    assert years.net.rows(A) == {}
