"""The catalogue: what it refuses, and where it says the fault is."""

import shutil
from pathlib import Path

import pytest
import yaml

from schemas.catalogue import Catalogue
from schemas.parts import CatalogueError
from tests.contract.spoiling import PUBLISHED, copied, drop, put, spoil

DIENST = "diensten/rechtmatigheidscontrole-levensonderhoud.yaml"
TOPIC = "topics/mutaties.uwv.uitkering.yaml"
LISTS = ["bronnen.yaml", "ontvangers.yaml"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path)


def refusal(folder: Path) -> str:
    with pytest.raises(CatalogueError) as e:
        Catalogue.load(folder)
    return str(e.value)


def test_the_copy_is_good_before_it_is_spoilt(folder: Path) -> None:
    assert Catalogue.load(folder) == Catalogue.load()


ONTBREKEN = "diensten/jongeren-zonder-startkwalificatie.yaml"
BEEINDIGING = "diensten/voortijdig-schoolverlaters.yaml"
DREMPEL = "diensten/inkomen-bij-terugvordering.yaml"
PAKKET = "diensten/inkomensafhankelijke-regelingen.yaml"

UNKNOWN: list[tuple[str, tuple[str | int, ...]]] = [
    ("bronnen.yaml", (1,)),
    ("ontvangers.yaml", (0,)),
    (TOPIC, ()),
    (TOPIC, ("schemas", 0)),
    (DIENST, ()),
    (DIENST, ("regel",)),
    (DIENST, ("ontvanger",)),
    (DIENST, ("basisfeit",)),
    (DIENST, ("basisfeit", "velden", 0)),
    (DIENST, ("feiten", 2)),
    (DIENST, ("feiten", 2, "velden", 1)),
]


@pytest.mark.parametrize(("file", "path"), UNKNOWN, ids=str)
def test_an_unknown_key_is_refused_in_every_part_of_every_kind_of_file(file: str, path: tuple[str | int, ...], folder: Path) -> None:
    spoil(folder, file, (*path, "onbekend"), put("x"))
    text = refusal(folder)
    assert text.startswith(Path(file).name)
    assert ".".join(map(str, [*(path[1:] if file in LISTS else path), "onbekend"])) in text
    assert "Extra inputs are not permitted" in text


REQUIRED: list[tuple[str, tuple[str | int, ...]]] = [
    (DIENST, ("doel",)),
    (DIENST, ("grondslag",)),
    (DIENST, ("bewaartermijn",)),
    (DIENST, ("verwerkingsverantwoordelijke",)),
    (DIENST, ("inzage",)),
    (DIENST, ("regel", "versie")),
    (DIENST, ("basisfeit", "velden", 0, "doel")),
    (DIENST, ("basisfeit", "velden", 1, "grondslag")),
    (DIENST, ("feiten", 0, "doel")),
    (DIENST, ("feiten", 4, "grondslag")),
    (DIENST, ("feiten", 1, "velden", 2, "doel")),
    (DIENST, ("feiten", 1, "velden", 2, "grondslag")),
    (TOPIC, ("bewaartermijn",)),
    (TOPIC, ("compatibiliteit",)),
    (TOPIC, ("nummer",)),
    ("bronnen.yaml", (1, "oin")),
    ("bronnen.yaml", (1, "filtert_zelf")),
    ("ontvangers.yaml", (0, "oin")),
]


@pytest.mark.parametrize(("file", "path"), REQUIRED, ids=str)
def test_what_is_needed_is_missed_under_its_file_and_key(file: str, path: tuple[str | int, ...], folder: Path) -> None:
    spoil(folder, file, path, drop)
    text = refusal(folder)
    assert text.startswith(Path(file).name)
    assert f"{'.'.join(map(str, path[1:] if file in LISTS else path))}: Field required" in text


@pytest.mark.parametrize(("file", "path"), [r for r in REQUIRED if r[1][-1] in {"doel", "grondslag"}], ids=str)
def test_an_empty_purpose_or_ground_counts_as_none(file: str, path: tuple[str | int, ...], folder: Path) -> None:
    spoil(folder, file, path, put([] if path == ("grondslag",) else ""))
    text = refusal(folder)
    assert text.startswith(f"{Path(file).name}: {'.'.join(map(str, path))}: ")


