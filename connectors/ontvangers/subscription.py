"""A subscription to the signals of one ontvanger: each signal once, also when it was delivered twice."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer

from schemas.brokers import client_options
from schemas.codec import WireError, decode_signaal
from schemas.values import ElkSignaal


@dataclass(frozen=True)
class Received:
    """A signaal and where it stood."""

    signaal: ElkSignaal
    value: bytes
    topic: str
    partition: int
    offset: int


class Once:
    """Tells new signals from repeated ones; remembers one number a signaal_id, some 150 bytes each."""

    def __init__(self) -> None:
        self._highest: dict[str, int] = {}

    def is_new(self, signaal: ElkSignaal) -> bool:
        """Whether this version was not seen before."""
        if signaal.versie <= self._highest.get(signaal.signaal_id, 0):
            return False
        self._highest[signaal.signaal_id] = signaal.versie
        return True


async def follow(
    brokers: str, topic: str, *, from_beginning: bool, group: str | None, unreadable: Callable[[str, WireError], None]
) -> AsyncIterator[Received]:
    """Signals as they come, for ever; ``unreadable`` is told the place of a value that is no signaal. Raises aiokafka's errors.

    With a ``group`` Kafka remembers how far it has read, so that a later subscription goes on from there.
    """
    consumer = AIOKafkaConsumer(
        topic,
        **client_options(brokers),
        group_id=group,
        isolation_level="read_committed",
        auto_offset_reset="earliest" if from_beginning else "latest",
        enable_auto_commit=False,
        fetch_max_wait_ms=100,
    )
    await consumer.start()
    once = Once()
    try:
        async for received in _received(consumer, unreadable):
            if once.is_new(received.signaal):
                yield received
            if group is not None:
                await consumer.commit()  # after the caller has taken it: at worst it is shown again
    finally:
        await consumer.stop()


async def _received(consumer: AIOKafkaConsumer, unreadable: Callable[[str, WireError], None]) -> AsyncIterator[Received]:
    async for record in consumer:
        try:
            signaal = decode_signaal(record.value)
        except WireError as e:
            unreadable(f"{record.topic}-{record.partition}@{record.offset}", e)
            continue
        yield Received(signaal, record.value, record.topic, record.partition, record.offset)
