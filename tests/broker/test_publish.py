"""``samenloop publish`` against a real Kafka: what goes out, what is reported, and what happens when it cannot."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaTimeoutError
from aiokafka.partitioner import DefaultPartitioner

from connectors.broker.embedded import EmbeddedBroker
from connectors.broker.topics import apply_topics
from connectors.bronnen.lines import LineReader
from connectors.bronnen.producer import MutatieProducer, TopicMissingError
from connectors.bronnen.pseudonym import Pseudonymiser, read_key
from connectors.bronnen.publish import PublishError, Verdict, publish
from connectors.bronnen.register import Register
from connectors.bronnen.register_bron import RegisterBron
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from tests.core.edge import BSN, bsn_of, opgave, raw

SOORT = "uwv.inkomstenopgave"
TOPIC = f"mutaties.{SOORT}"
BSNS = [b for b in map(bsn_of, range(99_999_100, 99_999_500)) if b]


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key of this test alone: its persons are nobody else's."""
    file = tmp_path / "test.key"
    file.touch(0o600)
    file.write_bytes(secrets.token_bytes(32))
    return file


def _samenloop(*args: str | Path, stdin: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
    program = Path(sys.executable).with_name("samenloop")
    return subprocess.run([program, *args], input=stdin, capture_output=True, timeout=60, check=False)


def _publish(servers: str, key: Path, file: Path | str, *more: str | Path, stdin: bytes | None = None):
    """Run the command with ``key``."""
    env = {**os.environ, "SAMENLOOP_SLEUTEL": str(key)}
    program = Path(sys.executable).with_name("samenloop")
    command = [program, "publish", SOORT, file, "--brokers", servers, "--data", key.parent, *more]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False, env=env)


async def _records(servers: str, persons: set[str]) -> list[Any]:
    """All mutaties of ``persons``."""
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=servers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        tps = [TopicPartition(TOPIC, p) for p in range(4)]
        ends = {tp: end for tp, end in (await consumer.end_offsets(tps)).items() if end}
        found: list[Any] = []
        while ends:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += records
            ends = {tp: end for tp, end in ends.items() if await consumer.position(tp) < end}
        return [r for r in found if r.key.decode() in persons]
    finally:
        await consumer.stop()


def _persons(key: Path) -> dict[str, str]:
    made = Pseudonymiser(read_key(key))
    return {bsn: made.persoon(bsn) for bsn in [BSN, *BSNS]}


def _file(tmp_path: Path, lines: list[bytes], end: bytes = b"\n") -> Path:
    file = tmp_path / "lines.jsonl"
    file.write_bytes(b"".join(line + end for line in lines))
    return file