WRONG: list[tuple[str, tuple[str | int, ...], object, str]] = [
    (DIENST, ("basisfeit", "soort"), "gemeente.bijzonder", "basisfeit.soort: there is no topic mutaties.gemeente.bijzonder"),
    (DIENST, ("feiten", 3, "soort"), "svb.kinderbijslag", "feiten.3.soort: there is no topic mutaties.svb.kinderbijslag"),
    (DIENST, ("feiten", 3, "soort"), "uwv.uitkering", "feiten.2.soort: uwv.uitkering is named twice"),
    (DIENST, ("feiten", 0, "velden", 1, "veld"), "loon", "feiten.0.velden.1: loon is not in the schema of uwv.inkomstenverhouding"),
    (DIENST, ("feiten", 2, "velden", 1, "veld"), "regeling", "feiten.2.velden.1: regeling is named twice"),
    (
        DIENST,
        ("basisfeit", "velden"),
        [{"veld": "wet", "doel": "x", "grondslag": "x"}],
        "basisfeit.velden: houder and kenmerk are needed to address a signaal",
    ),
    (DIENST, ("regel", "patroon"), "profiel", "regel: Input tag 'profiel' found using 'patroon' does not match"),
    (DIENST, ("bewaartermijn",), "15 maanden", "bewaartermijn: String should match pattern"),
    (DIENST, ("bewaartermijn",), "P466D", "bewaartermijn: mutaties.gemeente.bijstand is kept for P15M only"),
    (DIENST, ("ontvanger", "soort"), "bank", "ontvanger.soort.0: Input should be 'gemeente', 'svb', "),
    (TOPIC, ("eigenaar",), "kadaster", "eigenaar: kadaster is not in bronnen.yaml"),
    (TOPIC, ("eigenaar",), "svb", "eigenaar: the topic's bron is expected, not svb"),
    (TOPIC, ("schemas", 0, "id"), 1, "schemas: id 1 is taken by mutaties.gemeente.bijstand.v1.avsc"),
    (TOPIC, ("schemas", 0, "bestand"), "weg.avsc", "schemas: weg.avsc: "),
    (TOPIC, ("schemas",), [], "schemas: a topic of mutaties has at least one"),
    (TOPIC, ("nummer",), 1, "nummer: 1 is given twice, first in mutaties.gemeente.bijstand.yaml"),
    (
        TOPIC,
        ("topic",),
        "mutaties.uwv.inkomstenopgave",
        "topic: mutaties.uwv.inkomstenopgave is taken by mutaties.uwv.inkomstenopgave.yaml",
    ),
    (TOPIC, ("velden",), {"regeling": "x"}, "velden.bruto_bedrag: what the field means is not said"),
    (TOPIC, ("velden", "iban"), "x", "velden.iban: the field is not in the newest schema"),
    (TOPIC, ("bewaartermijn",), None, "bewaartermijn: only a compacted topic may be without"),
    (TOPIC, ("bewaartermijn",), "P1Y", "bewaartermijn: String should match pattern"),
    (TOPIC, ("compatibiliteit",), "FORWARD", "compatibiliteit: Input should be"),
    ("bronnen.yaml", (2, "oin"), "0000009900090000200", "bronnen.yaml: 2: oin: String should match pattern"),
    ("bronnen.yaml", (7, "aanhouden"), "drie dagen", "bronnen.yaml: 7: aanhouden: String should match pattern"),
    ("bronnen.yaml", (7, "aanhouden"), "P0D", "bronnen.yaml: 7: aanhouden: String should match pattern"),
    ("bronnen.yaml", (2, "id"), "svb", "bronnen.yaml: 3: id: svb is taken by bronnen.yaml: 2"),
    ("ontvangers.yaml", (1, "id"), "gm0003", "ontvangers.yaml: 1: id: gm0003 is taken by ontvangers.yaml: 0"),
    ("ontvangers.yaml", (0, "soort"), "bank", "ontvangers.yaml: 0: soort: Input should be 'gemeente', 'svb', "),
    ("ontvangers.yaml", (0, "opgegaan_in"), "gm9999", "ontvangers.yaml: 0: opgegaan_in: there is no ontvanger gm9999"),
    ("ontvangers.yaml", (0, "opgegaan_in"), "svb", "ontvangers.yaml: 0: opgegaan_in: svb is a svb, not a gemeente"),
    ("ontvangers.yaml", (0, "opgegaan_in"), "gm0003", "ontvangers.yaml: 0: opgegaan_in: gm0003 does not exist on 2021-01-01"),
    ("ontvangers.yaml", (0, "opgegaan_in"), "gm0010", "ontvangers.yaml: 0: opgegaan_in: gm0010 does not exist on 2021-01-01"),
    ("ontvangers.yaml", (0, "opgegaan_in"), "gm1992", "ontvangers.yaml: 0: opgegaan_in: gm1992 does not exist on 2021-01-01"),
    ("ontvangers.yaml", (0, "vanaf"), "2021-01-01", "ontvangers.yaml: 0: tot: gm0003 would end before it begins"),
    (
        "ontvangers.yaml",
        (2, "opgegaan_in"),
        "gm1979",
        "ontvangers.yaml: 2: opgegaan_in: only an ontvanger that ends has one: tot is not given",
    ),
]


