"""Retry on a real node: after a fix the refused records are taken, once, whatever happens on the way."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.catalogues import own_filtering_catalogue
from samenloop.quarantine import Quarantine, Selection
from samenloop.quarantine import read_quarantine as read
from samenloop.retry import Report, retry
from schemas.catalogue import Catalogue
from schemas.quarantine import QUARANTAINE
from tests.broker.test_commands import CLI, cli, line
from tests.broker.test_quarantine import BIJSTAND, PERSOON, put
from tests.node import APP, Node, fresh_node
from tests.oracle import fold, recompute

OTHER = "999990068"  # both of the test range
IKV = "uwv.inkomstenverhouding"
DELIVERED = [
    line("b-1", 1, "gemeente.bijstand", {"begindatum": "2026-01-01", "houder": "gm0363", "kenmerk": "PW-7"}),
    line("ikv-1", 1, IKV, {"begindatum": "2026-02-01", "einddatum": "2026-04-30"}),
    line("b-3", 1, "gemeente.bijstand", {"begindatum": "2026-01-01", "houder": "gm0363", "kenmerk": "PW-9"}),
    line("b-3", 2, "gemeente.bijstand", {"begindatum": "2026-03-01", "houder": "gm0599", "kenmerk": "PW-9"}),
    *((soort, {**told, "bsn": OTHER}) for soort, told in (
        line("b-2", 1, "gemeente.bijstand", {"begindatum": "2026-01-01", "houder": "gm0599", "kenmerk": "PW-8"}),
        line("ikv-2", 1, IKV, {"begindatum": "2026-02-01", "einddatum": "2026-04-30"}),
    )),
]  # fmt: skip


@pytest.fixture
def node(brokers: str, tmp_path: Path) -> Iterator[Node]:
    """A node whose bronnen filter themselves; its first worker runs under a catalogue that lacks Amsterdam."""
    (tmp_path / "new").mkdir()
    (tmp_path / "old").mkdir()
    new, old = own_filtering_catalogue(tmp_path / "new"), own_filtering_catalogue(tmp_path / "old")
    for folder, left_out in ((new, r".* tot: .*"), (old, r"(?:.* tot: .*|- \{id: gm0363.*)")):  # nobody who ended: one went into it
        ontvangers = folder / "ontvangers.yaml"
        ontvangers.write_text(re.sub(rf"(?m)^{left_out}\n", "", ontvangers.read_text()))
    with fresh_node(brokers, tmp_path, Catalogue.load(new)) as node:
        node.env = {"SAMENLOOP_CATALOGUS": str(new)}
        node.start_worker(SAMENLOOP_CATALOGUS=str(old))
        yield node


async def deliver(node: Node) -> None:
    """Everything, one after the other, and a record that no fix will help."""
    await node.publish(DELIVERED)
    await put(node, BIJSTAND, PERSOON, b"\x07nonsense")
    await until_counted(node, len(DELIVERED) + 1)


async def until_counted(node: Node, records: int) -> None:
    """Wait until so many input records are accounted for; a retry's transaction leaves a marker that counts as lag."""
    deadline = time.monotonic() + 90
    while (done := sum((await node.counts()).values())) != records:
        assert time.monotonic() < deadline, f"{done} of {records} records are accounted for"
        await asyncio.sleep(0.2)


def retried(node: Node, *numbers: int) -> Report:
    """The work of the command, in this process."""
    topics = {f"mutaties.{soort}" for soort in node.catalogue.mutatie_topics}
    return asyncio.run(retry(node.brokers, APP, topics, Selection(numbers=numbers)))


def quarantine(node: Node) -> Quarantine:
    return asyncio.run(read(node.brokers))


def number_of(node: Node, reason: str, versie: int = 0) -> int:
    return [h.number for h in quarantine(node).records() if h.reason == reason][versie]


def restart(node: Node) -> None:
    """The fix: a worker under the catalogue that has Amsterdam."""
    assert node.stop_workers() == [0]
    node.start_worker()


def place_of(record: Any) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset


@pytest.mark.timeout(240)
def test_after_the_fix_the_ontvanger_gets_what_it_missed_and_only_that_persoon_is_folded_again(node: Node, tmp_path: Path) -> None:
    asyncio.run(deliver(node))
    assert [h.reason for h in quarantine(node).records()].count("HOUDER_ONBEKEND") == 2
    refused = max(r.timestamp for r in asyncio.run(node.records([f"{APP}-personen-changelog"])))
    restart(node)

    done = cli(node, "quarantine", "retry", "--reason", "HOUDER_ONBEKEND")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 retried" in done.stdout
    asyncio.run(until_counted(node, len(DELIVERED) + 3))

    folded = fold(asyncio.run(node.signalen()))
    assert folded.live == recompute(DELIVERED, tmp_path, node.catalogue)
    assert (folded.duplicates, folded.conflicts, folded.gaps, folded.wrong_topic) == (0, [], [], [])
    assert asyncio.run(node.counts()) == {
        f"{BIJSTAND} opgeslagen": 3, f"{BIJSTAND} bekend": 1, f"{BIJSTAND} quarantaine": 3, f"mutaties.{IKV} opgeslagen": 2,
    }, "an older versie that comes late changes nothing, and every delivery is accounted for"  # fmt: skip
    copies = [r for r in asyncio.run(node.records([BIJSTAND])) if "opnieuw_van" in dict(r.headers)]
    persoon = node.checked(*DELIVERED[0]).persoon.encode()
    assert [c.key for c in copies] == [persoon, persoon]
    rows = asyncio.run(node.records([f"{APP}-personen-changelog"]))
    assert {r.key for r in rows if r.timestamp > refused} == {persoon, b"#partitie"}


