"""The register bron against a real Kafka: answers to volgverzoeken, kill -9, and its command."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from connectors.bronnen.lines import LineReader, Published
from connectors.bronnen.producer import MutatieProducer, TopicMissingError
from connectors.bronnen.pseudonym import Pseudonymiser
from connectors.bronnen.register import Register
from connectors.bronnen.register_bron import RegisterBron
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.values import Volging, Volgverzoek
from tests.core.edge import bsn_of, opgave, raw

SOORT = "uwv.inkomstenopgave"
TOPIC, ASKED = f"mutaties.{SOORT}", "volgverzoeken.uwv"
BSNS = [b for b in map(bsn_of, range(99_998_000, 99_999_000)) if b]
DIENST = "rechtmatigheidscontrole-levensonderhoud"
PROGRAM = Path(sys.executable).with_name("samenloop")


class Side:
    """The node's side of a bron, for persons of this test alone."""

    def __init__(self, servers: str, catalogue: Catalogue, key: bytes) -> None:
        self.servers = servers
        self.catalogue = catalogue
        self.codec = Codec(catalogue)
        self.made = Pseudonymiser(key)
        self.reader = LineReader(catalogue, SOORT, self.made)
        self.persons = {self.made.persoon(b) for b in BSNS}

    def checked(self, bsn: str, record_id: str, versie: int = 1, **changes: Any) -> tuple[str, Published]:
        """A mutatie as the edge makes it."""
        return SOORT, self.reader.read(raw(opgave(bsn, record_id=record_id, versie=versie, **changes)))

    async def ask(self, bsns: Sequence[str], versie: int, *vanaf: str, key: bytes | None = None, value: bytes | None = None) -> None:
        """A volgverzoek for each persoon, in a transaction as the node writes it."""
        days = tuple(Volging(DIENST, date.fromisoformat(v).toordinal() - date(1970, 1, 1).toordinal()) for v in vanaf)
        asked = value or self.codec.encode_volgverzoek(Volgverzoek(versie, 0, days))
        transactional_id = secrets.token_hex(8)
        async with AIOKafkaProducer(bootstrap_servers=self.servers, transactional_id=transactional_id) as node, node.transaction():
            for bsn in bsns:
                await node.send(ASKED, asked, key=key or self.made.persoon(bsn).encode())

    async def erase(self, bsn: str) -> None:
        """A null in the place of the volgverzoek."""
        async with AIOKafkaProducer(bootstrap_servers=self.servers, transactional_id=secrets.token_hex(8)) as node, node.transaction():
            await node.send(ASKED, None, key=self.made.persoon(bsn).encode())

    async def published(self) -> list[tuple[str, int, bool]]:
        """All that went out about these persons: (record_id, versie, live), in the order of each partition."""
        consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=self.servers, auto_offset_reset="earliest")
        await consumer.start()
        try:
            ends = await consumer.end_offsets([TopicPartition(TOPIC, p) for p in range(4)])
            left = {tp: end for tp, end in ends.items() if end}
            found: list[Any] = []
            while left:
                for records in (await consumer.getmany(timeout_ms=100)).values():
                    found += [r for r in records if r.key.decode() in self.persons]
                left = {tp: end for tp, end in left.items() if await consumer.position(tp) < end}
        finally:
            await consumer.stop()
        values = [self.codec.decode(r.value) for r in found]
        return [(v["record_id"], v["versie"], v["feit"] is not None) for v in values]

    async def until(self, done: Callable[[list[tuple[str, int, bool]]], bool], seconds: float = 20) -> list[tuple[str, int, bool]]:
        """What went out, as soon as it is enough; fails when that takes too long."""
        deadline = time.monotonic() + seconds
        while not done(found := await self.published()):
            assert time.monotonic() < deadline, found[:20]
            await asyncio.sleep(0.1)
        return found

    @asynccontextmanager
    async def bron(self, file: Path) -> AsyncIterator[RegisterBron]:
        """UWV at work."""
        with closing(Register(file, self.catalogue, "uwv")) as register:
            async with RegisterBron("uwv", self.catalogue, self.servers, register) as bron:
                yield bron


@pytest.fixture
def side(servers: str, catalogue: Catalogue) -> Side:
    """Persons of this test alone."""
    return Side(servers, catalogue, secrets.token_bytes(32))


