"""The dienst that docs/catalogue.md adds: its files are all that it takes, and they do what the text says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from connectors.bronnen.lines import LineReader
from connectors.bronnen.pseudonym import Pseudonymiser
from samenloop.publication.site import site_of
from schemas.catalogue import Catalogue
from schemas.minimisation import breaches_of
from streams.encoded import rows_in
from streams.fold import Folder
from streams.records import SourceRecord, run_of
from streams.store import PartitionStore
from tests.contract.spoiling import copied

TEXT = (Path(__file__).parents[2] / "docs" / "catalogue.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)```", TEXT, re.MULTILINE | re.DOTALL))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copied(tmp_path_factory.mktemp("catalogus") / "schemas")
    assert [Path(name).parent.name for name in FILES] == ["avro", "topics", "diensten"]
    for name, content in FILES.items():
        assert not (folder / name).exists(), "the example is no dienst of ours"
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_the_catalogue_takes_the_dienst_and_the_check_finds_nothing(folder: Path) -> None:
    assert breaches_of(folder) == []
    assert Catalogue.load(folder).diensten["studietoeslag"].naam == "Studietoeslag"


def test_its_page_is_published_with_the_others(folder: Path) -> None:
    files = site_of(folder)
    assert "Wie naast de studie kan werken" in files["diensten/studietoeslag.html"].decode()
    assert "mutaties.gemeente.studietoeslag" in json.loads(files["asyncapi.json"])["channels"]


def test_a_job_beside_the_allowance_is_a_signal_with_the_one_field_that_the_dienst_lists(folder: Path) -> None:
    catalogue = Catalogue.load(folder)
    told = deliver(
        catalogue,
        ("gemeente.studietoeslag", {"begindatum": "2026-01-01", "houder": "gm0363", "kenmerk": "ST-1"}),
        (
            "uwv.inkomstenverhouding",
            {"begindatum": "2026-02-01", "loonheffingennummer": "123456789L01", "ikv_nummer": 1, "soort_inkomstenverhouding": "15"},
        ),
    )
    (signaal,) = told
    assert (signaal["dienst"], signaal["ontvanger"], signaal["kenmerk"], signaal["soort"]) == ("studietoeslag", "gm0363", "ST-1", "NIEUW")
    assert signaal["gegevens"] == {"soort_inkomstenverhouding": "15"}


def deliver(catalogue: Catalogue, *feiten: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The signals after these feiten of one person."""
    folder, told = Folder(catalogue, "voorbeeld"), []
    store = PartitionStore(folder.rulebook.layout)
    for offset, (soort, feit) in enumerate(feiten):
        line = {"bsn": "999990019", "record_id": soort, "versie": 1, "registratietijd": "2026-03-01T09:00:00Z"}
        mutatie = LineReader(catalogue, soort, Pseudonymiser(bytes(32))).read(
            json.dumps(line | {"feit": feit | {"einddatum": None}}).encode()
        )
        record = SourceRecord(mutatie.persoon.encode(), mutatie.value, offset)
        effects = folder.fold(store, 0, [(f"mutaties.{soort}", run_of([record]))])
        store.apply(effects)
        for (topic, _), rows in effects.messages.items():
            told += [json.loads(value or b"") for _, value, _ in rows_in(rows) if topic.startswith("signalen.")]
    return told
