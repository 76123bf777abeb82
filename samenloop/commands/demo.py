"""``samenloop demo``: a node on synthetic people, over simulated months, and what happens as it happens."""

import asyncio
import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from aiokafka import AIOKafkaConsumer
from rich.console import Console

from connectors.broker.distribution import DistributionError
from connectors.broker.embedded import BrokerError, EmbeddedBroker, stop_running
from connectors.broker.running import running
from connectors.bronnen.lines import LineReader, Published
from connectors.bronnen.numbers import NumberReader
from connectors.bronnen.population import EPOCH_DAY, Delivery, population
from connectors.bronnen.producer import MutatieProducer
from connectors.bronnen.pseudonym import Pseudonymiser, read_or_make_key
from connectors.bronnen.register import Register
from connectors.bronnen.register_bron import RegisterBron
from connectors.klok import tick
from samenloop.called import called
from samenloop.commands.topics import make_topics
from samenloop.commands.worker import engine_settings
from samenloop.context import DEMO, DataOption, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.logs import log_to
from samenloop.rendering import signaal_line
from samenloop.settings import Settings
from schemas.brokers import client_options
from schemas.codec import decode_signaal
from schemas.values import ElkSignaal
from streams.app import App
from streams.worker import run_worker, stop_on_signals

_UNUSED_BSN: Final = "900000004"  # below those of the population
SHOWN_A_MONTH = 4
_DAYS_A_MONTH = 30.44
_MONTHS = ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december")

Say = Callable[[str], None]


def demo(
    persons: Annotated[int, typer.Option(min=1, max=20_000, help="Synthetic persons.")] = 300,
    seed: Annotated[int, typer.Option(help="Another seed gives other persons.")] = 1,
    months: Annotated[int, typer.Option(min=1, max=60, help="Simulated months.")] = 12,
    *,
    exit_: Annotated[bool, typer.Option("--exit", help="End when the months are over, in place of running on.")] = False,
    data: DataOption = None,
) -> None:
    """Run the main job on a real Kafka: bronnen deliver, signals appear. Each run begins afresh in DIR/demo."""
    settings = settings_of(data=data)
    settings = settings_of(data=settings.data / DEMO, brokers=None)
    console = Console(highlight=False, soft_wrap=True)
    broker = EmbeddedBroker(settings.data, java=settings.java)
    try:
        if running(settings.data):
            stop_running(settings.data)
        shutil.rmtree(settings.data, ignore_errors=True)
        settings.data.mkdir(parents=True)
        console.print("[bold]1[/] Apache Kafka starts ...")
        bootstrap = broker.start().bootstrap
        console.print(f"  it runs on {bootstrap}, its log is {broker.log}")
        worker_log = settings.data / "worker.log"
        with worker_log.open("a", encoding="utf-8") as log:
            log_to(log, "info")
            code = asyncio.run(Demo(settings, bootstrap, console.print).run(persons, seed, months, exit_=exit_))
        if code:
            raise NotDoneError(f"the worker failed: {_why(worker_log)}; its log is {worker_log}")
    except (BrokerError, DistributionError, OSError) as e:
        raise NotDoneError(str(e)) from e
    finally:
        broker.stop()