async def test_only_followed_persons_are_published_and_the_answer_is_the_current_truth(side: Side, tmp_path: Path) -> None:
    one, other = BSNS[:2]
    async with side.bron(tmp_path / "uwv.sqlite") as bron:
        assert bron.deliver([side.checked(one, "a"), side.checked(one, "a", 2), side.checked(other, "b"), side.checked(one, "a")]) == 3
        assert await side.published() == []
        await side.ask([one], 1, "2026-01-01")
        assert await side.until(lambda x: len(x) >= 1) == [("a", 2, True)]
        assert bron.deliver([side.checked(one, "a", 3, feit=None), side.checked(other, "b", 2)]) == 2
        await bron.drained()
        assert await side.published() == [("a", 2, True), ("a", 3, False)]


async def test_after_a_new_start_old_volgverzoeken_change_nothing_and_new_ones_are_answered(side: Side, tmp_path: Path) -> None:
    one = BSNS[0]
    async with side.bron(tmp_path / "uwv.sqlite") as bron:
        bron.deliver([side.checked(one, "a")])
        await side.ask([one], 1, "2026-01-01")
        await side.until(lambda x: len(x) == 1)
        await side.ask([one], 2)
        await side.ask([one], 3, "2026-01-01")
        await side.until(lambda x: len(x) == 2)
    async with side.bron(tmp_path / "uwv.sqlite") as bron:
        bron.deliver([side.checked(one, "a", 2)])
        await side.until(lambda x: len(x) == 3)
        await asyncio.sleep(1)
        assert await side.published() == [("a", 1, True), ("a", 1, True), ("a", 2, True)]


async def test_who_was_erased_is_followed_no_more_and_anew_from_versie_1(side: Side, tmp_path: Path) -> None:
    one, other = BSNS[:2]
    async with side.bron(tmp_path / "uwv.sqlite") as bron:
        await side.ask([one, other], 2, "2026-01-01")
        bron.deliver([side.checked(one, "a"), side.checked(other, "b")])
        await side.until(lambda x: len(x) == 2)
        await side.erase(one)
        await side.ask([other], 3, "2025-01-01")
        await side.until(lambda x: len(x) == 3)
    async with side.bron(tmp_path / "uwv.sqlite") as bron:
        await asyncio.sleep(1)
        bron.deliver([side.checked(one, "a", 2)])
        await asyncio.sleep(1)
        assert ("a", 2, True) not in await side.published()
        await side.ask([one], 1, "2026-01-01")
        assert ("a", 2, True) in await side.until(lambda x: ("a", 2, True) in x)


async def test_a_bad_volgverzoek_is_skipped_and_hurts_nobody_else(side: Side, tmp_path: Path) -> None:
    one, other = BSNS[:2]
    async with side.bron(tmp_path / "uwv.sqlite") as bron:
        bron.deliver([side.checked(one, "a"), side.checked(other, "b")])
        await side.ask([one], 1, "2026-01-01", key=b"not a pseudonym")
        await side.ask([one], 1, value=b"\x00\x00\x00\x00\x65\xff")
        await side.ask([other], 1, "2026-01-01")
        assert await side.until(bool) == [("b", 1, True)]


async def test_a_transaction_that_was_aborted_follows_nobody(side: Side, tmp_path: Path) -> None:
    one, other = BSNS[:2]
    async with side.bron(tmp_path / "uwv.sqlite") as bron:
        bron.deliver([side.checked(one, "a"), side.checked(other, "b")])
        async with AIOKafkaProducer(bootstrap_servers=side.servers, transactional_id=secrets.token_hex(8)) as producer:
            await producer.begin_transaction()
            asked = side.codec.encode_volgverzoek(Volgverzoek(9, 0, (Volging(DIENST, 0),)))
            await producer.send_and_wait(ASKED, asked, key=side.made.persoon(one).encode())
            await producer.abort_transaction()
        await side.ask([other], 1, "2026-01-01")
        await side.until(bool)
        await asyncio.sleep(0.5)
        assert await side.published() == [("b", 1, True)]


def _kill_before_the_mark(file: str, servers: str, key: str) -> None:
    """In a process of its own: publish the first part of the outbox, and be killed before it is marked as sent."""

    class Killed(Register):
        """Dies at the very moment that Kafka has all and the outbox does not know it."""

        def sent(self, mutaties: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    catalogue = Catalogue.load()
    side = Side(servers, catalogue, bytes.fromhex(key))
    bron = RegisterBron("uwv", catalogue, servers, Killed(Path(file), catalogue, "uwv"))
    bron.deliver([side.checked(b, f"late {b[::-1]}") for b in BSNS])
    asyncio.run(bron.run())


async def test_kill_9_between_outbox_and_mark_loses_nothing(servers: str, catalogue: Catalogue, tmp_path: Path) -> None:
    key = secrets.token_bytes(32)
    side = Side(servers, catalogue, key)
    file = tmp_path / "uwv.sqlite"
    await side.ask(BSNS, 1, "1970-01-01")
    with closing(Register(file, catalogue, "uwv")) as register, register.batch():
        for bsn in BSNS:
            register.follow(side.made.persoon(bsn), Volgverzoek(1, 0, (Volging(DIENST, 0),)))
    code = "import sys; from tests.broker.test_register import _kill_before_the_mark as k; k(*sys.argv[1:])"
    command = [sys.executable, "-c", code, str(file), servers, key.hex()]
    killed = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-500:]
    before = await side.published()
    assert len(before) == len(BSNS)

    with closing(Register(file, catalogue, "uwv")) as register:
        assert register.waiting() == len(BSNS)
    async with side.bron(file) as bron:
        await bron.drained()
    assert sorted(await side.published()) == sorted(before * 2)  # all of them twice, which changes nothing; none is missing


