"""Who has a name in the group notices when another one takes it, and does not take mere silence for it."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import UnknownMemberIdError
from aiokafka.protocol.group import HeartbeatRequest, JoinGroupRequest

from schemas.catalogue import Catalogue
from streams import membership
from streams.app import build_app
from streams.membership import NameTakenError, watch_name
from streams.settings import EngineSettings

HEARTBEAT = HeartbeatRequest("group", 3, "member")
JOIN = JoinGroupRequest("group", 10_000, 30_000, "", "worker-a", "consumer", [])


@dataclass
class Answer:
    """What the group's coordinator says."""

    error_code: int


class Coordinator:
    """A connection to a coordinator that gives the answers of a list, one a request."""

    def __init__(self, *codes: int) -> None:
        self._codes = list(codes)
        self.asked = 0

    async def _send_req(self, request: Any) -> Answer:
        self.asked += 1
        return Answer(self._codes.pop(0))


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "_RETRY_SECONDS", 0)


async def test_unknown_within_a_session_means_that_the_name_is_taken_and_nothing_more_is_sent() -> None:
    taken: list[NameTakenError] = []
    coordinator = Coordinator(0, 0, UnknownMemberIdError.errno, 0)
    watch_name(coordinator, "worker-a", 10, taken.append)
    await coordinator._send_req(JOIN)
    await coordinator._send_req(HEARTBEAT)
    with pytest.raises(NameTakenError, match="joined the group as worker-a"):
        await coordinator._send_req(HEARTBEAT)
    with pytest.raises(NameTakenError):
        await coordinator._send_req(JOIN)  # it would drive the other one out
    assert len(taken) == 1
    assert coordinator.asked == 3


async def test_unknown_after_the_session_means_silence_and_the_worker_joins_again() -> None:
    taken: list[NameTakenError] = []
    coordinator = Coordinator(0, UnknownMemberIdError.errno, 0)
    watch_name(coordinator, "worker-a", 0.01, taken.append)
    await coordinator._send_req(HEARTBEAT)
    await asyncio.sleep(0.05)
    await coordinator._send_req(HEARTBEAT)
    await coordinator._send_req(JOIN)
    assert taken == []


async def test_a_join_that_is_fenced_means_that_the_name_is_taken() -> None:
    taken: list[NameTakenError] = []
    coordinator = Coordinator(82)
    watch_name(coordinator, "worker-a", 10, taken.append)
    with pytest.raises(NameTakenError):
        await coordinator._send_req(JOIN)
    assert len(taken) == 1


async def test_the_app_has_the_name_and_an_address_that_goes_with_it(catalogue: Catalogue, tmp_path: Path) -> None:
    named = build_app(EngineSettings("127.0.0.1:1", "x", 4, tmp_path, instantie="worker-a.b_c"), catalogue)
    nameless = build_app(EngineSettings("127.0.0.1:1", "x", 4, tmp_path), catalogue)
    assert named.conf.consumer_group_instance_id == "worker-a.b_c"
    assert str(named.conf.canonical_url) == "http://worker-a.b_c"
    assert not nameless.conf.consumer_group_instance_id
    assert "worker-a" not in str(nameless.conf.canonical_url)
