"""The synthetic population: repeatable, in the proportions that it states, of the test range, fit for the wire."""

import json
from collections import Counter
from typing import Any

import pytest

from connectors.bronnen.bsn import normal_bsn
from connectors.bronnen.lines import LineReader
from connectors.bronnen.population import Delivery, Knobs, population, shuffled
from connectors.bronnen.population.persons import synthetic_bsns
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue

PERSONS, MUTATIONS = 2_000, 30_000


@pytest.fixture(scope="module")
def deliveries(catalogue: Catalogue) -> list[Delivery]:
    return list(population(catalogue, persons=PERSONS, seed=1, mutations=MUTATIONS))


def test_the_same_seed_gives_the_same_deliveries_and_another_seed_others(catalogue: Catalogue, deliveries: list[Delivery]) -> None:
    assert list(population(catalogue, persons=PERSONS, seed=1, mutations=MUTATIONS)) == deliveries
    assert list(population(catalogue, persons=PERSONS, seed=2, mutations=MUTATIONS)) != deliveries


def test_it_gives_as_many_deliveries_as_asked_in_order_of_arrival(deliveries: list[Delivery]) -> None:
    assert len(deliveries) == MUTATIONS
    assert [d.day for d in deliveries] == sorted(d.day for d in deliveries)


def test_shuffled_deliveries_are_the_same_ones(deliveries: list[Delivery]) -> None:
    mixed = shuffled(deliveries, seed=3)
    assert mixed != deliveries
    assert sorted(mixed, key=lambda d: (d.day, json.dumps(d.line))) == sorted(deliveries, key=lambda d: (d.day, json.dumps(d.line)))


def test_the_shares_are_those_of_the_knobs(deliveries: list[Delivery]) -> None:
    knobs = Knobs()
    keys = Counter((d.line["record_id"], d.line["versie"]) for d in deliveries)
    records = Counter(record_id for record_id, _ in keys)
    persons = {d.line["bsn"] for d in deliveries}
    with_benefit = {d.line["bsn"] for d in deliveries if d.soort == "gemeente.bijstand"}
    assert sum(n - 1 for n in keys.values()) / len(keys) == pytest.approx(knobs.doubled, abs=0.01)
    assert sum(d.line["feit"] is None for d in deliveries) / len(records) == pytest.approx(knobs.withdrawn, abs=0.01)
    assert sum(n > 1 for n in records.values()) / len(records) == pytest.approx(knobs.corrected + knobs.withdrawn, abs=0.02)
    assert 1 - len(with_benefit) / len(persons) == pytest.approx(knobs.without_benefit, abs=0.04)


def test_a_few_personen_have_bijstand_of_two_gemeenten_over_the_same_days(deliveries: list[Delivery]) -> None:
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for d in sorted((d for d in deliveries if d.soort == "gemeente.bijstand"), key=lambda d: int(d.line["versie"])):
        newest[d.line["bsn"], d.line["record_id"]] = d.line["feit"]
    standing = [(bsn, f["begindatum"], f["einddatum"] or "9", f["houder"]) for (bsn, _), f in newest.items() if f is not None]
    pairs = [(one, two) for one in standing for two in standing if one[0] == two[0] and one[3] != two[3]]
    both = {bsn for (bsn, begin, end, _), (_, first, last, _) in pairs if begin <= last and first <= end}
    assert 0.003 < len(both) / len({d.line["bsn"] for d in deliveries}) < 0.03


def test_later_versions_sometimes_arrive_before_earlier_ones(deliveries: list[Delivery]) -> None:
    seen: dict[str, int] = {}
    overtaken = 0
    for d in deliveries:
        overtaken += d.line["versie"] < seen.get(d.line["record_id"], 0)
        seen[d.line["record_id"]] = max(d.line["versie"], seen.get(d.line["record_id"], 0))
    assert overtaken > 100


def test_every_bsn_passes_the_elfproef_and_begins_with_a_nine() -> None:
    bsns = [bsn for _, bsn in zip(range(30_000), synthetic_bsns(), strict=False)]
    assert len(set(bsns)) == len(bsns)
    assert all(normal_bsn(bsn) == bsn and bsn.startswith("99") for bsn in bsns)


def test_every_delivery_passes_the_edge(catalogue: Catalogue, deliveries: list[Delivery]) -> None:
    pseudonymiser = Pseudonymiser(bytes(32))
    readers = {soort: LineReader(catalogue, soort, pseudonymiser) for soort in catalogue.mutatie_topics}
    for d in deliveries[:5_000]:
        assert readers[d.soort].read(json.dumps(d.line).encode()).record_id == d.line["record_id"]
    assert {d.soort for d in deliveries} == set(catalogue.mutatie_topics)
