"""The ontvanger's side without a broker: each signal once, what stands, and how it looks."""

import pytest

from connectors.ontvangers.standing import standing
from connectors.ontvangers.subscription import Once
from samenloop.errors import NotDoneError
from samenloop.ontvanger import ontvanger_of
from samenloop.rendering import day, days, gegevens, signaal_line
from schemas.catalogue import Catalogue
from schemas.values import Bronrecord, Oorzaak, Regel, Signaal, Signaalsoort


def signaal(name: str, versie: int, soort: Signaalsoort = "NIEUW", kenmerk: str = "PW-1") -> Signaal:
    gone = soort == "VERVALLEN"
    record = Bronrecord("uwv", "uwv.uitkering", "ww-1", 1, "mutaties.uwv.uitkering", 0, 7, None, None)
    begin = None if gone else "2026-02-01"
    fields = None if gone else {"regeling": "WW", "bruto_bedrag": 123_456}
    cause = Oorzaak("mutaties.uwv.uitkering", 0, 7)
    regel = Regel("samenloop", 1)
    return Signaal(
        name, versie, soort, "d", regel, "gm0363", kenmerk, begin, None, fields, record, record, cause, "2026-02-03T09:00:00.000Z"
    )


def test_a_signal_delivered_twice_or_late_is_new_only_once() -> None:
    once = Once()
    assert [once.is_new(signaal("a", v)) for v in (1, 1, 2, 1, 2, 3)] == [True, False, True, False, False, True]
    assert once.is_new(signaal("b", 1))


def test_what_stands_is_the_newest_version_of_each_signal_that_is_not_withdrawn() -> None:
    told = [signaal("a", 1), signaal("b", 1), signaal("b", 2, "VERVALLEN"), signaal("c", 2, "GEWIJZIGD"), signaal("c", 1)]
    assert [(s.signaal_id, s.versie) for s in standing(told)] == [("a", 1), ("c", 2)]


def test_days_read_as_the_law_words_them() -> None:
    assert day("2026-03-01") == "1 mrt 2026"
    assert days("2026-03-01", "2026-03-31") == "1 mrt 2026 t/m 31 mrt 2026"
    assert days("2026-03-01", None) == "vanaf 1 mrt 2026"
    assert days(None, None) == "-"


def test_amounts_are_shown_in_euros_and_unknown_ones_are_left_out() -> None:
    assert gegevens({"loon_sv": 123_456_789, "tijdvak": "MAAND", "bruto_bedrag": None}) == "loon_sv € 1.234.567,89, tijdvak MAAND"


def test_a_line_names_soort_kenmerk_feit_days_and_version() -> None:
    line = signaal_line(signaal("a", 3, "GEWIJZIGD"))
    for part in ("2026-02-03 09:00", "GEWIJZIGD", "PW-1", "uwv.uitkering", "vanaf 1 feb 2026", "regeling WW", "a v3"):
        assert part in line


@pytest.mark.parametrize("named", ["gm0363", "0363", "Amsterdam", "AMSTERDAM"])
def test_an_ontvanger_may_be_named_by_id_code_or_name(catalogue: Catalogue, named: str) -> None:
    assert ontvanger_of(catalogue, named) == "gm0363"


def test_an_unknown_ontvanger_is_answered_with_near_names(catalogue: Catalogue) -> None:
    with pytest.raises(NotDoneError, match="did you mean Amsterdam"):
        ontvanger_of(catalogue, "Amstedam")
