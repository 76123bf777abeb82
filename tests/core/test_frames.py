"""The frame transport where Kafka moves partitions while something was fetched."""

from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError

from schemas.catalogue import Catalogue
from streams.app import build_app
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
