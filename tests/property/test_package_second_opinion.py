"""DuckDB and the engine agree on informatiepakketten, in whatever order mutaties and ticks arrive, and however many feiten there are."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalogue import Catalogue
from schemas.values import Mutatie
from tests.property.basis_worlds import Event, Tick, day_of, live, named_by
from tests.property.package_worlds import Node, applications, truth
from tests.property.test_basis_second_opinion import CATALOGUE, PERSONS, Arriving, judged
from tests.property.test_switch import changed, judge_a_switch
from tests.property.worlds import Told

few = settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def arrivals(draw: st.DrawFn) -> Arriving:
    """Events about some persons, in any order; ticks are those of all. In the end all is delivered again, now that it was asked for."""
    told: Arriving = []
    for persoon in PERSONS:
        for e in draw(applications()):
            told.append((persoon, named_by(persoon, e)))
    return [*draw(st.permutations(told)), *told]


@few
@given(arrivals())
def test_the_second_opinion_is_the_engines(tmp_path: Path, arriving: Arriving) -> None:
    opinion = judged(tmp_path, arriving)
    assert opinion.findings == []
    assert opinion.geldend == sum(len(truth(e for p, e in arriving if p == persoon or isinstance(e, Tick))) for persoon in PERSONS)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The published catalogue, where packages come later and are of other days."""

    def change(dienst: dict[str, Any]) -> None:
        dienst["regel"] |= {"wachttijd": "P4D", "terug": "P1M"}

    names = [d.dienst for d in CATALOGUE.diensten.values() if d.regel.patroon == "informatiepakket"]
    return changed(tmp_path_factory.mktemp("catalogus"), dict.fromkeys(names, change))


@few
@given(arrivals(), arrivals(), st.booleans())
def test_after_a_switch_to_other_days_of_reference_both_opinions_agree(
    tmp_path: Path, other: Catalogue, before: Arriving, after: Arriving, back: bool
) -> None:
    judge_a_switch(tmp_path, *((other, CATALOGUE) if back else (CATALOGUE, other)), before, after)


def test_of_more_than_forty_feiten_the_newest_are_told_and_the_others_counted(tmp_path: Path) -> None:
    begin = day_of("2025-07-15")
    application = {"begindatum": begin, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1"}
    weeks = [{"begindatum": begin - 7 * n, "einddatum": begin - 7 * n + 6, "regeling": "WW", "bruto_bedrag": n} for n in range(1, 46)]
    told: list[Event] = [Told("gemeente.regelingaanvraag", Mutatie("a", 1, 1_760_000_000_000, application))]
    told += [Told("uwv.uitkering", Mutatie(f"w-{n:02d}", 1, 1_760_000_000_000, week)) for n, week in enumerate(weeks, 1)]
    told.append(Tick(begin + 3))
    node = Node()
    rows = [row for e in told for row in node.tell([e])]
    ((*_, parts),) = live(rows)
    assert [n for n in range(1, 50) if f'["bruto_bedrag", {n}]' in parts] == list(range(1, 41))
    assert rows[-1][1].count(b'"weggelaten":5') == 1

    corrected = {**weeks[44], "bruto_bedrag": 1_000}
    assert node.tell([Told("uwv.uitkering", Mutatie("w-45", 2, 1_760_000_000_001, corrected))]) == [], "nothing that is told is different"
    assert len(node.tell([Told("uwv.uitkering", Mutatie("w-45", 3, 1_760_000_000_002, None))])) == 1, "one less is left out"
    opinion = judged(tmp_path, [(PERSONS[0], e) for e in told])
    assert (opinion.findings, opinion.geldend) == ([], 1)
