"""Faults of the broker: killed, frozen, stopped, refusing what is sent, or without room on its disk."""

import asyncio
import os
import resource
import signal
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connectors.broker.tools import tool_command
from tests.faults.field import Fault, Run, admin


async def killed(run: Run) -> None:
    """kill -9 and a new start on the same data and port."""
    await run.start_ready(2)
    async with run.load(8):
        for _ in run.often(1, 3):
            await asyncio.sleep(run.moment(0.5, 3))
            await run.place.kill_broker()
            await asyncio.sleep(run.moment(0, 2))
            await run.place.start_broker()


async def frozen(run: Run) -> None:
    """SIGSTOP for longer than sessions and transactions last."""
    await run.start_ready(SAMENLOOP_TRANSACTION_TIMEOUT="4")
    async with run.load(8):
        await asyncio.sleep(run.moment(0.5, 3))
        os.kill(run.place.pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(run.outage)
        finally:
            os.kill(run.place.pid, signal.SIGCONT)


async def frozen_at_sigterm(run: Run) -> None:
    """A worker is told to stop while the broker answers nothing."""
    worker, *_ = await run.start_ready(2)
    async with run.load(6):
        await asyncio.sleep(run.moment(0.5, 3))
        os.kill(run.place.pid, signal.SIGSTOP)
        await asyncio.sleep(run.moment(0, 1))
        try:
            await run.dismiss(worker, well=False)
        finally:
            os.kill(run.place.pid, signal.SIGCONT)


async def stopped(run: Run) -> None:
    """A graceful stop, as for maintenance, and a start after a while."""
    await run.start_ready(SAMENLOOP_TRANSACTION_TIMEOUT="4")
    async with run.load(8):
        await asyncio.sleep(run.moment(0.5, 3))
        await asyncio.to_thread(run.place.broker.stop)
        await asyncio.sleep(run.outage)
        await run.place.start_broker()


@asynccontextmanager
async def topic_setting(run: Run, topic: str, setting: Mapping[str, str]) -> AsyncIterator[None]:
    """A topic that is set otherwise for a while."""
    async with admin(run.node) as kafka:
        before = {}
        for response in await kafka.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)]):
            for *_, entries in response.resources:
                before = {e[0]: e[1] for e in entries if e[3] == 1}  # what was set on the topic itself
        await kafka.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {**before, **setting})])
        yield
        await kafka.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, before)])


async def _refused(run: Run, said: str) -> None:
    """While Kafka refuses, a worker ends with a clear message and nothing of its work is true."""
    before = await run.node.lag()
    worker = run.start(supervised=False, SAMENLOOP_TRANSACTION_TIMEOUT="6")
    await run.deliver(0.5)
    assert await run.end_of(worker) == 2
    assert said in run.log_of(worker), run.log_of(worker)[-2000:]
    assert await run.node.lag() > before


async def too_large(run: Run) -> None:
    """A row of the changelog is larger than the topic takes."""
    async with topic_setting(run, f"{run.node.app}-personen-changelog", {"max.message.bytes": "100"}):
        await _refused(run, f"{run.node.app}-personen-changelog: MessageSizeTooLargeError")


async def too_few_replicas(run: Run) -> None:
    """A topic must stand on two brokers, and the second is gone."""
    await run.place.know_second_broker()
    topic = _some_output(run)
    async with admin(run.node) as kafka:
        (described,) = await kafka.describe_topics([topic])
        places = {p["partition"]: [1, 2] for p in described["partitions"]}
        setting = {"min.insync.replicas": "2", "cleanup.policy": "compact" if topic.endswith("changelog") else "delete"}
        await kafka.delete_topics([topic])
        while topic in await run.node.topics():  # noqa: ASYNC110 - Kafka tells nobody
            await asyncio.sleep(0.1)
        await kafka.create_topics([NewTopic(topic, -1, -1, replica_assignments=places, topic_configs=setting)])
        await _refused(run, "did not take a transaction")
        await kafka.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {**setting, "min.insync.replicas": "1"})])


async def not_authorised(run: Run) -> None:
    """The worker may read and describe a topic, and not write to it."""
    topic = _some_output(run)
    rule = ["--allow-principal", "User:ANONYMOUS", "--operation", "Read", "--operation", "Describe", "--topic", topic]
    await _acl(run, "--add", *rule)
    try:
        await _refused(run, "TopicAuthorizationFailedError")
    finally:
        await _acl(run, "--remove", "--force", *rule)


def _some_output(run: Run) -> str:
    return run.rnd.choice([f"signalen.{o}" for o in run.place.catalogue.ontvangers] + [f"{run.node.app}-personen-changelog"])


async def _acl(run: Run, *arguments: str) -> None:
    command = tool_command("acls", arguments, run.node.brokers)
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)


async def disk_full(run: Run) -> None:
    """No file of the broker may grow any more: Kafka gives its log directory up and ends. Then there is room again."""
    await run.start_ready()
    async with run.load(6):
        await asyncio.sleep(run.moment(0.5, 3))
        resource.prlimit(run.place.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        guard = run.place.broker._program
        assert guard is not None
        await asyncio.to_thread(guard.wait, 60)
        await asyncio.to_thread(run.place.broker.stop)
        await run.place.start_broker()


FAULTS = [
    Fault("broker killed", killed),
    Fault("broker frozen past sessions and transactions", frozen),
    Fault("SIGTERM while the broker is frozen", frozen_at_sigterm),
    Fault("broker stopped for a while", stopped, fast=False),
    Fault("produce refused: too large", too_large),
    Fault("produce refused: too few replicas", too_few_replicas),
    Fault("produce refused: not authorised", not_authorised),
    Fault("broker's disk full", disk_full),
]
