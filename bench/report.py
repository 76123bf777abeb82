"""The results as a table in Markdown: medians of the rounds' own ratios, each next to its target."""

import re
from pathlib import Path
from statistics import median
from typing import Final

from bench.machine import Machine
from bench.results import FLOOR, PRODUCT, RECOMPUTE, STREAMS, STREAMS_BEST, Results

_SYSTEMS: Final = (PRODUCT, STREAMS, STREAMS_BEST, FLOOR, RECOMPUTE)
_FALL: Final = {"10x persons": 0.2, "10x records a person": 0.5, "10x ontvangers": 0.2, "a hot ontvanger": 0.2, "12 diensten": 0.4}
_MARKS: Final = ("<!-- bench: begin, written by ./run bench render -->\n", "<!-- bench: end -->")

_RATIOS: Final = (  # what, whose, which figure, target: at least when >= 1, else at most
    ("mutations/s", STREAMS, "mutations_s", 2.0),
    ("mutations/s", STREAMS_BEST, "mutations_s", 1.3),
    ("CPU seconds a million", STREAMS, "cpu_s_a_million", 0.4),
    ("latency p50", STREAMS, "latency_p50_ms", 0.5),
    ("latency p99", STREAMS, "latency_p99_ms", 0.5),
    ("recovery, first output", STREAMS, "recovery_first_s", 0.5),
    ("recovery, all partitions", STREAMS, "recovery_all_s", 0.5),
)


def put_into(document: Path, results: Results) -> None:
    """Replace what stands between the document's marks by the report; raises ValueError when there are none."""
    before, begin, rest = document.read_text().partition(_MARKS[0])
    _, end, after = rest.partition(_MARKS[1])
    if not begin or not end:
        raise ValueError(f"{document.name} has no place for the report")
    document.write_text(f"{before}{begin}{report(results)}{end}{after}")


def report(results: Results) -> str:
    """All tables."""
    newest = results.newest()
    parts = [_machine(results.machine), _targets(newest), _systems(newest), _history(results)]
    if results.faults:
        parts.append("Refused, because the result was wrong:\n" + "".join(f"- {f}\n" for f in results.faults))
    return "\n" + "\n".join(p for p in parts if p) + "\n"


def ratios_of(results: Results, against: str, figure: str) -> list[float]:
    """The product's ``figure`` over that of ``against``, a round; rounds in which either has none are left out."""
    pairs = [(r.value(PRODUCT, figure), r.value(against, figure)) for r in results.rounds]
    return [ours / theirs for ours, theirs in pairs if ours is not None and theirs]


def _machine(m: Machine) -> str:
    packages = ", ".join(f"{name} {number}" for name, number in m.packages)
    return (
        f"Machine: {m.cores} cores ({m.processor}), {m.memory_gb} GB, {m.system}; Python {m.python}, "
        f"Kafka {m.kafka} on Java {m.java}; {packages}.\n"
    )


def _targets(results: Results) -> str:
    rows = [_ratio(results, *row) for row in _RATIOS] + _growth(results) + _state(results) + _publish(results) + _audit(results)
    rows = [r for r in rows if r]
    if not rows:
        return ""
    return "| what | measured | target | met |\n| --- | --- | --- | --- |\n" + "".join(rows)


def _ratio(results: Results, what: str, against: str, figure: str, target: float) -> str:
    found = ratios_of(results, against, figure)
    if not found:
        return ""
    middle = median(found)
    met = middle >= target if target >= 1 else middle <= target
    spread = f"{min(found):.2f}-{max(found):.2f}, {_number(len(found), 'pair')}"
    sign = "≥" if target >= 1 else "≤"
    return f"| {what}, ratio to {against} | {middle:.2f}x ({spread}) | {sign} {target}x | {_said(met)} |\n"


def _growth(results: Results) -> list[str]:
    rows = []
    for variant, limit in _FALL.items():
        right = [
            (g.run, g.run.figures, g.base.figures) for g in results.growth if g.variant == variant and g.run.figures and g.base.figures
        ]
        if not right:
            continue
        speed = median(run.mutations_s / base.mutations_s for _, run, base in right) - 1
        cpu = median((run.cpu_s_a_million or 0) / (base.cpu_s_a_million or 1) for _, run, base in right) - 1
        signals = median((run.signals or 0) / r.mutations for r, run, _ in right)
        said = f"mutations/s {speed:+.0%}, CPU a mutatie {cpu:+.0%} ({_number(len(right), 'pair')}; {signals:.1f} signals a mutatie)"
        rows.append(f"| {variant} | {said} | mutations/s falls by less than {limit:.0%} | {_said(-speed < limit)} |\n")
    return rows


