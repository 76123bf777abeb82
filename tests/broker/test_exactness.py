"""20,000 persons and 300,000 mutations through the real broker: what the ontvangers hold is exactly the recompute."""

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from connectors.bronnen.population import Delivery, population, shuffled
from connectors.bronnen.register import Register
from connectors.bronnen.register_bron import RegisterBron
from schemas.catalogue import Catalogue
from tests.node import Node, node_in
from tests.oracle import fold, recompute

PERSONS, MUTATIONS = 20_000, 300_000
REGISTERS = ("belastingdienst", "dji", "rdw", "rvig", "svb", "uwv")

pytestmark = [pytest.mark.large, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def deliveries(catalogue: Catalogue) -> list[Delivery]:
    """In an order that has nothing to do with time or topic."""
    return shuffled(population(catalogue, persons=PERSONS, seed=20_260_101, mutations=MUTATIONS), seed=7)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue, deliveries: list[Delivery]) -> Iterator[Node]:
    """A node through which everything has gone, with two workers and the registers of those that it asks."""
    with node_in(tmp_path_factory.mktemp("exact"), catalogue) as node:
        asyncio.run(_run(node, deliveries))
        assert set(node.stop_workers()) == {0}
        yield node


async def _run(node: Node, deliveries: list[Delivery]) -> None:
    bronnen = {b: RegisterBron(b, node.catalogue, node.brokers, Register(node.data / f"{b}.sqlite", node.catalogue, b)) for b in REGISTERS}
    for bron, register in bronnen.items():
        register.deliver([(d.soort, node.checked(d.soort, d.line)) for d in deliveries if d.soort.startswith(f"{bron}.")])
    answering = [asyncio.create_task(b.run()) for b in bronnen.values()]
    publishing = asyncio.create_task(node.publish((d.soort, d.line) for d in deliveries))
    node.start_worker()
    node.start_worker()
    await publishing
    before = None
    while before != (before := await node.ends(node.sources)):  # an answer to a volgverzoek is work again
        await node.until_idle(300)
        await asyncio.sleep(5)
    for task in answering:
        assert not task.done(), task.exception()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_the_folded_signals_of_every_ontvanger_equal_the_recompute(node: Node, deliveries: list[Delivery], tmp_path: Path) -> None:
    folded = fold(asyncio.run(node.signalen()))
    wanted = recompute(((d.soort, d.line) for d in deliveries), tmp_path, node.catalogue)

    assert len(wanted) > 50_000
    assert folded.live == wanted
    assert (folded.duplicates, folded.conflicts, folded.gaps, folded.wrong_topic) == (0, [], [], [])


def test_every_input_record_is_stored_known_not_kept_or_in_quarantine(node: Node) -> None:
    counts = asyncio.run(node.counts())
    ends = asyncio.run(node.ends(node.sources))
    for soort in node.catalogue.mutatie_topics:
        topic = f"mutaties.{soort}"
        accounted = sum(n for key, n in counts.items() if key.startswith(f"{topic} "))
        assert accounted == sum(end for tp, end in ends.items() if tp.topic == topic)
    assert counts["mutaties.uwv.inkomstenopgave niet_bewaard"] > 10_000
    assert not [key for key in counts if key.endswith(" quarantaine")]


def test_nothing_is_kept_of_persons_without_a_basisfeit(node: Node, deliveries: list[Delivery]) -> None:
    grounds = {d.basisfeit.soort for d in node.catalogue.diensten.values()}
    declared = {d.opgaven.soort for d in node.catalogue.diensten.values() if d.opgaven is not None}  # of whom it pays, says the gemeente
    kept = {d.line["bsn"] for d in deliveries if d.soort in grounds | declared or node.catalogue.bron_of(d.soort).filtert_zelf}
    nobody = {d.line["bsn"] for d in deliveries} - kept
    reader = node.reader("gemeente.bijstand")
    forbidden = {reader._pseudonymiser.persoon(bsn).encode() for bsn in nobody}

    state = asyncio.run(node.records(["samenloop-personen-changelog"]))

    assert len(forbidden) > 1_500
    assert not forbidden & {r.key for r in state}


def test_no_bsn_stands_in_any_topic_file_or_log(node: Node, deliveries: list[Delivery]) -> None:
    bsns = {d.line["bsn"] for d in deliveries}
    topics = asyncio.run(node.topics())
    for record in asyncio.run(node.records(topics, "read_uncommitted")):
        place = f"{record.topic}-{record.partition}@{record.offset}"
        parts = (record.key or b"", record.value or b"", *(v for _, v in record.headers))
        assert not _shown(b"\n".join(parts), bsns), place
    for file in (f for f in node.data.rglob("*") if f.is_file() and "kafka/data" not in str(f)):
        assert not _shown(file.read_bytes(), bsns), file
        assert not _shown(file.name.encode(), bsns), "a file name"


def test_the_scan_for_bsns_finds_one_in_every_encoding_in_use() -> None:
    """The scan itself can fail: ASCII and UTF-8 text, JSON, UTF-16, and the number as Avro and msgpack write it."""
    bsn = "999990019"
    number = int(bsn)
    zigzag, varint = number << 1, b""
    while zigzag > 127:
        varint, zigzag = varint + bytes([zigzag & 127 | 128]), zigzag >> 7
    varint += bytes([zigzag])
    for hidden in (
        bsn.encode(),
        json.dumps({"x": bsn}).encode(),
        bsn.encode("utf-16-le"),
        bsn.encode("utf-16-be"),
        varint,
        b"\xce" + number.to_bytes(4, "big"),
    ):
        assert _shown(b"before \x00" + hidden + b"\x01 after", {bsn})


TEXT = re.compile(rb"\d(?:\0?\d){8,}")  # one byte a digit, or two, in either order


def _shown(data: bytes, bsns: set[str]) -> set[str]:
    """The BSNs in ``data``: as text, and as a number in the encodings of Avro and msgpack."""
    return _in_text(data, bsns) | _as_number(data, bsns)


def _in_text(data: bytes, bsns: set[str]) -> set[str]:
    runs = [m.group().replace(b"\0", b"").decode() for m in TEXT.finditer(data)]
    return {run[i : i + 9] for run in runs for i in range(len(run) - 8)} & bsns


VARINT = re.compile(rb"(?=([\x80-\xff]{4}[\x03-\x07]))", re.DOTALL)  # Avro's zigzag of a number of nine digits takes five bytes
UINT32 = re.compile(rb"(?=\xce(.{4}))", re.DOTALL)  # as msgpack marks it


def _as_number(data: bytes, bsns: set[str]) -> set[str]:
    found = {int.from_bytes(m.group(1), "big") for m in UINT32.finditer(data)}
    found |= {sum((b & 127) << 7 * i for i, b in enumerate(m.group(1))) >> 1 for m in VARINT.finditer(data)}
    return {str(n) for n in found} & bsns
