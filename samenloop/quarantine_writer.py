"""Writing to quarantine what became of its records: one command at a time, in transactions, and never waiting without end."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.brokers import client_options
from schemas.quarantine import Headers

PATIENCE: Final = 60.0  # seconds without an answer after which Kafka counts as gone; aiokafka itself would try for ever
_BATCH_BYTES: Final = 1_000_000  # a whole chunk and its headers; a larger record gets a batch of its own
_LEAVE: Final = 5.0  # seconds for taking leave of Kafka after a failure; it ends the transaction by itself when it hears nothing


@asynccontextmanager
async def fencing_producer(brokers: str, toepassing: str) -> AsyncIterator[AIOKafkaProducer]:
    """For one command at a time: whoever was at work on quarantine before is fenced, and nothing of theirs is still to come."""
    producer = AIOKafkaProducer(
        **client_options(brokers),
        transactional_id=f"{toepassing}-quarantaine",
        transaction_timeout_ms=30_000,
        max_batch_size=_BATCH_BYTES,
        compression_type="lz4",
    )
    try:
        async with asyncio.timeout(PATIENCE):
            await producer.start()
        yield producer
    finally:
        with suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(_LEAVE):
                await producer.stop()


async def send_rows(
    producer: AIOKafkaProducer, to: tuple[str, int], rows: Iterable[tuple[bytes | None, bytes | None, Headers]]
) -> "asyncio.Future[Any]":
    """Send (key, value, headers) to a topic and partition, in one batch; the future is done when Kafka has them."""
    batch = producer.create_batch()
    for key, value, headers in rows:
        taken = batch.append(timestamp=None, key=key, value=value, headers=headers)
        assert taken is not None, "a chunk fits a batch"  # noqa: S101 - whoever makes the chunks sees to it
    batch.close()
    future: asyncio.Future[Any] = await producer.send_batch(batch, to[0], partition=to[1])
    return future


@asynccontextmanager
async def transaction(producer: AIOKafkaProducer) -> AsyncIterator[None]:
    """All in it or nothing. aiokafka's own would wait without end for the abort when Kafka is gone."""
    await producer.begin_transaction()
    try:
        yield
    except BaseException:
        if not producer._txn_manager.is_fatal_error():  # noqa: SLF001 - as aiokafka's own does: a fenced producer has nothing to abort
            with suppress(TimeoutError, KafkaError):
                async with asyncio.timeout(_LEAVE):
                    await producer.abort_transaction()
        raise
    await producer.commit_transaction()
