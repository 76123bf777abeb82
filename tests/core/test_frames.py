"""The frame transport where Kafka moves partitions while something was fetched."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError
from aiokafka.protocol.fetch import FetchRequest

from schemas.catalogue import Catalogue
from streams.app import build_app
from streams.fetch import fetch_runs
from streams.settings import EngineSettings


@pytest.mark.parametrize(
    "error", [IllegalStateError("No current assignment for partition"), AssertionError("No partitions are currently assigned")]
)
async def test_partitions_that_go_while_the_flow_stands_still_end_no_worker(
    catalogue: Catalogue, tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fetched(_: float) -> tuple[dict[Any, Any], None]:
        return {}, None

    async def moved() -> None:
        raise error

    consumer: Any = build_app(EngineSettings("127.0.0.1:1", "x", 4, tmp_path), catalogue).consumer
    monkeypatch.setattr(consumer, "_wait_next_records", fetched)
    monkeypatch.setattr(consumer, "perform_seek", moved)
    consumer.stop_flow()
    assert [frame async for frame in consumer.getmany(1.0)] == []


async def test_of_a_fetch_that_a_rebalance_cancels_nothing_is_kept() -> None:
    request = FetchRequest(-1, 500, 1, 1, 0, [])

    async def answer(*_: Any) -> Any:
        return SimpleNamespace(topics=[])

    async def cancelled(_assignment: Any, node: int, sent: Any) -> bool:
        await fetcher._client.send(node, sent)
        raise asyncio.CancelledError

    fetcher: Any = SimpleNamespace(_client=SimpleNamespace(send=answer), _proc_fetch_request=cancelled, _records={})
    fetch_runs(SimpleNamespace(_fetcher=fetcher), 10)
    await fetcher._client.send(0, "a request for offsets, say")
    with pytest.raises(asyncio.CancelledError):
        await fetcher._proc_fetch_request(None, 0, request)
    assert fetcher._client._answers == {}