@pytest.mark.timeout(240)
def test_a_copy_is_the_record_as_it_came_with_its_headers_and_one_that_says_of_what(node: Node) -> None:
    asyncio.run(deliver(node))
    number = number_of(node, "HOUDER_ONBEKEND")
    place = quarantine(node).one(number).place
    report = retried(node, number)
    records = {place_of(r): r for r in asyncio.run(node.records([BIJSTAND]))}
    copy, original = records[report.retried[number]], records[place]
    assert (copy.key, copy.value, copy.partition) == (original.key, original.value, original.partition)
    assert copy.headers == (*original.headers, ("opnieuw_van", str(place).encode()))
    rows = asyncio.run(node.records([QUARANTAINE]))  # the worker may have refused the copy again by now
    (marker,) = [r for r in rows if "opnieuw" in dict(r.headers)]
    said = {k: v.decode() for k, v in marker.headers}
    assert (marker.key, marker.value) == (original.key, None)
    assert said == {"opnieuw": str(number), "topic": BIJSTAND, "partition": str(copy.partition), "offset": str(copy.offset)}


@pytest.mark.timeout(240)
def test_retrying_again_does_nothing_and_what_is_refused_again_names_its_forerunner(node: Node) -> None:
    asyncio.run(deliver(node))
    number = number_of(node, "MAGISCHE_BYTE")
    assert list(retried(node, number).retried) == [number]
    asyncio.run(until_counted(node, len(DELIVERED) + 2))
    (again,) = [h for h in quarantine(node).records() if h.retry_of == number]
    assert (again.reason, again.is_open) == ("MAGISCHE_BYTE", True)
    assert quarantine(node).one(number).again == again.number
    ends = len(asyncio.run(node.records([BIJSTAND, QUARANTAINE])))
    second = retried(node, number)
    assert (second.retried, list(second.before), second.left) == ({}, [number], {})
    assert len(asyncio.run(node.records([BIJSTAND, QUARANTAINE]))) == ends

    report = retried(node, again.number)
    assert list(report.retried) == [again.number]
    (last,) = [r for r in asyncio.run(node.records([BIJSTAND])) if place_of(r) == report.retried[again.number]]
    assert [v for k, v in last.headers if k == "opnieuw_van"] == [str(again.place).encode()], "each copy names the one before it"


KILLED = """
import asyncio, os, signal, sys
from samenloop import retry as module
from samenloop.quarantine import Selection
module.retried_headers = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # the copies stand, their markers do not yet
asyncio.run(module.retry(sys.argv[1], "samenloop", [sys.argv[2]], Selection()))
"""


@pytest.mark.timeout(240)
def test_kill_9_between_the_copies_and_their_markers_leaves_neither(node: Node) -> None:
    asyncio.run(deliver(node))
    open_before = [h.number for h in quarantine(node).records() if h.is_open]
    killed = subprocess.run([sys.executable, "-c", KILLED, node.brokers, BIJSTAND], check=False, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    copies = [r for r in asyncio.run(node.records([BIJSTAND], "read_uncommitted")) if "opnieuw_van" in dict(r.headers)]
    assert len(copies) == len(open_before) == 3
    assert [h.number for h in quarantine(node).records() if h.is_open] == open_before
    assert sorted(retried(node).retried) == open_before
    asyncio.run(until_counted(node, len(DELIVERED) + 4))
    time.sleep(1)
    assert sum(asyncio.run(node.counts()).values()) == len(DELIVERED) + 4, "the worker has not taken what was never committed"


@pytest.mark.timeout(240)
def test_two_retries_at_once_write_each_record_once(node: Node) -> None:
    async def flood() -> None:
        await asyncio.gather(*(put(node, BIJSTAND, PERSOON, b"\x07%d" % i, partition=i % 4) for i in range(60)))
        await until_counted(node, 60)

    asyncio.run(flood())
    node.stop_workers()  # else what one of them wrote is refused again, and rightly retried by the other
    command = [CLI, "quarantine", "retry", "--all", "--brokers", node.brokers]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for one in both:
        _, said = one.communicate(timeout=90)
        assert one.returncode in {0, 2}, "it did its work, or the other one fenced it"
        assert "Traceback" not in said
    retried(node)  # what a fenced one left
    assert not [h for h in quarantine(node).records() if h.is_open]
    copied = Counter(dict(r.headers)["opnieuw_van"] for r in asyncio.run(node.records([BIJSTAND])) if r.headers)
    assert (len(copied), set(copied.values())) == (60, {1})


def test_what_to_retry_must_be_said_and_json_says_what_was_done(node: Node) -> None:
    asyncio.run(deliver(node))
    assert "name records" in cli(node, "quarantine", "retry").stderr
    assert cli(node, "quarantine", "retry", "0", "--all").returncode == 2
    assert "there is no record 99" in cli(node, "quarantine", "retry", "99").stderr
    told = json.loads(cli(node, "quarantine", "retry", "0", "--json").stdout)
    assert [r["number"] for r in told["retried"]] == [0]
    assert [r["number"] for r in json.loads(cli(node, "quarantine", "retry", "0", "--json").stdout)["retried_before"]] == [0]
