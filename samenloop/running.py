"""Runs the asynchronous part of a command until it is done or told to stop."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import TypeVar

from aiokafka.errors import KafkaConnectionError, KafkaError

from samenloop.errors import NotDoneError

_T = TypeVar("_T")


def run(work: Coroutine[object, object, _T]) -> _T | None:
    """The result of ``work``, or None when SIGINT, SIGTERM or a closed pipe ended it; raises NotDoneError when Kafka fails."""
    try:
        return asyncio.run(_until_told(work))
    except KafkaConnectionError as e:
        raise NotDoneError(f"Kafka: {e}: nothing answers there, or it does not take this TLS, name or password") from e
    except KafkaError as e:
        raise NotDoneError(f"Kafka: {e}") from e
    except BrokenPipeError:
        sys.stderr.close()  # who read us has gone; nobody is left to tell
        return None


async def _until_told(work: Coroutine[object, object, _T]) -> _T | None:
    task = asyncio.create_task(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return None