def _state(results: Results) -> list[str]:
    if not results.state:
        return []
    last = results.state[-1]
    what = f"state of a persoon with {last.records} records, all with a signal"
    return [f"| {what} | {last.bytes_a_persoon:,} bytes | ≤ 1,200 bytes | {_said(last.bytes_a_persoon <= 1_200)} |\n"]


def _publish(results: Results) -> list[str]:
    right = [p for p in results.publish if p.fault is None]
    if not right:
        return []
    a_core = median(p.lines_a_cpu_s for p in right)
    measured = (
        f"{a_core:,.0f} lines a CPU second, {median(p.lines_s for p in right):,.0f} lines/s, start included ({right[-1].lines:,} lines)"
    )
    return [f"| `publish`, JSON Lines to broker | {measured} | ≥ 30,000 lines/s a core | {_said(a_core >= 30_000)} |\n"]


def _audit(results: Results) -> list[str]:
    right = [a for a in results.audit if a.fault is None]
    if not right:
        return []
    replay, verify = median(a.replay_s for a in right), median(a.verify_after_load_s for a in right)
    replayed = f"{replay:,.0f} mutations/s, {median(a.replay_cpu_s_a_million for a in right):.1f} CPU s a million, start included"
    verified = f"{verify:,.0f} mutations/s; {median(a.verify_s for a in right):,.0f} with start and reading"
    return [
        f"| `replay` of an archive, compared byte by byte | {replayed} | ≥ 100,000 mutations/s | {_said(replay >= 100_000)} |\n",
        f"| `verify`, recompute and comparison when all is read | {verified} | ≥ 300,000 mutations/s | {_said(verify >= 300_000)} |\n",
    ]


_COLUMNS: Final = (  # head, figures that share a cell, form
    ("mutations/s", ("mutations_s",), ",.0f"),
    ("CPU s a million", ("cpu_s_a_million",), ".1f"),
    ("broker's", ("broker_cpu_s_a_million",), ".1f"),
    ("latency p50 / p99 ms", ("latency_p50_ms", "latency_p99_ms"), ".0f"),
    ("recovery first / all s", ("recovery_first_s", "recovery_all_s"), ".1f"),
    ("memory MB", ("memory_mb",), ".0f"),
    ("others' share of the machine", ("other_share",), ".0%"),
)


def _systems(results: Results) -> str:
    rows = [[s, *(_cell(results, s, figures, form) for _, figures, form in _COLUMNS)] for s in _SYSTEMS]
    rows = [r for r in rows if set(r[1:]) != {"-"}]
    if not rows:
        return ""
    head = ["system, medians", *(h for h, _, _ in _COLUMNS)]
    table = "".join(f"| {' | '.join(r)} |\n" for r in (head, ["---"] * len(head), *rows))
    commits, sizes = ({getattr(r, what) for r in results.rounds} for what in ("commit", "size"))
    return f"{table}\nRounds: {len(results.rounds)} of size {', '.join(sorted(sizes))}, on commit {', '.join(sorted(commits))}.\n"


def _cell(results: Results, system: str, figures: tuple[str, ...], form: str) -> str:
    middles = [results.middle(system, f) for f in figures]
    return " / ".join("-" if m is None else format(m, form) for m in middles) if any(m is not None for m in middles) else "-"


def _number(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _history(results: Results) -> str:
    """The engine from commit to commit; each row compares within its own rounds only."""
    commits = list(dict.fromkeys((r.commit, r.size) for r in results.rounds))
    if len(commits) < 2:
        return ""
    head = ["commit", "size", "rounds", "mutations/s", "CPU s a million", "part of the floor", f"ratio to {STREAMS}", "others' share"]
    rows = [[commit, size, *_moment(results.only(commit, size))] for commit, size in commits]
    return "From commit to commit, medians:\n\n" + "".join(f"| {' | '.join(r)} |\n" for r in (head, ["---"] * len(head), *rows))


def _moment(results: Results) -> list[str]:
    floor, streams = (ratios_of(results, against, "mutations_s") for against in (FLOOR, STREAMS))
    return [
        str(len(results.rounds)),
        _cell(results, PRODUCT, ("mutations_s",), ",.0f"),
        _cell(results, PRODUCT, ("cpu_s_a_million",), ".1f"),
        f"{median(floor):.0%}" if floor else "-",
        f"{median(streams):.2f}x" if streams else "-",
        _cell(results, PRODUCT, ("other_share",), ".0%"),
    ]


def _said(met: bool) -> str:  # noqa: FBT001 - the one thing that it says
    return "yes" if met else "**no**"


def table_in(document: Path) -> str:
    """What stands between the document's marks."""
    found = re.search(re.escape(_MARKS[0]) + "(.*?)" + re.escape(_MARKS[1]), document.read_text(), re.DOTALL)
    return found[1] if found else ""