@pytest.mark.parametrize(("file", "path", "value", "said"), WRONG, ids=lambda x: str(x)[:40])
def test_a_wrong_value_is_refused_under_its_file_and_key(
    file: str, path: tuple[str | int, ...], value: object, said: str, folder: Path
) -> None:
    spoil(folder, file, path, put(value))
    assert refusal(folder).startswith(said if file in LISTS else f"{Path(file).name}: {said}")


REGELS: list[tuple[str, tuple[str | int, ...], object, str]] = [
    (PAKKET, ("regel", "peildatum"), "dag", "regel.peildatum: dag is not among the listed velden"),
    (PAKKET, ("regel", "peildatum"), "kenmerk", "regel.peildatum: kenmerk is no date that is always given"),
    (PAKKET, ("regel", "terug"), "P0M", "regel.terug: String should match pattern"),
    (PAKKET, ("regel", "terug"), "een jaar", "regel.terug: String should match pattern"),
    (PAKKET, ("regel", "wachttijd"), "3", "regel.wachttijd: String should match pattern"),
    (PAKKET, ("regel", "leeftijd"), {"veld": "geboortedatum", "tot": 23}, "regel.leeftijd: Extra inputs are not permitted"),
    (ONTBREKEN, ("regel", "leeftijd", "veld"), "leeftijd", "regel.leeftijd.veld: leeftijd is not among the listed velden"),
    (ONTBREKEN, ("regel", "leeftijd", "veld"), "kenmerk", "regel.leeftijd.veld: kenmerk is no date that is always given"),
    (ONTBREKEN, ("regel", "leeftijd", "vanaf"), 27, "regel.leeftijd: Value error, tot has to be higher than vanaf"),
    (ONTBREKEN, ("regel", "leeftijd"), {"veld": "geboortedatum"}, "regel.leeftijd: Value error, vanaf or tot is needed"),
    (ONTBREKEN, ("regel", "wachttijd"), "een maand", "regel.wachttijd: String should match pattern"),
    (ONTBREKEN, ("regel", "formule"), "1 + 1", "regel.formule: Extra inputs are not permitted"),
    (BEEINDIGING, ("regel", "van"), "uwv.uitkering", "regel.van: uwv.uitkering is not among the feiten"),
    (BEEINDIGING, ("regel", "termijn"), "P1Y", "regel.termijn: String should match pattern"),
    (BEEINDIGING, ("regel", "wachttijd"), "P1M", "regel.wachttijd: Extra inputs are not permitted"),
    (DREMPEL, ("regel", "grens"), "drempel", "regel.grens: drempel is not among the listed velden"),
    (DREMPEL, ("regel", "grens"), "kenmerk", "regel.grens: kenmerk is no number that is always given"),
    (DREMPEL, ("regel", "bedragen"), [], "regel.bedragen: Tuple should have at least 1 item"),
    (DREMPEL, ("regel", "bedragen", 1), {"soort": "uwv.inkomstenopgave"}, "regel.bedragen.1.veld: Field required"),
    (DREMPEL, ("regel", "bedragen", 1, "factor"), "13/12", "regel.bedragen.1.factor: Extra inputs are not permitted"),
    (DREMPEL, ("regel", "bedragen", 1, "soort"), "svb.pensioen", "regel.bedragen.1.soort: svb.pensioen is not among the feiten"),
    (DREMPEL, ("regel", "bedragen", 0, "veld"), "verloonde_uren", "regel.bedragen.0.veld: verloonde_uren is not among the listed velden"),
    (DREMPEL, ("regel", "bedragen", 0, "veld"), "tijdvak", "regel.bedragen.0.veld: tijdvak is no number"),
    (DREMPEL, ("regel", "bedragen", 0, "tijdvak"), "loon_sv", "regel.bedragen.0.tijdvak: loon_sv is no tijdvak: one of MAAND, VIER_WEKEN"),
    (
        DREMPEL,
        ("regel", "bedragen"),
        [{"soort": "uwv.uitkering", "veld": "bruto_bedrag"}] * 2,
        "regel.bedragen.1.soort: uwv.uitkering is named twice",
    ),
    (
        DREMPEL,
        ("regel", "bedragen"),
        [{"soort": "uwv.uitkering", "veld": "bruto_bedrag"}],
        "regel.bedragen: uwv.inkomstenopgave is among the feiten and has no amount",
    ),
]


