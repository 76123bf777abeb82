"""Kwijtschelding of a household: a package for each person, one kenmerk, and nothing of the one in what is known or told of the other."""

import json
from datetime import date
from typing import Any

import pytest

from schemas.catalogue import Catalogue
from tests.scenarios.story import KLOK, Step
from tests.scenarios.test_stories import Teller

APPLICANT, PARTNER = "999990019", "999990032"
APPLICATION = {"begindatum": "2026-02-10", "einddatum": None, "houder": "ws0013", "kenmerk": "KW-7", "peildatum": "2026-01-01"}
BENEFIT = {"begindatum": "2025-01-01", "einddatum": None, "regeling": "WW", "bruto_bedrag": 123_400}
KWIJTSCHELDING = "invorderaar.kwijtscheldingsaanvraag"
CAR = {"begindatum": "2021-03-01", "einddatum": None, "kenteken": "X999XX", "voertuigsoort": "PERSONENAUTO", "bouwjaar": 2019}


def told(soort: str, bsn: str, record_id: str, feit: dict[str, Any] | None, versie: int = 1) -> Step:
    line = {"bsn": bsn, "record_id": record_id, "versie": versie, "registratietijd": "2026-02-10T09:00:00Z", "feit": feit}
    return Step(soort, line, {}, {}, kept=True)


def day(datum: str) -> Step:
    return Step(KLOK, {"datum": date.fromisoformat(datum)}, {}, {}, kept=True)


@pytest.fixture
def household(catalogue: Catalogue) -> tuple[Teller, list[dict[str, Any]]]:
    """Two persons who apply together: the one has a benefit, the other a car; the third person in the house has no application."""
    teller = Teller(catalogue)
    steps = [
        told(KWIJTSCHELDING, APPLICANT, "aanvrager-7", APPLICATION),
        told(KWIJTSCHELDING, PARTNER, "partner-7", APPLICATION),
        told("uwv.uitkering", APPLICANT, "u-1", BENEFIT),
        told("rdw.voertuig", PARTNER, "v-1", CAR),
        told("uwv.uitkering", "999990044", "u-2", BENEFIT),
        day("2026-02-13"),
    ]
    return teller, [s for step in steps for s in teller.tell(step)[2]]


def test_the_ontvanger_gets_a_package_for_each_under_its_own_kenmerk_and_record(
    household: tuple[Teller, list[dict[str, Any]]],
) -> None:
    packages = {s["basisfeit"]["record_id"]: s for s in household[1]}
    assert {s["kenmerk"] for s in packages.values()} == {"KW-7"}
    assert {name: [p["soort"] for p in s["gegevens"]] for name, s in packages.items()} == {
        "aanvrager-7": ["uwv.uitkering"],
        "partner-7": ["rdw.voertuig"],
    }
    assert len({s["signaal_id"] for s in household[1]}) == 2


def test_nothing_of_the_one_stands_in_what_is_told_of_the_other(household: tuple[Teller, list[dict[str, Any]]]) -> None:
    packages = {s["basisfeit"]["record_id"]: json.dumps(s) for s in household[1]}
    assert not any(word in packages["aanvrager-7"] for word in ("partner-7", "v-1", "X999XX"))
    assert not any(word in packages["partner-7"] for word in ("aanvrager-7", "u-1", "WW"))


def test_who_lives_there_too_and_whose_means_do_not_count_is_not_followed(household: tuple[Teller, list[dict[str, Any]]]) -> None:
    teller, _ = household
    assert sum(n for key, n in teller.counts.items() if key.endswith("niet_bewaard")) == 1


def test_when_the_partner_leaves_the_application_the_package_of_the_applicant_stands(
    household: tuple[Teller, list[dict[str, Any]]],
) -> None:
    teller, _ = household
    signalen = teller.tell(told(KWIJTSCHELDING, PARTNER, "partner-7", None, versie=2))[2]
    assert [(s["soort"], s["basisfeit"]["record_id"]) for s in signalen] == [("VERVALLEN", "partner-7")]
    corrected = told("uwv.uitkering", APPLICANT, "u-1", {**BENEFIT, "bruto_bedrag": 1}, versie=2)
    assert [(s["soort"], s["basisfeit"]["record_id"]) for s in teller.tell(corrected)[2]] == [("GEWIJZIGD", "aanvrager-7")]