class Demo:
    """The parts of a node in one process, and the people who look at it."""

    def __init__(self, settings: Settings, bootstrap: str, say: Say) -> None:
        self._settings = settings
        self._bootstrap = bootstrap
        self._say = say
        self._catalogue = catalogue_of(settings)
        self._kinds: Counter[str] = Counter()
        self._month = 0  # signals of the running month that were shown
        self._diensten: set[str] = set()  # of which a signal was shown
        self._example: ElkSignaal | None = None
        self._basisfeiten: dict[str, Mapping[str, Any]] = {}  # benefits as they were delivered

    async def run(self, persons: int, seed: int, months: int, *, exit_: bool) -> int:
        """Run until the months are over, or until told to stop; the worker's exit code."""
        stop, ended = stop_on_signals(), asyncio.Event()
        made = await make_topics(self._settings, self._bootstrap)
        self._say(f"[bold]2[/] {len(made.missing)} topics are made from the catalogue, and a worker of the engine starts")
        app: asyncio.Future[App] = asyncio.get_running_loop().create_future()
        worker = asyncio.create_task(
            run_worker(engine_settings(self._settings, self._bootstrap), self._catalogue, ended, started=app.set_result)
        )
        bronnen = {b: self._bron(b) for b in self._registers()}
        others = [asyncio.create_task(b.run()) for b in bronnen.values()] + [asyncio.create_task(self._watch())]
        deliveries = (d for d in population(self._catalogue, persons=persons, seed=seed, months=months) if _month(d) < months)
        delivering = asyncio.create_task(self._deliver(app, bronnen, deliveries))
        try:
            told = asyncio.create_task(stop.wait())
            await asyncio.wait((delivering, told, worker, *others), return_when=asyncio.FIRST_COMPLETED)
            for task in (t for t in (delivering, *others) if t.done()):
                task.result()
            if delivering.done():
                self._end()
                if not exit_ and not worker.done():
                    await asyncio.wait((told, worker), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.set()
            for task in (delivering, *others):
                task.cancel()
            await asyncio.gather(delivering, *others, return_exceptions=True)
            code = await worker
        return code

    def _registers(self) -> list[str]:
        """The bronnen that are asked for records."""
        asked = {soort for d in self._catalogue.diensten.values() for soort in d.gevraagd}
        return sorted({b.id for b in map(self._catalogue.bron_of, asked) if not b.filtert_zelf})

    def _bron(self, bron: str) -> RegisterBron:
        return RegisterBron(bron, self._catalogue, self._bootstrap, Register(self._settings.data / f"{bron}.sqlite", self._catalogue, bron))

    async def _deliver(self, app: "asyncio.Future[App]", bronnen: dict[str, RegisterBron], deliveries: Iterator[Delivery]) -> None:
        """Who gives grounds or filters itself publishes; the others fill their registers, which publish about followed persons only."""
        await (await app).engine.ready.wait()
        self._say("[bold]3[/] bronnen deliver, month by month; those that are asked only about persons whom the node follows\n")
        pseudonymiser = Pseudonymiser(read_or_make_key(self._settings.sleutelbestand))
        readers = {s: LineReader(self._catalogue, s, pseudonymiser) for s in self._catalogue.mutatie_topics}
        async with MutatieProducer(self._bootstrap) as producer:
            for month, found in groupby(deliveries, key=_month):
                delivered = list(found)
                mutaties = [(d.soort, readers[d.soort].read(msgspec.json.encode(d.line))) for d in delivered]
                self._basisfeiten.update((d.line["record_id"], d.line) for d in delivered if d.soort == "gemeente.bijstand")
                before = self._kinds.copy()
                self._month = 0
                self._say(f"[bold]{_MONTHS[month % 12]} {2024 + month // 12}[/]  {len(mutaties)} records registered by the bronnen")
                await self._publish(producer, bronnen, mutaties)
                await asyncio.sleep(0.5)  # the bronnen answer what they are asked, as they do before a wachttijd is over
                await tick(self._bootstrap, self._catalogue, date(2024 + (month + 1) // 12, (month + 1) % 12 + 1, 1))
                await asyncio.sleep(0.5)
                new = self._kinds - before
                self._say(f"  [dim]{', '.join(f'{n} {kind}' for kind, n in sorted(new.items())) or 'no signals'}[/]")
            await self._renumber(producer, NumberReader(self._catalogue, pseudonymiser))

    async def _renumber(self, producer: MutatieProducer, reader: NumberReader) -> None:
        """Somebody about whom a signal stands gets another number."""
        line = None if self._example is None else self._basisfeiten.get(self._example.basisfeit.record_id)
        if line is None:
            return
        self._say("[bold]One more thing[/]  somebody gets another BSN: what stands is withdrawn, and issued again under the same name")
        self._month = 0
        told = {"bsn": line["bsn"], "nieuw_bsn": _UNUSED_BSN, "versie": 1, "registratietijd": line["registratietijd"]}
        m = reader.read(msgspec.json.encode(told))
        await producer.send(reader.topic, m.key, m.value, m.headers, 0)
        await producer.flush()
        await asyncio.sleep(1)

    async def _publish(
        self, producer: MutatieProducer, bronnen: dict[str, RegisterBron], mutaties: Sequence[tuple[str, Published]]
    ) -> None:
        for bron, register in bronnen.items():
            register.deliver([(s, m) for s, m in mutaties if s.startswith(f"{bron}.")])
        for number, (soort, m) in enumerate(mutaties):
            if soort.split(".")[0] not in bronnen:
                await producer.send(f"mutaties.{soort}", m.persoon, m.value, m.headers, number)
        await producer.flush()

    async def _watch(self) -> None:
        topics = [f"signalen.{o}" for o in self._catalogue.ontvangers]
        consumer = AIOKafkaConsumer(
            *topics, **client_options(self._bootstrap), isolation_level="read_committed", auto_offset_reset="earliest", fetch_max_wait_ms=50
        )
        await consumer.start()
        try:
            async for record in consumer:
                self._show(decode_signaal(record.value))
        finally:
            await consumer.stop()

    def _show(self, signaal: ElkSignaal) -> None:
        self._kinds[signaal.soort] += 1
        if signaal.soort == "NIEUW" and (self._example is None or signaal.bewijs[-1].soort == "uwv.inkomstenverhouding"):
            self._example = signaal
        self._month += 1
        if self._month <= SHOWN_A_MONTH or signaal.dienst not in self._diensten:
            self._diensten.add(signaal.dienst)
            self._say(f"  {signaal.ontvanger}  {signaal_line(signaal)}")

    def _end(self) -> None:
        total = ", ".join(f"{n} {kind}" for kind, n in sorted(self._kinds.items()))
        self._say(f"\n[bold]4[/] {total}.")
        if self._example is None:
            return
        self._say("While this runs, try in another terminal:\n")
        data = self._settings.data.parent
        cli = called() if data == Path(".samenloop") else f"SAMENLOOP_DATA={data} {called()}"
        for command, what in _next_steps(self._example):
            self._say(f"  {cli} {command}\n      [dim]{what}[/]")


def _month(delivery: Delivery) -> int:
    return max(0, int((delivery.day - EPOCH_DAY) / _DAYS_A_MONTH))


def _why(worker_log: Path) -> str:
    """What the worker said last about its failure."""
    said = [line for line in worker_log.read_text(encoding="utf-8").splitlines() if 'event="worker failed"' in line]
    if not said:
        return "it did not say why"
    fields = dict(part.partition("=")[::2] for part in shlex.split(said[-1]))
    return fields.get("exception", fields["error"]).split("\\n")[-1]


def _next_steps(s: ElkSignaal) -> list[tuple[str, str]]:
    console = f"console-consumer --topic signalen.{s.ontvanger} --from-beginning --max-messages 1 --property print.headers=true"
    return [
        (f"follow {s.ontvanger} --from-beginning", "near-real-time subscription"),
        (f"signals {s.ontvanger}", "what stands now"),
        (f"explain {s.signaal_id}", "which records and days, which rule, which law"),
        (f"explain --why-not {s.kenmerk} --ontvanger {s.ontvanger}", "why there is a signal, or none"),
        ("console mutaties.uwv.inkomstenverhouding --from-beginning --max-messages 3", "Avro decoded; no BSN anywhere"),
        (f"kafka {console}", "Apache's own tool"),
    ]
