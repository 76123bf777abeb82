"""The soak: its stream does not grow, and its judge finds what is planted."""

from collections import Counter
from dataclasses import replace
from itertools import islice

import pytest

from bench.rolling import Heard, Restart, during
from bench.soak.judge import Sample, judge_result, judge_run
from bench.soak.stream import length_of_first_part, steady
from bench.soak.watch import StateWatch, percentile
from schemas.catalogue import Catalogue
from tests.oracle import Folded, Live

RATE = 2_000
CALM = [
    Sample(10.0 * i, 20_000 * i, 9_000 * i, 500, 4_000_000, 150_000_000 + i % 3 * 400_000, 600_000_000, 900, 40, 90) for i in range(1, 180)
]
LIVE = {Live(str(i), "gm0014", "K", "b", "uwv.uitkering", "f", "2026-01-01", None, "{}") for i in range(3)}


def broken(samples: list[Sample]) -> list[str]:
    return [v.promise for v in judge_run(samples, RATE) if not v.kept]


def test_a_calm_run_keeps_every_promise() -> None:
    assert broken(CALM) == []


def test_a_leak_of_sixteen_bytes_a_mutation_is_found_in_half_an_hour() -> None:
    assert broken([replace(s, worker_bytes=s.worker_bytes + 16 * s.published) for s in CALM]) == ["memory of the workers is flat"]


def test_memory_that_new_state_explains_is_no_leak() -> None:
    grown = [replace(s, state_bytes=s.state_bytes + 16 * s.published, worker_bytes=s.worker_bytes + 16 * s.published) for s in CALM]
    assert broken(grown) == []


def test_lag_that_grows_or_stands_once_above_the_limit_is_found() -> None:
    assert broken([replace(s, lag=20 * i * RATE // 100) for i, s in enumerate(CALM)]) == ["lag is bounded"]
    assert broken([*CALM[:50], replace(CALM[50], lag=30_000), *CALM[51:]]) == ["lag is bounded"]


def test_a_broker_that_outgrows_its_heap_and_a_population_that_grows_are_found() -> None:
    assert broken([replace(s, broker_bytes=2_000_000_000) for s in CALM]) == ["memory of the broker is bounded"]
    assert broken([replace(s, persons=500 + i) for i, s in enumerate(CALM)]) == ["the population did not grow"]


@pytest.mark.parametrize(
    ("folded", "counted", "promise"),
    [
        (Folded(set(list(LIVE)[1:]), 9), 100, "the signals are those of the recompute"),
        (Folded({s._replace(einddatum="2026-02-01") for s in LIVE}, 9), 100, "the signals are those of the recompute"),
        (Folded(LIVE, 9, duplicates=1), 100, "each signal came once, versions without gaps"),
        (Folded(LIVE, 9, gaps=["x"]), 100, "each signal came once, versions without gaps"),
        (Folded(LIVE, 9), 99, "every mutation is accounted for"),
    ],
)
def test_a_wrong_a_double_a_missing_and_an_unaccounted_result_are_found(folded: Folded, counted: int, promise: str) -> None:
    assert [v.promise for v in judge_result(folded, LIVE, counted, 100) if not v.kept] == [promise]


def test_a_right_result_is_taken_and_an_empty_one_proves_nothing() -> None:
    assert all(v.kept for v in judge_result(Folded(LIVE, 9), LIVE, 100, 100))
    assert not all(v.kept for v in judge_result(Folded(set(), 0), set(), 100, 100))


def test_the_stream_repeats_itself_and_states_new_versions_of_the_same_records(job: Catalogue) -> None:
    persons, seed = 40, 3
    first = length_of_first_part(job, persons=persons, seed=seed)
    deliveries = list(islice(steady(job, persons=persons, seed=seed), 20 * first))

    assert deliveries == list(islice(steady(job, persons=persons, seed=seed), 20 * first))
    known = {line["record_id"] for _, line in deliveries[:first]}
    assert {line["record_id"] for _, line in deliveries} == known
    versions = Counter((line["record_id"], line["versie"]) for _, line in deliveries)
    assert len(known) == first
    assert max(versions.values()) > 1, "some come twice"
    later = [line for _, line in deliveries[first:]]
    assert 0.05 < sum(line["feit"] is None for line in later) / len(later) < 0.15
    newest: Counter[str] = Counter()
    late = 0
    for _, line in deliveries:
        late += line["versie"] < newest[line["record_id"]]
        newest[line["record_id"]] = max(newest[line["record_id"]], line["versie"])
    assert late > 0.02 * len(later), "some come behind a newer version"


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() -> None:
    found = Counter({10: 50, 20: 49, 900: 1})
    assert [percentile(found, p) for p in (50, 99, 100)] == [10, 20, 900]
    assert percentile(Counter(), 50) == 0


def test_the_watch_knows_the_size_of_what_stands_in_the_changelog() -> None:
    watch = StateWatch()
    for key, value in ((b"A" * 52, b"x" * 100), (b"B" * 52, b"x" * 10), (b"A" * 52, b"x" * 20), (b"#partitie", b"{}"), (b"B" * 52, None)):
        watch.take((0, key), value)
    assert (watch.persons, watch.size) == (1, 52 + 20 + 9 + 2)


def test_of_a_restart_only_the_signals_that_were_due_meanwhile_count_and_whose_they_are() -> None:
    restarts = [Restart(10, 20, frozenset({0, 1})), Restart(30, 40, frozenset({2, 3}))]
    heard = [Heard(0, 12, 15.5), Heard(2, 12, 12.1), Heard(2, 25, 29), Heard(3, 39.9, 41), Heard(1, 31, 31.2), Heard(1, 40, 44)]
    assert during(heard, restarts, others=True) == {100: 1, 200: 1}
    assert during(heard, restarts, others=False) == {3500: 1, 1100: 1}