@pytest.mark.parametrize("left", [0.95, 0.5, 0.15])
async def test_kill_9_of_the_command_in_the_midst_of_its_work_loses_nothing(
    servers: str, catalogue: Catalogue, tmp_path: Path, left: float
) -> None:
    """The lines were taken into the register: every one of a followed persoon is published in the end."""
    file, lines, key = tmp_path / "uwv.sqlite", tmp_path / "lines.jsonl", tmp_path / "test.key"
    key.touch(0o600)
    key.write_bytes(secrets.token_bytes(32))
    side = Side(servers, catalogue, key.read_bytes())
    wanted = {f"{n}-{i}" for n in range(len(BSNS)) for i in range(30)}
    lines.write_bytes(b"".join(raw(opgave(b, record_id=f"{n}-{i}")) + b"\n" for n, b in enumerate(BSNS) for i in range(30)))
    await side.ask(BSNS, 1, "1970-01-01")
    with closing(Register(file, catalogue, "uwv")) as register, register.batch():
        for bsn in BSNS:
            register.follow(side.made.persoon(bsn), Volgverzoek(1, 0, (Volging(DIENST, 0),)))
    with _command(side, file, key, "--load", str(lines), "--soort", SOORT) as first:
        said = await asyncio.to_thread(first.stdout.readline)
        assert said == f"{len(wanted)} opgenomen, 0 bekend, 0 afgekeurd\n".encode()
        with closing(Register(file, catalogue, "uwv")) as register:
            _until_no_more_wait_than(register, int(left * len(wanted)))
            first.kill()
            first.wait()
            assert register.waiting() > 0
    with _command(side, file, key) as second:
        found = await side.until(lambda x: {name for name, _, _ in x} == wanted, 30)
        assert len(wanted) <= len(found) < 1.5 * len(wanted)
        with closing(Register(file, catalogue, "uwv")) as register:
            _until_no_more_wait_than(register, 0)
        second.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(second.wait, 10) == 0


def _until_no_more_wait_than(register: Register, number: int) -> None:
    deadline = time.monotonic() + 20
    while register.waiting() > number:
        assert time.monotonic() < deadline
        time.sleep(0.005)


class _command:  # noqa: N801 - reads as the verb that it is
    """``samenloop bron uwv`` in a process of its own."""

    def __init__(self, side: Side, file: Path, key: Path, *more: str) -> None:
        command = [str(PROGRAM), "bron", "uwv", "--register", str(file), "--brokers", side.servers, "--data", str(file.parent), *more]
        env = {**os.environ, "SAMENLOOP_SLEUTEL": str(key)}
        self._log = (file.parent / "bron.log").open("ab")
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log, env=env)

    def __enter__(self) -> Any:
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._log.close()


@pytest.mark.parametrize(
    ("args", "error"),
    [
        (["nowhere"], "there is no bron nowhere in the catalogue; there are: belastingdienst, "),
        (["uwv", "--load", "x"], "--load and --soort go together"),
        (["uwv", "--load", "x", "--soort", "svb.pensioen"], "svb.pensioen is not a soort of uwv"),
        (["uwv", "--load", "/nowhere.jsonl", "--soort", SOORT], "/nowhere.jsonl: No such file or directory"),
    ],
)
def test_a_command_that_cannot_work_says_why(servers: str, tmp_path: Path, args: list[str], error: str) -> None:
    command = [str(PROGRAM), "bron", *args, "--register", str(tmp_path / "r.sqlite"), "--brokers", servers, "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(f"samenloop: {error}")
    assert done.stderr.count("\n") == 1


async def test_a_topic_that_kafka_does_not_have_is_named_at_once(servers: str) -> None:
    with pytest.raises(TopicMissingError, match=r"no topic mutaties\.x\.y$"):
        async with MutatieProducer(servers) as producer:
            await producer.send("mutaties.x.y", "P" * 52, b"", [], 1)
