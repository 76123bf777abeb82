"""The published site: complete, true to the catalogue and the engine, valid HTML, without a dead link or anything from elsewhere."""

import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any, get_args
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from tinyhtml5.parser import HTMLParser
from typer.testing import CliRunner

from samenloop.cli import app_of
from samenloop.publication.lineage import lineage_of
from samenloop.publication.site import site_of
from samenloop.publication.words import ONTVANGERS, RULES, duration
from schemas.catalogue import Catalogue, Ontvanger
from schemas.regels import PATRONEN
from tests.contract.examples import AVRO, Example
from tests.contract.spoiling import PUBLISHED

FILES = site_of(PUBLISHED)
CATALOGUE = Catalogue.load()
PAGES = sorted(name for name in FILES if name.endswith(".html"))
SHOWN = [p for p in PAGES if not p.startswith("ontvangers/")] + ["ontvangers/gm0363.html"]  # of pages from one template one is enough
JSON_SCHEMAS = {name: json.loads(data) for name, data in FILES.items() if name.endswith(".schema.json")}
REGISTRY: Registry = Registry().with_resources((s["$id"], Resource.from_contents(s)) for s in JSON_SCHEMAS.values())
SIGNALEN = {name: json.loads(data) for name, data in FILES.items() if re.match(r"voorbeelden/[a-z-]+\.[a-z]+\.[a-z]+\.json", name)}


def parsed(page: str) -> tuple[ET.Element, list[Any]]:
    parser = HTMLParser(namespace_html_elements=False)
    return parser.parse(FILES[page].decode()), parser.errors


TREES = {page: parsed(page)[0] for page in PAGES}


def text_of(page: str) -> str:
    return " ".join(" ".join(TREES[page].itertext()).replace("\u00ad", "").split())


