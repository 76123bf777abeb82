"""The soak itself, short: on a real node, to its end, with an exact result. Memory and lag are judged by longer runs on a quiet machine."""

import json
from pathlib import Path

import pytest

from bench.soak.__main__ import Plan, run_soak

MEASURED = {"memory of the workers is flat", "memory of the broker is bounded", "lag is bounded"}


@pytest.mark.timeout(200)
def test_a_short_soak_ends_exact_and_writes_down_what_it_saw(tmp_path: Path) -> None:
    verdicts = run_soak(Plan(seconds=15, rate=200, persons=12, workers=1, every=2), tmp_path, tmp_path / "soak.json")

    assert [v for v in verdicts if not v.kept and v.promise not in MEASURED] == []
    assert {v.promise for v in verdicts} > MEASURED
    report = json.loads((tmp_path / "soak.json").read_text())
    assert report["samples"][-1]["persons"] == 12
    assert report["samples"][-1]["published"] > 0
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p99"]