@pytest.mark.parametrize(("file", "path", "value", "said"), REGELS, ids=lambda x: str(x)[:40])
def test_a_rule_that_its_dienst_cannot_have_is_refused_under_its_key(
    file: str, path: tuple[str | int, ...], value: object, said: str, folder: Path
) -> None:
    spoil(folder, file, path, put(value))
    assert refusal(folder).startswith(f"{Path(file).name}: {said}")


def test_a_soort_that_no_dienst_uses_is_refused(folder: Path) -> None:
    spoil(folder, DIENST, ("feiten", 4), drop)
    assert refusal(folder) == "mutaties.duo.studiefinanciering.yaml: topic: no dienst uses duo.studiefinanciering"


def test_a_bron_without_a_topic_is_refused(folder: Path) -> None:
    rows = yaml.safe_load((folder / "bronnen.yaml").read_text(encoding="utf-8"))
    rows.append({"id": "kadaster", "naam": "Kadaster", "oin": "00000099000900009000", "filtert_zelf": False})
    (folder / "bronnen.yaml").write_text(yaml.safe_dump(rows), encoding="utf-8")
    assert refusal(folder) == f"bronnen.yaml: {len(rows) - 1}: id: kadaster has no topic"


def test_an_ontvanger_for_whom_there_are_no_signals_is_refused(folder: Path) -> None:
    spoil(folder, "diensten/rechtmatigheidscontrole-aio.yaml", ("ontvanger", "soort"), put(["gemeente"]))
    rows = yaml.safe_load((folder / "ontvangers.yaml").read_text(encoding="utf-8"))
    assert refusal(folder) == f"ontvangers.yaml: {[o['id'] for o in rows].index('svb')}: soort: no dienst has signals for a svb"


def test_a_dienst_that_is_declared_twice_is_refused(folder: Path) -> None:
    shutil.copy(folder / DIENST, folder / "diensten" / "zelfde.yaml")
    assert refusal(folder).startswith("zelfde.yaml: dienst: rechtmatigheidscontrole-levensonderhoud is taken by")


@pytest.mark.parametrize("file", [*LISTS, DIENST, TOPIC])
def test_a_key_that_is_given_twice_is_refused(file: str, folder: Path) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    spoilt = text.replace("{id: ", "{id: x, id: ", 1) if file in LISTS else f"{text}\nnummer: 99\n"
    (folder / file).write_text(spoilt, encoding="utf-8")
    said = refusal(folder)
    assert said.startswith(Path(file).name)
    assert "given twice" in said