def _report(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_good_lines_go_out_and_bad_ones_are_reported_by_line_field_and_reason(servers: str, key: Path, tmp_path: Path) -> None:
    lines = [
        raw(opgave(record_id="a")),
        raw(opgave(record_id="b", einddatum="2025-01-01")),
        raw(opgave("999990018", record_id="c")),
        raw(opgave(record_id="a")),
        raw(opgave(record_id="a", versie=2, feit=None)),
        b"{",
    ]
    done = _publish(servers, key, _file(tmp_path, lines), "--report", tmp_path / "report.jsonl")

    assert done.returncode == 1, done.stderr
    assert _report(tmp_path / "report.jsonl") == [
        {"regel": 1, "uitkomst": "GEPUBLICEERD"},
        {"regel": 2, "uitkomst": "AFGEKEURD", "reden": "EINDDATUM_VOOR_BEGINDATUM", "veld": "feit.einddatum"},
        {"regel": 3, "uitkomst": "AFGEKEURD", "reden": "BSN_ONGELDIG", "veld": "bsn"},
        {"regel": 4, "uitkomst": "AFGEKEURD", "reden": "DUBBELE_SLEUTEL", "veld": "record_id"},
        {"regel": 5, "uitkomst": "GEPUBLICEERD"},
        {"regel": 6, "uitkomst": "AFGEKEURD", "reden": "GEEN_JSON"},
    ]
    assert done.stdout.startswith(b"6 lines: 2 published, 4 rejected\n")
    records = asyncio.run(_records(servers, {_persons(key)[BSN]}))
    codec = Codec(Catalogue.load())
    assert [(codec.decode(r.value)["versie"], dict(r.headers)["ce_type"]) for r in records] == [
        (1, b"nl.samenloop.mutatie.vastgesteld.v1"),
        (2, b"nl.samenloop.mutatie.ingetrokken.v1"),
    ]
    everything = b"".join([done.stdout, done.stderr, (tmp_path / "report.jsonl").read_bytes()])
    everything += b"".join(r.key + r.value + b"".join(v for _, v in r.headers) for r in records)
    assert BSN.encode() not in everything


def test_every_persoon_lands_on_the_partition_of_that_hash(servers: str, key: Path, tmp_path: Path) -> None:
    done = _publish(servers, key, _file(tmp_path, [raw(opgave(b, record_id=f"r{n}")) for n, b in enumerate(BSNS)]))
    assert (done.returncode, done.stderr) == (0, b"")
    records = asyncio.run(_records(servers, set(_persons(key).values())))
    assert {r.key.decode() for r in records} == {p for b, p in _persons(key).items() if b != BSN}
    choose = DefaultPartitioner()
    assert all(r.partition == choose(r.key, range(4), range(4)) for r in records)
    assert {r.partition for r in records} == {0, 1, 2, 3}


def test_a_file_from_windows_and_a_last_line_without_an_end_are_read(servers: str, key: Path, tmp_path: Path) -> None:
    file = _file(tmp_path, [b"\xef\xbb\xbf" + raw(opgave(record_id="a")), raw(opgave(record_id="b"))], end=b"\r\n")
    file.write_bytes(file.read_bytes().rstrip())
    done = _publish(servers, key, file, "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"regels": 2, "gepubliceerd": 2, "afgekeurd": {}})


def test_a_line_of_megabytes_is_one_rejected_line(servers: str, key: Path, tmp_path: Path) -> None:
    lines = [raw(opgave(record_id="a")), b'{"' + b"x" * 3_000_000 + b'":1}', raw(opgave(record_id="b")), b"y" * 65_537]
    done = _publish(servers, key, _file(tmp_path, lines), "--json")
    assert json.loads(done.stdout) == {"regels": 4, "gepubliceerd": 2, "afgekeurd": {"REGEL_TE_LANG": 2}}


def test_standard_input_is_read(servers: str, key: Path) -> None:
    done = _publish(servers, key, "-", "--json", stdin=raw(opgave()) + b"\n")
    assert (done.returncode, json.loads(done.stdout)["gepubliceerd"]) == (0, 1)
    assert _publish(servers, key, "-", stdin=b"").returncode == 2


def test_to_publish_again_does_no_harm_the_bytes_are_the_same(servers: str, key: Path, tmp_path: Path) -> None:
    file = _file(tmp_path, [raw(opgave())])
    assert [_publish(servers, key, file).returncode for _ in range(2)] == [0, 0]
    one, other = asyncio.run(_records(servers, {_persons(key)[BSN]}))
    assert (one.key, one.value, one.headers) == (other.key, other.value, other.headers)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["uwv.nowhere", "x"], "there is no uwv.nowhere in the catalogue; there are: belastingdienst.vermogen, "),
        ([SOORT, "{tmp}/missing.jsonl"], "missing.jsonl: No such file or directory"),
        ([SOORT, "{tmp}/empty.jsonl"], "empty.jsonl: the file is empty"),
        ([SOORT, "{tmp}"], "Is a directory"),
        ([SOORT, "{tmp}/one.jsonl", "--report", "{tmp}/one.jsonl"], "would overwrite the file that is read"),
        ([SOORT, "{tmp}/one.jsonl", "--report", "{tmp}/no/report"], "no/report: No such file or directory"),
        ([SOORT, "{tmp}/one.jsonl", "--brokers", "127.0.0.1:1"], "Unable to bootstrap from"),
    ],
)
def test_what_cannot_be_done_ends_with_one_clear_line_and_exit_2(servers: str, tmp_path: Path, args: list[str], error: str) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "one.jsonl").write_bytes(raw(opgave()))
    named = [a.replace("{tmp}", str(tmp_path)) for a in args]
    done = _samenloop("publish", *(["--brokers", servers] if "--brokers" not in args else []), "--data", tmp_path, *named)
    assert done.returncode == 2
    assert error in done.stderr.decode()
    assert done.stderr.decode().count("\n") == 1
    assert done.stdout == b""


def test_no_field_name_or_value_of_a_line_comes_out(servers: str, key: Path, tmp_path: Path) -> None:
    line = opgave(record_id="Jansen-1", loonheffingennummer="Pietersen", naam="Willemsen")
    line["feit"]["Gerritsen"] = "Hendriksen"
    done = _publish(servers, key, _file(tmp_path, [raw(line)]), "--report", tmp_path / "report.jsonl")
    shown = (done.stdout + done.stderr + (tmp_path / "report.jsonl").read_bytes()).decode()
    assert "VELD_ONBEKEND" in shown
    assert "sen" not in shown


