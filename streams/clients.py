"""The Kafka clients that the engine makes its effects with: the one seam at which a simulated Kafka takes the place of a real one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient


@dataclass(frozen=True)
class Clients:
    """How the engine comes by its clients; each takes aiokafka's options and answers as aiokafka does."""

    producer: Callable[..., Any] = AIOKafkaProducer
    consumer: Callable[..., Any] = AIOKafkaConsumer
    admin: Callable[..., Any] = AIOKafkaAdminClient


AIOKAFKA = Clients()
