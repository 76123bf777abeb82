"""``catalogue check``: the published catalogue has no more than is needed, and planted breaches are found, with file, line and key."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from samenloop.cli import app_of
from schemas.minimisation import breaches_of
from tests.contract.spoiling import PUBLISHED, Change, copied, drop, put, spoil

DIENST = "diensten/rechtmatigheidscontrole-levensonderhoud.yaml"
PENSIOEN = 3  # among its feiten


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path)


def checked(folder: Path) -> Result:
    return CliRunner().invoke(app_of(["catalogue"]), ["catalogue", "check", "--catalogus", str(folder)])


def lines(folder: Path, file: str) -> list[str]:
    return (folder / file).read_text(encoding="utf-8").splitlines()


def test_the_published_catalogue_has_no_more_than_is_needed() -> None:
    assert breaches_of(PUBLISHED) == []
    result = checked(PUBLISHED)
    assert result.exit_code == 0
    assert "every field of a bron is used" in result.stdout


BREACHES: list[tuple[tuple[str | int, ...], Change, str, str]] = [
    (("feiten", 1, "velden", 2, "doel"), drop, "veld: ", "Field required"),
    (("feiten", 1, "velden", 2, "grondslag"), put(""), "grondslag: ''", "at least 1 character"),
    (("basisfeit", "velden", 1, "grondslag"), drop, "veld: kenmerk", "Field required"),
    (("feiten", 2, "doel"), put(""), "doel: ''", "at least 1 character"),
    (("grondslag",), put([]), "grondslag: []", "at least 1 item"),
    (("bewaartermijn",), drop, "dienst: ", "Field required"),
    (("verwerkingsverantwoordelijke",), drop, "dienst: ", "Field required"),
    (("verwerkingsverantwoordelijke",), put(""), "verwerkingsverantwoordelijke: ''", "at least 1 character"),
]


@pytest.mark.parametrize(("path", "change", "line", "why"), BREACHES, ids=lambda x: None if callable(x) else str(x))
def test_a_use_without_purpose_ground_retention_or_controller_is_a_breach(
    path: tuple[str | int, ...], change: Change, line: str, why: str, folder: Path
) -> None:
    spoil(folder, DIENST, path, change)
    (breach,) = breaches_of(folder)
    assert (breach.file, breach.key) == (Path(DIENST).name, ".".join(map(str, path)))
    assert why in breach.why
    assert breach.line is not None
    assert line in lines(folder, DIENST)[breach.line - 1]
    result = checked(folder)
    assert result.exit_code == 1
    assert f"{Path(DIENST).name}:{breach.line}: {breach.key}: " in result.stderr


def test_an_amount_that_is_not_listed_is_a_breach_with_its_line(folder: Path) -> None:
    dienst = "diensten/inkomen-bij-terugvordering.yaml"
    spoil(folder, dienst, ("regel", "bedragen", 0, "veld"), put("verloonde_uren"))
    (breach,) = breaches_of(folder)
    assert breach[::2] == ("inkomen-bij-terugvordering.yaml", "regel.bedragen.0.veld")
    assert breach.why == "verloonde_uren is not among the listed velden"
    assert breach.line is not None
    assert "veld: verloonde_uren" in lines(folder, dienst)[breach.line - 1]


def test_a_dienst_that_would_not_say_that_a_date_is_uncertain_is_a_breach(folder: Path) -> None:
    spoil(folder, DIENST, ("feiten", PENSIOEN, "velden", -1), drop)
    (breach,) = breaches_of(folder)
    assert (breach.file, breach.key) == (Path(DIENST).name, f"feiten.{PENSIOEN}.velden")
    assert breach.why == "onzeker is needed: dates of svb.pensioen may be known in part only"


def test_two_breaches_in_one_file_are_both_named(folder: Path) -> None:
    spoil(folder, DIENST, ("bewaartermijn",), drop)
    spoil(folder, DIENST, ("inzage",), drop)
    assert {b.key for b in breaches_of(folder)} == {"bewaartermijn", "inzage"}


def test_a_field_that_a_bron_delivers_and_no_dienst_uses_is_a_breach(folder: Path) -> None:
    avsc = "avro/mutaties.uwv.uitkering.v2.avsc"
    schema = json.loads((folder / avsc).read_text())
    feit = schema["fields"][3]["type"][1]
    feit["fields"].append({"name": "reden_einde", "type": ["null", "string"], "doc": "Why it ended.", "default": None})
    (folder / avsc).write_text(json.dumps(schema, indent=2))
    spoil(folder, "topics/mutaties.uwv.uitkering.yaml", ("velden", "reden_einde"), put("Waarom de uitkering eindigde."))
    (breach,) = breaches_of(folder)
    assert (breach.file, breach.key) == (Path(avsc).name, "reden_einde")
    assert breach.line is not None
    assert '"reden_einde"' in lines(folder, avsc)[breach.line - 1]
    assert checked(folder).exit_code == 1


def test_a_field_whose_last_use_is_taken_from_the_diensten_is_a_breach(folder: Path) -> None:
    spoil(folder, DIENST, ("feiten", 1, "velden", 4), drop)
    assert [str(b) for b in breaches_of(folder)] == [
        "mutaties.uwv.inkomstenopgave.v2.avsc:84: verloonde_uren: bron uwv delivers it and no dienst uses it"
    ]


def test_a_soort_that_no_dienst_uses_is_a_breach(folder: Path) -> None:
    spoil(folder, DIENST, ("feiten", 4), drop)
    (breach,) = breaches_of(folder)
    assert breach == ("mutaties.duo.studiefinanciering.yaml", 1, "topic", "no dienst uses duo.studiefinanciering")


def test_a_row_of_a_list_is_named_by_its_line(folder: Path) -> None:
    spoil(folder, "bronnen.yaml", (1, "oin"), drop)
    (breach,) = breaches_of(folder)
    assert (breach.file, breach.key) == ("bronnen.yaml", "1.oin")
    assert breach.line is not None
    assert "id: gemeente" in lines(folder, "bronnen.yaml")[breach.line - 1]


def test_a_file_that_is_no_yaml_is_named_without_a_key(folder: Path) -> None:
    (folder / DIENST).write_text("dienst: [1")
    result = checked(folder)
    assert result.exit_code == 1
    assert Path(DIENST).name in result.stderr
