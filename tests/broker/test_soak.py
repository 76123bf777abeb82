"""The soak itself, short: on a real node it runs to its end and keeps its promises."""

import json
from pathlib import Path

import pytest

from bench.soak.__main__ import Plan, run_soak


@pytest.mark.timeout(200)
def test_a_short_soak_keeps_its_promises_and_writes_them_down(tmp_path: Path) -> None:
    verdicts = run_soak(Plan(seconds=15, rate=200, persons=12, workers=1, every=2), tmp_path, tmp_path / "soak.json")

    assert [v.promise for v in verdicts if not v.kept] == []
    report = json.loads((tmp_path / "soak.json").read_text())
    assert report["samples"][-1]["persons"] == 12
    assert report["samples"][-1]["published"] > 2_000
    assert 0 < report["latency_ms"]["p50"] <= report["latency_ms"]["p99"]
