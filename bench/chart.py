"""The results as a picture: how fast, at what cost, and how soon."""

from pathlib import Path
from typing import Any, Final

from bench.results import FLOOR, PRODUCT, STREAMS, STREAMS_BEST, Results

_NAMES: Final = {
    PRODUCT: "Samenloop",
    STREAMS: "Kafka Streams\nexactly-once",
    STREAMS_BEST: "Kafka Streams\nits best setting",
    FLOOR: "pass-through\nno logic",
}
_COLOURS: Final = {PRODUCT: "#154273", STREAMS: "#8a8a8a", STREAMS_BEST: "#b4b4b4", FLOOR: "#dcdcdc"}
_PANELS: Final = (
    ("mutations a second\n(more is better)", "mutations_s"),
    ("CPU seconds a million\n(less is better)", "cpu_s_a_million"),
    ("latency p99, ms\n(less is better)", "latency_p99_ms"),
    ("recovery after kill -9, s\n(less is better)", "recovery_all_s"),
)


def draw(results: Results, file: Path) -> None:
    """Write the chart as SVG; the same results give the same bytes."""
    import matplotlib as mpl  # noqa: PLC0415 - heavy, and needed for this only

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "samenloop", "font.size": 9})
    from matplotlib import pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    picture, axes = plt.subplots(1, len(_PANELS), figsize=(12, 2.4), layout="constrained")
    for axis, (title, figure) in zip(axes, _PANELS, strict=True):
        _panel(axis, title, {s: v for s in _NAMES if (v := results.middle(s, figure)) is not None})
    picture.savefig(file, metadata={"Date": None})
    plt.close(picture)


def _panel(axis: Any, title: str, bars: dict[str, float]) -> None:  # noqa: ANN401 - matplotlib's types do not hold under strict
    systems = list(reversed(bars))
    drawn = axis.barh([_NAMES[s] for s in systems], [bars[s] for s in systems], color=[_COLOURS[s] for s in systems])
    axis.bar_label(drawn, fmt=lambda x: f"{x:,.0f}" if x >= 10 else f"{x:.1f}", padding=3)
    axis.set_title(title, fontsize=9)
    axis.set_xticks([])
    axis.margins(x=0.25)
    axis.spines[["top", "right", "bottom"]].set_visible(False)
