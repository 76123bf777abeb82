"""``samenloop console``: a topic as it is, with Avro decoded."""

import asyncio
import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from aiokafka import AIOKafkaConsumer

from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.running import run
from schemas.brokers import client_options
from schemas.codec import Codec, WireError


def console(
    topic: Annotated[str, typer.Argument(metavar="TOPIC")],
    *,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Begin with what is there already.")] = False,
    max_messages: Annotated[int | None, typer.Option(min=1, help="End after so many records.")] = None,
    timeout_ms: Annotated[int | None, typer.Option(min=1, help="End when nothing has come for so long.")] = None,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Print the records of a topic, one JSON object a line: place, key, headers, and the value decoded."""
    settings = settings_of(brokers=brokers, data=data)
    codec = Codec(catalogue_of(settings))

    async def work() -> None:
        consumer = AIOKafkaConsumer(
            **client_options(brokers_of(settings)),
            isolation_level="read_committed",
            auto_offset_reset="earliest" if from_beginning else "latest",
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            if topic not in await consumer.topics():
                raise NotDoneError(f"there is no topic {topic} on this cluster")
            consumer.subscribe([topic])
            await _print(consumer, codec, max_messages, timeout_ms)
        finally:
            await consumer.stop()

    run(work())


async def _print(consumer: AIOKafkaConsumer, codec: Codec, most: int | None, timeout_ms: int | None) -> None:
    number = 0
    while most is None or number < most:
        try:
            record = await asyncio.wait_for(consumer.getone(), None if timeout_ms is None else timeout_ms / 1000)
        except TimeoutError:
            return
        sys.stdout.write(json.dumps(shown(record, codec), default=str, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        number += 1


def shown(record: Any, codec: Codec) -> dict[str, Any]:  # noqa: ANN401 - aiokafka's ConsumerRecord
    """A record for people; a value that cannot be read is shown as hex, with the reason."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": datetime.fromtimestamp(record.timestamp / 1000, UTC).isoformat(timespec="milliseconds"),
        "key": None if record.key is None else record.key.decode(errors="replace"),
        "headers": {name: value.decode(errors="replace") for name, value in record.headers},
        **_value(record, codec),
    }


def _value(record: Any, codec: Codec) -> dict[str, Any]:  # noqa: ANN401
    if record.value is None:
        return {"value": None}
    try:
        if record.topic.startswith("signalen."):
            return {"value": json.loads(record.value)}
        return {"value": codec.decode(record.value)}
    except (WireError, ValueError) as e:
        return {"hex": record.value.hex(), "reason": e.reason if isinstance(e, WireError) else "GEEN_JSON"}
