"""The form of the usual line: what it takes, the checks one after the other take too, and make the same of it."""

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.bronnen.lines import LineReader
from connectors.bronnen.population import population
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue
from tests.core.edge import BSN, KEY, opgave, raw

CATALOGUE = Catalogue.load()
SOORTEN = sorted(CATALOGUE.mutatie_topics)
SPOILT: tuple[object, ...] = (
    *(None, True, 0, -1, 1.0, 1e3, 2**31, -(2**31) - 1, 2**63, 2**64, "", "x", "é\n", "\u0000", "x" * 101, [], {}, int(BSN), BSN),
    *(f"{BSN[:3]}-{BSN[3:6]} {BSN[6:]}", "2026-02-30", "2026-02-00", "2026-00-00", "0000-00-00", "1899-12-31", "2199-12-31", "٢٠٢٦-01-01"),
    *(
        "2026-02-02T09:00:00.123Z",
        "2026-02-02T09:00:00.12Z",
        "2026-02-02T24:00:00.000Z",
        "2026-02-02T09:00:00+01:00",
        "1899-12-31T09:00:00.000Z",
    ),
)


@cache
def reader(soort: str) -> LineReader:
    return LineReader(CATALOGUE, soort, Pseudonymiser(KEY))


@cache
def lines(soort: str) -> list[dict[str, Any]]:
    return [d.line for d in population(CATALOGUE, persons=150, seed=7, mutations=3_000) if d.soort == soort][:40]


def spoilt_in(name: str, value: Any) -> dict[str, Any]:
    return opgave(**{name: value})


def same(soort: str, line: bytes) -> bool:
    """Whether the form takes the line; what it makes of it must be what the checks make of it."""
    found = reader(soort).of_the_form(line)
    if found is not None:
        assert found == reader(soort).checked(line)
    return found is not None


@pytest.mark.parametrize("soort", SOORTEN)
def test_what_bronnen_usually_deliver_has_the_form(soort: str) -> None:
    usual = [raw(line) for line in lines(soort)]
    assert usual
    assert all(same(soort, line) for line in usual if b"-00" not in line)


@given(st.sampled_from(SOORTEN), st.data())
def test_a_line_that_is_spoilt_anywhere_is_taken_only_when_the_checks_take_it(soort: str, data: st.DataObject) -> None:
    line: dict[str, Any] = json.loads(json.dumps(data.draw(st.sampled_from(lines(soort)))))
    where = line["feit"] if line["feit"] and data.draw(st.booleans()) else line
    name = data.draw(st.sampled_from([*where, "anders"]))
    if data.draw(st.integers(0, 5)):
        where[name] = data.draw(st.sampled_from(SPOILT))
    else:
        where.pop(name, None)
    same(soort, raw(line))


@given(st.integers(0, 400), st.binary(max_size=3))
def test_bytes_that_are_broken_anywhere_are_taken_only_when_the_checks_take_them(at: int, broken: bytes) -> None:
    line = raw(opgave(registratietijd="2026-02-02T09:00:00.000Z"))
    same("uwv.inkomstenopgave", line[:at] + broken + line[at + len(broken) :])


@pytest.mark.parametrize("spoilt", SPOILT, ids=repr)
@pytest.mark.parametrize("name", [*opgave(), *opgave()["feit"]])
def test_no_value_of_any_field_is_taken_that_the_checks_refuse(name: str, spoilt: object) -> None:
    same("uwv.inkomstenopgave", raw(spoilt_in(name, spoilt)))


def test_a_number_and_a_truth_that_python_takes_for_the_same_are_not() -> None:
    assert same("uwv.inkomstenopgave", raw(opgave(ikv_nummer=1)))
    for other in (True, 1.0):
        assert not same("uwv.inkomstenopgave", raw(opgave(ikv_nummer=other)))
