"""The metrics of one engine: declared once, bounded, and right without a broker."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from schemas.quarantine import QUARANTAINE
from streams.core.step import Fate
from streams.effects import Effects
from streams.metrics import Held, Metrics, _Delays

TOPICS = ("mutaties.uwv.uitkering", "klok")


NOTHING = Held({}, 1.0, 0, 0, {})


def made(held: Held = NOTHING) -> Metrics:
    return Metrics(TOPICS, ["a-dienst"], lambda: held)


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics.exposition().decode())
    return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}


def labelled(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_every_label_stands_at_nought_before_anything_has_happened() -> None:
    found = samples(made())
    for topic in TOPICS:
        for fate in (*Fate, QUARANTAINE):
            assert found[labelled("samenloop_records_total", topic=topic, fate=fate)] == 0
    for soort in ("NIEUW", "GEWIJZIGD", "VERVALLEN"):
        assert found[labelled("samenloop_signals_total", dienst="a-dienst", soort=soort)] == 0


def test_a_transaction_is_counted_with_its_records_signals_and_times() -> None:
    metrics = made()
    effects = Effects(counts=Counter({"klok opgeslagen": 2, "mutaties.uwv.uitkering niet_bewaard": 5}))
    effects.announced = [("a-dienst", "NIEUW", 990_000), ("a-dienst", "NIEUW", 999_500), ("a-dienst", "VERVALLEN", 999_500)]

    metrics.committed(effects, fold=0.2, commit=0.03, now=1_000.0)

    found = samples(metrics)
    assert found[labelled("samenloop_records_total", topic="klok", fate="opgeslagen")] == 2
    assert found[labelled("samenloop_records_total", topic="mutaties.uwv.uitkering", fate="niet_bewaard")] == 5
    assert found[labelled("samenloop_signals_total", dienst="a-dienst", soort="NIEUW")] == 2
    assert found[labelled("samenloop_signals_total", dienst="a-dienst", soort="VERVALLEN")] == 1
    assert found[labelled("samenloop_registration_to_signal_seconds_count")] == 3
    assert found[labelled("samenloop_registration_to_signal_seconds_sum")] == pytest.approx(11)
    assert found[labelled("samenloop_registration_to_signal_seconds_bucket", le="0.5")] == 2
    assert found[labelled("samenloop_transaction_records_sum")] == 7
    assert found[labelled("samenloop_fold_seconds_sum")] == pytest.approx(0.2)
    assert found[labelled("samenloop_commit_seconds_sum")] == pytest.approx(0.03)


def test_the_operations_guide_names_every_metric_and_no_other() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    named = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in re.findall(r"\bsamenloop_[a-z_]+", guide)}
    told = {f.name for f in made().registry.collect() if f.name.startswith("samenloop_")}
    assert named == told


@given(st.lists(st.floats(min_value=0, max_value=1e7)))
def test_many_delays_at_once_are_what_the_library_counts_one_by_one(values: list[float]) -> None:
    bounds = (0.1, 1.0, 60.0)
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    delays = _Delays("x", "X.", bounds)
    ours.register(delays)
    one_by_one = Histogram("x", "X.", buckets=bounds, registry=theirs)

    delays.observe(values)
    for value in values:
        one_by_one.observe(value)

    assert _counted(ours) == _counted(theirs)
    assert ours.get_sample_value("x_sum") == pytest.approx(theirs.get_sample_value("x_sum"))  # they are added up in another order


def _counted(registry: CollectorRegistry) -> Iterable[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if not re.search("x_(sum|created)", line)]


def test_what_is_held_is_asked_at_each_scrape_and_two_engines_do_not_mix() -> None:
    one, other = made(Held({"open": 3}, 0.5, 7, 900, {"klok": 4})), made()
    one.framed(10)

    found, others = samples(one), samples(other)

    assert found[labelled("samenloop_partitions", state="open")] == 3
    assert found[labelled("samenloop_lag_records", topic="klok")] == 4
    assert found[labelled("samenloop_restored_ratio")] == 0.5
    assert (found[labelled("samenloop_persons")], found[labelled("samenloop_state_bytes")]) == (7, 900)
    assert (found[labelled("samenloop_frame_records_sum")], others[labelled("samenloop_frame_records_sum")]) == (10, 0)
    assert others[labelled("samenloop_persons")] == 0
    assert found[labelled("process_resident_memory_bytes")] > 1e6