@pytest.mark.parametrize("page", SHOWN)
def test_a_page_is_valid_html(page: str) -> None:
    tree, errors = parsed(page)
    assert errors == []
    assert tree.get("lang") == "nl"
    assert [t.text for t in tree.iter("title")] != [None]
    assert not [i for i, n in Counter(e.get("id") for e in tree.iter() if e.get("id")).items() if n > 1]
    levels = [int(e.tag[1]) for e in tree.iter() if isinstance(e.tag, str) and re.fullmatch("h[1-6]", e.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(th.get("scope") for th in tree.iter("th"))
    assert len(list(tree.iter("main"))) == 1


@pytest.mark.parametrize("page", SHOWN)
def test_a_page_needs_nothing_from_elsewhere_and_no_script(page: str) -> None:
    html = FILES[page].decode()
    assert "<script" not in html
    assert not re.search(r"""(?:src|href|action|content)\s*=\s*["']?(?:https?:)?//""", html)
    assert not re.search(r"url\(|@import", FILES["style.css"].decode())


def test_every_link_leads_to_a_file_and_a_place_in_it() -> None:
    seen = set()
    for page, tree in TREES.items():
        for element in tree.iter():
            link = element.get("href") or element.get("src")
            if not link or link == "data:,":
                continue
            path, _, anchor = link.partition("#")
            target = normpath(join(dirname(page), path)) if path else page
            assert target in FILES, f"{page}: {link}"
            seen.add(target)
            if anchor:
                assert [e for e in TREES[target].iter() if e.get("id") == anchor], f"{page}: {link}"
    assert set(FILES) - seen == set(), "nothing is published that no page leads to"


@pytest.mark.parametrize("dienst", CATALOGUE.diensten.values(), ids=lambda d: d.dienst)
def test_the_page_of_a_dienst_says_all_that_the_catalogue_says_of_it(dienst: Any) -> None:
    said = text_of(f"diensten/{dienst.dienst}.html")
    wanted = [
        dienst.naam,
        dienst.doel,
        *dienst.grondslag,
        dienst.verwerkingsverantwoordelijke,
        dienst.inzage,
        duration(dienst.bewaartermijn),
    ]
    wanted += [f"{dienst.regel.patroon}, versie {dienst.regel.versie}"]
    for part in dienst.delen:
        topic = CATALOGUE.mutatie_topics[part.soort]
        wanted += [topic.naam, CATALOGUE.bron_of(part.soort).naam]
        wanted += [text for v in part.velden for text in (v.veld, v.doel, f"Grondslag: {v.grondslag}", topic.velden[v.veld])]
    wanted += [text for feit in dienst.feiten for text in (feit.doel, feit.grondslag)]
    assert [text for text in wanted if " ".join(text.split()) not in said] == []


def test_the_register_names_every_field_of_every_bron_with_its_use() -> None:
    said = text_of("gegevens.html")
    for dienst in CATALOGUE.diensten.values():
        for part in dienst.delen:
            for veld in part.velden:
                assert f"{dienst.naam} : {veld.doel} Grondslag: {veld.grondslag}" in said.replace(f"{dienst.naam}:", f"{dienst.naam} :")


def test_of_a_bron_whose_records_are_held_it_is_said_how_long() -> None:
    held = {b.id: b for b in CATALOGUE.bronnen.values() if b.aanhouden is not None}
    assert held.keys() == {"dji"}
    assert text_of("index.html").count("wordt 3 dagen aangehouden") == 1
    sentence = "Een detentie wordt pas gemeld 3 dagen nadat Dienst Justitiële Inrichtingen die voor het eerst vastlegde."
    for dienst in CATALOGUE.diensten.values():
        assert (sentence in text_of(f"diensten/{dienst.dienst}.html")) == any(f.soort == "dji.detentie" for f in dienst.feiten)


def test_every_soort_and_every_ontvanger_has_its_page() -> None:
    assert {f"ontvangers/{o}.html" for o in CATALOGUE.ontvangers} <= set(FILES)
    assert {f"topics/mutaties.{s}.html" for s in CATALOGUE.mutatie_topics} <= set(FILES)
    for ontvanger in CATALOGUE.ontvangers:
        assert f"signalen.{ontvanger}" in text_of(f"ontvangers/{ontvanger}.html")


def test_every_rule_and_every_kind_of_ontvanger_has_its_words() -> None:
    assert set(RULES) == set(PATRONEN)
    assert set(ONTVANGERS) == set(get_args(Ontvanger.model_fields["soort"].annotation))


def at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value[key]
    return value


@pytest.mark.parametrize("dienst", [d for d in CATALOGUE.diensten.values() if not d.over_paren], ids=lambda d: d.dienst)
def test_the_herkomst_names_all_that_a_signal_about_a_basisfeit_tells(dienst: Any) -> None:
    explained = {path for o in lineage_of(CATALOGUE, dienst) for path in o.signaalveld.split(", ")}
    for signaal in SIGNALEN.get(f"voorbeelden/{dienst.dienst}.{dienst.basisfeit.soort}.json", []):
        told = {f"gegevens[].velden.{v}" for part in signaal["gegevens"] or [] for v in part["velden"]}
        assert told | {"begindatum", "einddatum", "ontvanger", "kenmerk", "basisfeit.begindatum", "gegevens[].einddatum"} <= explained


SHARED = {
    "begindatum",
    "einddatum",
    "vervolg[].begindatum",
    "vervolg[].einddatum",
}  # of a signal that goes on from nothing the last two are not there


@pytest.mark.parametrize("dienst", [d for d in CATALOGUE.diensten.values() if d.over_paren], ids=lambda d: d.dienst)
def test_the_herkomst_of_a_field_is_where_the_engine_took_it(dienst: Any) -> None:
    """For every field of the signals that the engine makes of golden records."""
    golden = {(e.topic, e.value["record_id"], e.value["versie"]): e.value for e in AVRO if e.topic.startswith("mutaties.")}
    for feit in dienst.feiten:
        signaal = SIGNALEN[f"voorbeelden/{dienst.dienst}.{feit.soort}.json"][0]
        explained = set()
        for origin in lineage_of(CATALOGUE, dienst):
            part = (
                "feit"
                if any(path.startswith(("feit.", "gegevens.", "vervolg[].")) for path in origin.signaalveld.split(", "))
                else "basisfeit"
            )
            if signaal[part]["soort"] != origin.soort:
                continue
            source = golden[signaal[part]["topic"], signaal[part]["record_id"], signaal[part]["versie"]]
            explained.update(origin.signaalveld.split(", "))
            for path in origin.signaalveld.split(", "):
                if path not in SHARED:
                    assert at(signaal, path) == at(source, origin.bronveld), origin
        told = {"begindatum", "einddatum", "ontvanger", "kenmerk", *(f"gegevens.{v}" for v in signaal["gegevens"])}
        told |= {f"{part}.{day}" for part in ("basisfeit", "feit") for day in ("begindatum", "einddatum")}
        told |= {f"vervolg[].{day}" for day in ("begindatum", "einddatum") if feit.groepeer}  # of the records that go on from the feit
        assert explained == told, "nothing reaches an ontvanger whose herkomst is not published"


def test_the_engine_makes_a_new_a_changed_and_a_withdrawn_signal_of_every_soort() -> None:
    pairs = [f"voorbeelden/{d.dienst}.{f.soort}.json" for d in CATALOGUE.diensten.values() if d.over_paren for f in d.feiten]
    assert set(pairs) < set(SIGNALEN), "and of some dienst about a basisfeit"
    for name, signalen in SIGNALEN.items():
        assert [s["soort"] for s in signalen] == ["NIEUW", "GEWIJZIGD", "VERVALLEN"], name


@pytest.mark.parametrize("name", JSON_SCHEMAS)
def test_a_json_schema_is_good_by_the_standard(name: str) -> None:
    Draft202012Validator.check_schema(JSON_SCHEMAS[name])


@pytest.mark.parametrize("example", AVRO, ids=str)
def test_a_golden_record_fits_its_json_schema_and_nothing_else_does(example: Example) -> None:
    schema = JSON_SCHEMAS[f"schemas/{CATALOGUE.schemas[example.schema_id].bestand.removesuffix('.avsc')}.schema.json"]
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    validator.validate(example.value)
    assert not validator.is_valid({**example.value, "bsn": "999990019"})
    for name in example.value:
        assert not validator.is_valid({k: v for k, v in example.value.items() if k != name})
        assert not validator.is_valid({**example.value, name: [1.5]})


@pytest.mark.parametrize("name", SIGNALEN)
def test_a_signal_fits_the_json_schema_of_its_dienst_and_no_field_more_does(name: str) -> None:
    for signaal in SIGNALEN[name]:
        validator = Draft202012Validator(JSON_SCHEMAS[f"schemas/signaal.{signaal['dienst']}.schema.json"], registry=REGISTRY)
        validator.validate(signaal)
        assert not validator.is_valid({**signaal, "dienst": "andere"})
        if isinstance(signaal["gegevens"], list):
            for part in signaal["gegevens"]:
                odd = {**part, "velden": {**part["velden"], "iban": "x"}}
                assert not validator.is_valid({**signaal, "gegevens": [odd]})
        elif signaal["gegevens"] is not None:
            assert not validator.is_valid({**signaal, "gegevens": {**signaal["gegevens"], "iban": "x"}})
            for veld in signaal["gegevens"]:
                assert not validator.is_valid({**signaal, "gegevens": {k: v for k, v in signaal["gegevens"].items() if k != veld}})


def test_the_same_catalogue_gives_the_same_bytes() -> None:
    assert site_of(PUBLISHED) == FILES


def test_the_command_writes_the_site(tmp_path: Path) -> None:
    result = CliRunner().invoke(app_of(["catalogue"]), ["catalogue", "docs", "--out", str(tmp_path / "site")])
    assert result.exit_code == 0
    assert {str(p.relative_to(tmp_path / "site")): p.read_bytes() for p in (tmp_path / "site").rglob("*") if p.is_file()} == FILES


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_text_stands_out_from_its_background_in_light_and_dark() -> None:
    css = FILES["style.css"].decode()
    light, dark = (dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6});", block)) for block in re.findall(r":root \{[^}]*\}", css)[:2])
    for palette in (light, light | dark):
        for text in ("text", "dim", "link", "good", "bad"):
            for back in ("back", "soft"):
                high, low = sorted((luminance(palette[text]), luminance(palette[back])), reverse=True)
                assert (high + 0.05) / (low + 0.05) >= 4.5, f"{text} on {back}"
