"""The benchmark counts a figure only when the result is right, and its document says what was measured."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

import bench.__main__ as command
import bench.measure
from bench.catalogues import own_filtering_catalogue
from bench.gate import fault_of
from bench.machine import this_machine
from bench.report import put_into, ratios_of, report, table_in
from bench.results import PRODUCT, STREAMS, Audit, Figures, Growth, Publishing, Results, Round, Run, gated, read
from bench.state import state
from bench.watch import Arrival, latency_of
from schemas.catalogue import Catalogue
from tests.oracle import Folded, Live

DOCS = Path(__file__).parents[2] / "docs"
LIVE = Live("id", "gm0363", "PW-1", "b", "uwv.inkomstenopgave", "f", "2026-01-01", "2026-01-31", "{}")


def pair(ours: int, theirs: int, fault: str | None = None) -> Round:
    runs = [gated(PRODUCT, 1_000, fault, Figures(ours, 10.0)), Run(STREAMS, 1_000, figures=Figures(theirs, 50.0))]
    return Round("2026-11-24T20:00:00+00:00", "abc", "std", runs)


@pytest.mark.parametrize(
    ("folded", "fault"),
    [
        (Folded({LIVE}, 1), None),
        (Folded(set(), 0), "1 missing"),
        (Folded({LIVE, LIVE._replace(kenmerk="PW-2")}, 2), "1 not due"),
        (Folded({LIVE}, 2, duplicates=1), "1 twice"),
        (Folded({LIVE}, 2, conflicts=["id"]), "1 conflicting"),
        (Folded({LIVE}, 1, gaps=["id"]), "1 with gaps"),
        (Folded({LIVE}, 1, wrong_topic=["id"]), "1 on a wrong topic"),
    ],
)
def test_only_exactly_the_signals_of_the_recompute_pass_the_gate(folded: Folded, fault: str | None) -> None:
    assert fault_of(folded, {LIVE}) == fault


def test_a_wrong_result_has_no_figures_and_is_named() -> None:
    results = Results(this_machine(), [pair(20_000, 10_000), pair(90_000, 10_000, "1 missing")])
    assert ratios_of(results, STREAMS, "mutations_s") == [2.0]
    assert results.faults == ["samenloop: 1 missing"]
    assert "- samenloop: 1 missing" in report(results)


def test_the_command_fails_when_a_result_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.measure, "publishing", lambda lines: Publishing("", "abc", lines, 1, 1, "9 of 10 lines in the topic"))
    done = CliRunner().invoke(command.app, ["--quick", "--only", "publish"])
    assert done.exit_code == 1
    assert "9 of 10 lines" in done.output
    assert "lines a CPU second" not in done.output


def test_a_ratio_is_the_median_of_the_pairs_and_a_missed_target_says_so() -> None:
    results = Results(this_machine(), [pair(10_000, 10_000), pair(50_000, 10_000), pair(15_000, 10_000)])
    assert "| mutations/s, ratio to kafka-streams-eos-1 | 1.50x (1.00-5.00, 3 pairs) | ≥ 2.0x | **no** |" in report(results)
    assert "| CPU seconds a million, ratio to kafka-streams-eos-1 | 0.20x (0.20-0.20, 3 pairs) | ≤ 0.4x | yes |" in report(results)


def test_the_targets_are_held_against_the_newest_commit_and_older_ones_are_its_history() -> None:
    old = Round("2026-11-24T19:00:00+00:00", "old", "std", pair(5_000, 10_000).runs)
    said = report(Results(this_machine(), [pair(30_000, 10_000), old]))
    assert "| mutations/s, ratio to kafka-streams-eos-1 | 3.00x (3.00-3.00, 1 pair) | ≥ 2.0x | yes |" in said
    assert "| old | std | 1 | 5,000 | 10.0 | - | 0.50x | - |" in said


def test_growth_compares_with_the_base_of_its_own_session() -> None:
    run, base = Run(PRODUCT, 100, figures=Figures(9_000, 22.0, signals=150)), Run(PRODUCT, 100, figures=Figures(10_000, 20.0))
    results = Results(this_machine(), growth=[Growth("", "abc", "10x persons", run, base)])
    said = report(results)
    assert (
        "| 10x persons | mutations/s -10%, CPU a mutatie +10% (1 pair; 1.5 signals a mutatie) | mutations/s falls by less than 20% | yes |"
        in said
    )


def test_what_the_auditor_waits_for_counts_only_when_all_is_found_as_it_has_to_be() -> None:
    right = Audit("", "abc", 1_000, 9, 120_000, 11.0, 50_000, 290_000)
    results = Results(this_machine(), audit=[right, replace(right, replay_s=1, fault="replay found that not all is as it has to be")])
    said = report(results)
    assert "| 120,000 mutations/s, 11.0 CPU s a million, start included | ≥ 100,000 mutations/s | yes |" in said
    assert "| 290,000 mutations/s; 50,000 with start and reading | ≥ 300,000 mutations/s | **no** |" in said
    assert "- audit: replay found" in said


def test_a_round_that_got_one_more_run_takes_the_place_of_what_it_was() -> None:
    whole = pair(20_000, 10_000)
    results = Results(this_machine())
    results.add(Round(whole.date, whole.commit, whole.size, whole.runs[:1]))
    results.add(whole)
    assert results.rounds == [whole]


def test_results_of_several_invocations_are_put_together_when_the_machine_is_one(tmp_path: Path) -> None:
    one, two = tmp_path / "1.json", tmp_path / "2.json"
    Results(this_machine(), [pair(1, 2)]).write(one)
    Results(this_machine(), [pair(3, 4)]).write(two)
    assert [r.runs[0].figures for r in read([one, two]).rounds] == [Figures(1, 10.0), Figures(3, 10.0)]
    two.write_text(two.read_text().replace(f'"cores": {this_machine().cores}', '"cores": 999'))
    with pytest.raises(ValueError, match="different machines"):
        read([one, two])


def test_the_document_says_what_was_measured() -> None:
    assert table_in(DOCS / "performance.md") == report(read([DOCS / "performance.json"]))


def test_the_report_needs_its_place_in_the_document(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text("# Performance\n")
    with pytest.raises(ValueError, match="no place"):
        put_into(document, Results(this_machine()))


def test_latency_goes_from_registration_to_arrival() -> None:
    value = json.dumps({"registratietijd": "1970-01-01T00:01:40.000Z"}).encode()
    arrivals = [Arrival(100 + (20 if i == 99 else i / 1000), value) for i in range(100)]
    assert latency_of(arrivals) == (50.0, 20_000.0)


def test_the_larger_catalogue_has_so_many_diensten_and_ontvangers(tmp_path: Path) -> None:
    made = Catalogue.load(own_filtering_catalogue(tmp_path, ontvangers=34, diensten=12))
    assert (len(made.diensten), len(made.ontvangers)) == (12, 34)
    assert not any(made.bron_of(s).filtert_zelf is False for s in made.mutatie_topics)


def test_the_state_that_is_measured_holds_what_the_engine_keeps(catalogue: Catalogue) -> None:
    assert 300 < state(catalogue, persons=50).bytes_a_persoon < 4_000
