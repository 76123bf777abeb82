"""The Kafka clients that the engine makes its effects with: the one seam at which a simulated Kafka takes the place of a real one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.producer import sender

from schemas.brokers import client_options
from streams.fetch import RunConsumer

# Until the markers of a transaction stand, Kafka takes no partition into the next (KAFKA-5477). They take a few ms; aiokafka asks every 20.
sender.BACKOFF_OVERRIDE = 0.004


@dataclass(frozen=True)
class Clients:
    """How the engine comes by its clients; each takes aiokafka's options and answers as aiokafka does."""

    producer: Callable[..., Any] = AIOKafkaProducer
    consumer: Callable[..., Any] = AIOKafkaConsumer
    rows: Callable[..., Any] = RunConsumer  # a consumer that gives runs
    admin: Callable[..., Any] = AIOKafkaAdminClient


AIOKAFKA = Clients()


async def committed_offsets(clients: Clients, brokers: str, group: str) -> dict[TopicPartition, int]:
    """How far a group is: partition → offset of the next record to read; nothing of a partition that it never committed."""
    admin = clients.admin(**client_options(brokers))
    await admin.start()
    try:
        found = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {tp: meta.offset for tp, meta in found.items() if meta.offset >= 0}
