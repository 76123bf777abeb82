"""Static membership of the consumer group: a worker that comes back under its name finds its partitions, and nobody else notices.

Two workers of one name is what aiokafka makes nothing of. Kafka knows the newer one only; the older one hears at its next heartbeat
that it is unknown, joins again and drives the newer one out, for ever in turn. So here the older one ends.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from aiokafka.errors import KafkaError, UnknownMemberIdError
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest, SyncGroupRequest
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread

if TYPE_CHECKING:
    from streams.app import App

_RETRY_SECONDS: Final = 1.0
_FENCED_INSTANCE_ID: Final = 82  # which aiokafka has no name for


class NameTakenError(KafkaError):  # type: ignore[misc]  # aiokafka has no types under strict
    """Another worker has joined the group under this one's name."""


class ConsumerThread(AIOKafkaConsumerThread):
    """Faust's consumer thread; tells the engine when the name of this worker was taken by another."""

    async def on_start(self) -> None:
        """Called when the consumer starts."""
        await super().on_start()
        name, engine = self.app.conf.consumer_group_instance_id, cast("App", self.app).engine
        if not name:
            return
        loop = engine.failed.get_loop()

        def taken(error: NameTakenError) -> None:
            loop.call_soon_threadsafe(engine.fail, error)

        watch_name(self._ensure_consumer()._coordinator, name, self.app.conf.broker_session_timeout, taken)  # noqa: SLF001


def watch_name(coordinator: Any, name: str, session_timeout: float, taken: Callable[[NameTakenError], None]) -> None:  # noqa: ANN401
    """Look at what the group's coordinator answers; once the name is taken nothing more is sent to it, above all no new join.

    A member that Kafka knew less than a session ago cannot have been dropped for its silence: another one has its name.
    """
    send, known = coordinator._send_req, -session_timeout  # noqa: SLF001 - aiokafka has no other place to look at its answers
    error: NameTakenError | None = None

    async def watched(request: Any) -> Any:  # noqa: ANN401
        nonlocal known, error
        if error is not None:
            await asyncio.sleep(_RETRY_SECONDS)  # aiokafka tries again and again until it is stopped
            raise error
        response = await send(request)
        if isinstance(request, HeartbeatRequest | JoinGroupRequest | SyncGroupRequest):
            unknown = response.error_code == UnknownMemberIdError.errno and time.monotonic() - known < session_timeout
            if unknown or response.error_code == _FENCED_INSTANCE_ID:
                error = NameTakenError(f"another worker has joined the group as {name}: names of workers that run together must differ")
                taken(error)
                raise error
            if not response.error_code:
                known = time.monotonic()
        return response

    coordinator._send_req = watched  # noqa: SLF001