@pytest.mark.parametrize("file", [*LISTS, DIENST, TOPIC])
@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\xff", b"", b"text", b"- [1", b"? [a]\n: 1"], ids=str)
def test_a_file_that_is_not_what_it_should_be_is_refused_by_name(file: str, content: bytes, folder: Path) -> None:
    (folder / file).write_bytes(content)
    assert refusal(folder).startswith(Path(file).name)


@pytest.mark.parametrize("file", LISTS)
def test_a_file_that_is_not_there_is_named(file: str, folder: Path) -> None:
    (folder / file).unlink()
    assert refusal(folder).startswith(file)


def test_a_schema_that_is_no_json_is_named(folder: Path) -> None:
    (folder / "avro" / "mutaties.uwv.uitkering.v1.avsc").write_text("{", encoding="utf-8")
    assert refusal(folder).startswith("mutaties.uwv.uitkering.yaml: schemas: mutaties.uwv.uitkering.v1.avsc: ")


EINDE = {"soort": "rvig.overlijden", "doel": "x", "grondslag": "x"}
EINDEN: list[tuple[object, str]] = [
    (EINDE | {"soort": "rvig.geboorte"}, "soort: there is no topic mutaties.rvig.geboorte"),
    (EINDE | {"soort": "gemeente.jongere"}, "soort: gemeente.jongere is a basisfeit or a feit in jongeren-zonder-startkwalificatie.yaml"),
    (EINDE | {"soort": "rvig.huishouden"}, "soort: rvig.huishouden is a basisfeit or a feit in beslagvrije-voet.yaml"),
    (EINDE | {"doel": ""}, "doel: String should have at least 1 character"),
    ({"soort": "rvig.overlijden", "doel": "x"}, "grondslag: Field required"),
    (EINDE | {"velden": ["begindatum"]}, "velden: Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("einde", "said"), EINDEN, ids=lambda x: str(x)[:60])
def test_what_ends_a_basisfeit_is_a_soort_of_its_own_with_purpose_and_ground(einde: object, said: str, folder: Path) -> None:
    spoil(folder, DIENST, ("basisfeit", "eindigt_bij"), put(einde))
    assert refusal(folder).startswith(f"{Path(DIENST).name}: basisfeit.eindigt_bij.{said}")


BEKEND: list[tuple[tuple[str | int, ...], object, str]] = [
    (("feiten", 0, "bekend", "gelijk"), ["ikv_nummer"], "feiten.0.bekend.gelijk.0: ikv_nummer is not among the listed velden of both"),
    (("feiten", 0, "bekend", "gelijk"), [], "feiten.0.bekend.gelijk: Tuple should have at least 1 item"),
    (("feiten", 1, "bekend", "hoogstens", "veld"), "loon", "feiten.1.bekend.hoogstens.veld: loon is not among the listed velden"),
    (("feiten", 1, "bekend", "hoogstens", "veld"), "tijdvak", "feiten.1.bekend.hoogstens.veld: tijdvak is no number"),
    (("feiten", 1, "bekend", "hoogstens", "grens"), "houder", "feiten.1.bekend.hoogstens.grens: houder is no number"),
    (("feiten", 1, "bekend", "hoogstens", "tijdvak"), "loon_sv", "feiten.1.bekend.hoogstens.tijdvak: loon_sv is no tijdvak"),
    (("feiten", 1, "bekend", "formule"), "loon_sv < 1", "feiten.1.bekend.formule: Extra inputs are not permitted"),
    (("opgaven", "soort"), "uwv.opgave", "opgaven.soort: there is no topic mutaties.uwv.opgave"),
    (("opgaven", "soort"), "gemeente.jongere", "opgaven.soort: gemeente.jongere is a basisfeit or a feit in jongeren-zonder"),
    (("opgaven", "soort"), "rvig.overlijden", "basisfeit.eindigt_bij.soort: rvig.overlijden is named twice"),
    (("opgaven", "velden", 0, "veld"), "kenmerk", "opgaven.velden.0: kenmerk is not in the schema of gemeente.opgegeveninkomen"),
    (("opgaven", "grondslag"), "", "opgaven.grondslag: String should have at least 1 character"),
]


@pytest.mark.parametrize(("path", "value", "said"), BEKEND, ids=lambda x: str(x)[:60])
def test_what_is_known_already_is_said_in_fields_that_are_listed_on_both_sides(
    path: tuple[str | int, ...], value: object, said: str, folder: Path
) -> None:
    spoil(folder, DIENST, path, put(value))
    assert refusal(folder).startswith(f"{Path(DIENST).name}: {said}")


GROEPEER: list[tuple[tuple[str | int, ...], object, str]] = [
    ((0,), ["loonheffingsnummer"], "0.groepeer.0: loonheffingsnummer is not among the listed velden"),
    ((0,), "loonheffingennummer", "0.groepeer: Input should be a valid tuple"),
    ((0,), ["loonheffingennummer"] * 2, "0.groepeer.1: loonheffingennummer is named twice"),
    ((0,), ["soort_inkomstenverhouding"], "0.groepeer: bekend has to be the same for all records of a chain"),
    ((1,), ["loonheffingennummer", "ikv_nummer"], "1.groepeer: bekend has to be the same for all records of a chain"),
    ((2,), ["regeling"], "2.groepeer: a chain tells the fields of its first record"),
    ((2,), ["regeling", "bruto_bedrag"], "2.groepeer: a chain tells"),
    ((4,), ["maandbedrag"], "4.groepeer.0: maandbedrag is not always given"),
]


@pytest.mark.parametrize(("path", "value", "said"), GROEPEER, ids=lambda x: str(x)[:60])
def test_records_go_on_as_one_by_listed_fields_that_are_always_given(
    path: tuple[str | int, ...], value: object, said: str, folder: Path
) -> None:
    spoil(folder, DIENST, ("feiten", *path, "groepeer"), put(value))
    assert refusal(folder).startswith(f"{Path(DIENST).name}: feiten.{said}")


def test_only_pairs_are_grouped(folder: Path) -> None:
    spoil(folder, "diensten/inkomen-bij-terugvordering.yaml", ("feiten", 0, "groepeer"), put(["tijdvak"]))
    assert refusal(folder) == "inkomen-bij-terugvordering.yaml: feiten.0.groepeer: a rule of the patroon samenloop is needed"


HELD = [
    ("uwv", "beslagvrije-voet.yaml needs uwv.inkomstenopgave at once"),  # an answer
    ("duo", "jongeren-zonder-startkwalificatie.yaml needs duo.inschrijving at once"),  # what is missed
    ("invorderaar", "beslagvrije-voet.yaml needs invorderaar.beslagverzoek at once"),  # a basisfeit
]


@pytest.mark.parametrize(("bron", "said"), HELD)
def test_only_what_is_a_feit_of_pairs_in_every_dienst_can_be_held(bron: str, said: str, folder: Path) -> None:
    bronnen = yaml.safe_load((folder / "bronnen.yaml").read_text(encoding="utf-8"))
    row = next(i for i, b in enumerate(bronnen) if b["id"] == bron)
    spoil(folder, "bronnen.yaml", (row, "aanhouden"), put("P3D"))
    assert refusal(folder) == f"bronnen.yaml: {row}: aanhouden: {said}: only a feit of a pair that counts alone can be held"


@pytest.mark.parametrize(
    ("soort", "dienst"),
    [
        ("gemeente.opgegeveninkomen", Path(DIENST).name),
        ("rvig.overlijden", "beslagvrije-voet.yaml"),
        ("uwv.inkomstenverhouding", Path(DIENST).name),
    ],
)
def test_neither_opgaven_nor_what_ends_a_basisfeit_nor_records_that_go_on_as_one_can_be_held(soort: str, dienst: str, folder: Path) -> None:
    bron, _, naam = soort.partition(".")
    spoil(folder, f"topics/mutaties.{soort}.yaml", ("eigenaar",), put("dji"))
    for file in [*folder.glob("topics/*.yaml"), *folder.glob("diensten/*.yaml")]:
        file.write_text(file.read_text(encoding="utf-8").replace(f"{bron}.{naam}", f"dji.{naam}"), encoding="utf-8")
    for schema in folder.glob(f"avro/mutaties.{soort}.*"):
        schema.rename(schema.with_name(schema.name.replace(bron, "dji")))
    assert (
        refusal(folder)
        == f"bronnen.yaml: 7: aanhouden: {dienst} needs dji.{naam} at once: only a feit of a pair that counts alone can be held"
    )


def test_what_is_known_needs_opgaven_and_these_a_houder_and_something_that_is_known(folder: Path) -> None:
    spoil(folder, DIENST, ("opgaven",), drop)
    assert "feiten.0.bekend: opgaven are needed, and a rule of the patroon samenloop" in refusal(folder)
    shutil.copy(PUBLISHED / DIENST, folder / DIENST)
    spoil(folder, DIENST, ("opgaven", "velden", 0), drop)
    assert "opgaven: a feit that may be bekend is needed, and houder among the listed velden" in refusal(folder)
