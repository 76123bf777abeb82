"""``explain`` and ``follow`` of an informatiepakket: part by part, with the why of each field; and that nothing is known is said."""

from typing import Any

from samenloop.explanation import explanation_text
from samenloop.rendering import signaal_line
from schemas.catalogue import Catalogue
from schemas.values import Mutatie
from tests.core.test_sums import explained, last
from tests.property.basis_worlds import Tick, day_of
from tests.property.worlds import Told


def told(soort: str, name: str, begin: str, end: str | None, **velden: Any) -> Told:
    """Version 1 of a record."""
    feit = {"begindatum": day_of(begin), "einddatum": None if end is None else day_of(end), **velden}
    return Told(soort, Mutatie(name, 1, 1_760_000_000_000, feit))


REQUEST = told("invorderaar.beslagverzoek", "bv-1", "2026-03-15", None, houder="ws0013", kenmerk="BVV-1")
BENEFIT = told("uwv.uitkering", "u-1", "2026-01-01", "2026-01-31", regeling="WW", bruto_bedrag=125_000)
HOUSEHOLD = told("rvig.huishouden", "h-1", "2020-06-01", None, leefvorm="PARTNERS", aantal_personen=2, aantal_kinderen=0)
DAY = Tick(day_of("2026-03-18"))


def test_a_package_is_explained_part_by_part_with_the_days_of_each(catalogue: Catalogue) -> None:
    signaal, cited = last([REQUEST, BENEFIT, HOUSEHOLD, DAY])
    text = explanation_text(explained(catalogue, signaal, cited))
    assert "Dagen: 15 jan 2026 t/m 14 mrt 2026, want" in text
    part = text.split("Gegevens in dit signaal, en waarom\n")[1].split("\n\n")[0].splitlines()
    assert [line for line in part if not line.startswith("    ")] == [
        "  rvig.huishouden, vanaf 1 jun 2020",
        "  leefvorm = PARTNERS",
        "  aantal_kinderen = 0",
        "  uwv.uitkering, 1 jan 2026 t/m 31 jan 2026",
        "  regeling = WW",
        "  bruto_bedrag = 125000",
        "  onzeker = leeg",
    ]
    assert part[2] == "    Bepaalt welke norm geldt. (Wetboek van Burgerlijke Rechtsvordering art. 475d)"
    assert "aantal_personen" not in text, "another dienst lists it, this one does not"


def test_that_nothing_is_known_is_said_in_so_many_words(catalogue: Catalogue) -> None:
    signaal, cited = last([REQUEST, DAY])
    assert "Gegevens in dit signaal, en waarom\n  geen\n" in explanation_text(explained(catalogue, signaal, cited))
    assert "informatiepakket  15 jan 2026 t/m 14 mrt 2026  [dim]geen gegevens  " in signaal_line(signaal)