async def test_the_report_follows_closely_even_when_one_partition_gets_next_to_nothing(
    servers: str, catalogue: Catalogue, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its batch never fills, and no later line may be called published before it."""
    monkeypatch.setattr("connectors.bronnen.publish._PENDING", 400)
    monkeypatch.setattr("connectors.bronnen.publish._BLOCK", 50)
    verdicts: list[Verdict] = []
    behind: list[int] = []

    def lines() -> Iterator[bytes]:
        yield raw(opgave(BSN, record_id="first"))
        other = next(b for b, p in _persons(key).items() if b != BSN and _partition(p) != _partition(_persons(key)[BSN]))
        for number in range(2, 5_001):
            behind.append(number - len(verdicts))
            yield raw(opgave(other, record_id=f"r{number}"))

    async with MutatieProducer(servers) as producer:
        reader = LineReader(catalogue, SOORT, Pseudonymiser(read_key(key)))
        summary = await publish(lines(), reader, producer, verdicts.append, lambda _: None)
    assert summary.published == 5_000
    assert [v.regel for v in verdicts] == list(range(1, 5_001))
    assert max(behind) <= 450


def _partition(persoon: str) -> int:
    return int(DefaultPartitioner()(persoon.encode(), range(4), range(4)))


@pytest.fixture
def own_broker(tmp_path: Path, catalogue: Catalogue) -> Iterator[tuple[EmbeddedBroker, str]]:
    """A broker that a test may end."""
    broker = EmbeddedBroker(tmp_path / "own", heap_mb=256)
    try:
        yield broker, broker.start().bootstrap
    finally:
        broker.stop()


async def test_a_missing_topic_and_a_broker_that_goes_are_clear_and_bounded(
    own_broker: tuple[EmbeddedBroker, str], catalogue: Catalogue, key: Path, tmp_path: Path
) -> None:
    broker, servers = own_broker
    file = _file(tmp_path, [raw(opgave())])
    done = await asyncio.to_thread(_publish, servers, key, file)
    assert (done.returncode, done.stderr.decode()) == (
        2,
        f"samenloop: {SOORT}: Kafka has no topic {TOPIC}: make it with 'samenloop topics apply'\n",
    )

    with (
        closing(Register(tmp_path / "uwv.sqlite", catalogue, "uwv")) as register,
        pytest.raises(TopicMissingError, match=r"volgverzoeken\.uwv"),
    ):
        await RegisterBron("uwv", catalogue, servers, register).run()

    await apply_topics(servers, catalogue, partities=4, replicatie=1, toepassing="samenloop")
    verdicts: list[Verdict] = []
    gone: list[int] = []

    def lines() -> Iterator[bytes]:
        for number in range(1, 40_001):
            if number == 20_000:
                broker.stop()
                gone.append(number)
            yield raw(opgave(BSNS[number % len(BSNS)], record_id=f"r{number}"))

    reader = LineReader(catalogue, SOORT, Pseudonymiser(read_key(key)))
    with pytest.raises(PublishError, match="did not acknowledge for 8 s; all lines up to") as e:
        async with MutatieProducer(servers, patience=8) as producer:
            await publish(lines(), reader, producer, verdicts.append, lambda _: None)
    assert gone == [20_000]
    up_to = int(str(e.value).split("all lines up to ")[1].split()[0])
    assert 1_000 < up_to < 40_000
    assert [v.regel for v in verdicts] == list(range(1, up_to + 1))

    with EmbeddedBroker(tmp_path / "own", heap_mb=256) as again:  # its data hold what was said to be there
        there = await _records(again.bootstrap, set(_persons(key).values()))
        codec = Codec(catalogue)
        names = {codec.decode(r.value)["record_id"] for r in there}
        assert {f"r{n}" for n in range(1, up_to + 1)} <= names


async def test_a_topic_that_is_first_needed_while_the_broker_is_away_is_waited_for_like_an_acknowledgement(
    own_broker: tuple[EmbeddedBroker, str], catalogue: Catalogue
) -> None:
    broker, servers = own_broker
    await apply_topics(servers, catalogue, partities=4, replicatie=1, toepassing="samenloop")
    async with MutatieProducer(servers, patience=120) as patient, MutatieProducer(servers, patience=2) as hasty:
        await asyncio.to_thread(broker.stop)
        waiting = asyncio.create_task(patient.require(TOPIC))
        with pytest.raises(KafkaTimeoutError, match="did not acknowledge for 2 s"):
            await hasty.require(TOPIC)
        assert not waiting.done()
        await asyncio.to_thread(broker.start)
        await waiting


def test_a_large_file_streams_in_constant_memory(servers: str, key: Path, tmp_path: Path) -> None:
    """Ten times the lines, less than 12 MB more: the keys of a file are remembered on disk."""
    peaks = [_peak(servers, key, tmp_path, lines) for lines in (10_000, 100_000)]
    assert peaks[1] - peaks[0] < 12_000_000, peaks


def _peak(servers: str, key: Path, tmp_path: Path, lines: int) -> int:
    file = tmp_path / f"{lines}.jsonl"
    with file.open("wb") as out:
        out.writelines(raw(opgave(BSNS[n % len(BSNS)], record_id=f"ikv-{n:07d}")) + b"\n" for n in range(lines))
    program = Path(sys.executable).with_name("samenloop")
    env = {**os.environ, "SAMENLOOP_SLEUTEL": str(key)}
    process = psutil.Popen([program, "publish", SOORT, file, "--brokers", servers, "--data", tmp_path], env=env, stdout=subprocess.DEVNULL)
    peak, ended = 0, threading.Event()
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.Error:
            break
        ended.wait(0.05)
    assert process.wait() == 0
    return peak
