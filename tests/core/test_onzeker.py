"""Dates that a bron knows in part only: as wide as they may be, marked, and told so; refused where the catalogue says nothing of them."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bronnen.lines import LineReader
from connectors.bronnen.pseudonym import Pseudonymiser
from connectors.bronnen.rejections import RejectedError
from schemas.catalogue import Catalogue
from schemas.codec import Codec, decode_signaal
from schemas.values import Signaal
from streams.encoded import rows_in
from streams.fold import Folder
from streams.records import SourceRecord, run_of
from streams.store import PartitionStore
from tests.core.edge import BSN, KEY

CATALOGUE = Catalogue.load()
READERS = {s: LineReader(CATALOGUE, s, Pseudonymiser(KEY)) for s in ("svb.pensioen", "gemeente.bijstand")}
CODEC = Codec(CATALOGUE)
YEARS = st.integers(1950, 2100)


def line(versie: int = 1, **feit: Any) -> bytes:
    pensioen = {"einddatum": None, "regeling": "AOW", "bruto_bedrag": 90_000, **feit}
    return json.dumps(
        {"bsn": BSN, "record_id": "p-1", "versie": versie, "registratietijd": "2026-02-02T09:00:00Z", "feit": pensioen}
    ).encode()


def taken(**feit: Any) -> tuple[date, date | None, str | None]:
    found = CODEC.decode(READERS["svb.pensioen"].read(line(**feit)).value)["feit"]
    return found["begindatum"], found["einddatum"], found["onzeker"]


@pytest.mark.parametrize(
    ("given", "begin", "end", "mark"),
    [
        (("2024-03-05", "2024-04-30"), "2024-03-05", "2024-04-30", None),
        (("2024-00-00", None), "2024-01-01", None, "BEGINDATUM"),
        (("20240300", None), "2024-03-01", None, "BEGINDATUM"),
        (("2023-03-05", "2024-02-00"), "2023-03-05", "2024-02-29", "EINDDATUM"),
        (("2023-03-05", "20230000"), "2023-03-05", "2023-12-31", "EINDDATUM"),
        (("2023-03-05", "00000000"), "2023-03-05", None, "EINDDATUM"),
        (("2023-00-00", "2023-00-00"), "2023-01-01", "2023-12-31", "BEIDE"),
    ],
)
def test_a_date_is_as_wide_as_it_may_be(given: tuple[str, str | None], begin: str, end: str | None, mark: str | None) -> None:
    assert taken(begindatum=given[0], einddatum=given[1]) == (date.fromisoformat(begin), end and date.fromisoformat(end), mark)


@given(YEARS, st.integers(0, 12), st.booleans(), st.booleans())
def test_no_day_that_it_may_be_is_left_out_and_none_that_it_cannot_be_is_counted(year: int, month: int, dashed: bool, end: bool) -> None:
    dash = "-" if dashed else ""
    text = f"{year}{dash}{month:02}{dash}00"
    if end:
        _, day, mark = taken(begindatum="1940-01-01", einddatum=text)
    else:
        day, _, mark = taken(begindatum=text)
    assert day is not None
    over = day + timedelta(1) if end else day - timedelta(1)
    assert (day.year, day.month if month else 0) == (year, month)
    assert (over.year, over.month if month else 0) != (year, month)
    assert mark == ("EINDDATUM" if end else "BEGINDATUM")


def test_what_the_bron_says_to_be_uncertain_stays_so() -> None:
    assert taken(begindatum="2024-03-01", onzeker="BEGINDATUM")[2] == "BEGINDATUM"
    assert taken(begindatum="2024-03-01", einddatum="2024-05-00", onzeker="BEGINDATUM")[2] == "BEIDE"


@pytest.mark.parametrize(
    ("feit", "reason", "place"),
    [
        ({"begindatum": "0000-00-00"}, "DATUM_ONBEKEND", "feit.begindatum"),
        ({"begindatum": "00000000", "einddatum": "00000000"}, "DATUM_ONBEKEND", "feit.begindatum"),
        ({"begindatum": "2024-00-05"}, "DATUM_ONBEKEND", "feit.begindatum"),
        ({"begindatum": "2024-13-00"}, "DATUM_ONGELDIG", "feit.begindatum"),
        ({"begindatum": "2024-01-01", "einddatum": "2024-13-00"}, "DATUM_ONBEKEND", "feit.einddatum"),
        ({"begindatum": "2024-05-00", "einddatum": "2024-04-00"}, "EINDDATUM_VOOR_BEGINDATUM", "feit.einddatum"),
        ({"begindatum": "2024-05-00", "onzeker": "MISSCHIEN"}, "VELD_WAARDE", "feit.onzeker"),
        ({"begindatum": "2024-05-00", "onzeker": ["BEIDE"]}, "VELD_TYPE", "feit.onzeker"),
        ({"begindatum": 20240500}, "VELD_TYPE", "feit.begindatum"),
    ],
)
def test_what_cannot_be_a_day_is_refused_with_its_place(feit: dict[str, Any], reason: str, place: str) -> None:
    with pytest.raises(RejectedError) as e:
        READERS["svb.pensioen"].read(line(**feit))
    assert (e.value.code.value, e.value.field) == (reason, place)


def test_the_gemeente_is_told_that_a_day_is_uncertain_until_the_bron_knows_it() -> None:
    folder = Folder(CATALOGUE, "test")
    store = PartitionStore(folder.rulebook.layout)
    bijstand = {"begindatum": "2026-01-01", "einddatum": None, "houder": "gm0363", "kenmerk": "PW-1", "wet": "PARTICIPATIEWET"}
    grond = {"bsn": BSN, "record_id": "b-1", "versie": 1, "registratietijd": "2026-02-02T09:00:00Z", "feit": bijstand}
    lines = [
        ("gemeente.bijstand", json.dumps(grond).encode()),
        ("svb.pensioen", line(begindatum="2026-02-00")),
        ("svb.pensioen", line(2, begindatum="2026-02-17")),
    ]
    told: list[Any] = []
    for offset, (soort, data) in enumerate(lines):
        found = READERS[soort].read(data)
        effects = folder.fold(store, 0, [(f"mutaties.{soort}", run_of([SourceRecord(found.persoon.encode(), found.value, offset)]))])
        store.apply(effects)
        told += [decode_signaal(v) for _, v, _ in rows_in(effects.messages.get(("signalen.gm0363", 0), []))]
    assert all(isinstance(s, Signaal) for s in told)
    assert [(s.soort, s.begindatum, s.gegevens["onzeker"]) for s in told] == [
        ("NIEUW", "2026-02-01", "BEGINDATUM"),
        ("GEWIJZIGD", "2026-02-17", None),
    ]
