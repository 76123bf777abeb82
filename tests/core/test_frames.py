"""The frame transport where Kafka moves partitions while something was fetched."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import FetchResult
from aiokafka.errors import IllegalStateError, TopicAuthorizationFailedError
from aiokafka.protocol.fetch import FetchRequest
from faust.types import TP

from schemas.catalogue import Catalogue
from streams.app import build_app
from streams.fetch import fetch_runs
from streams.partition import joined
from streams.records import Run, SourceRecord, run_of
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


async def test_nothing_goes_on_while_kafka_deals_to_a_worker_that_had_no_partitions(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Faust would let what it had fetched through before the new partitions stand where they must be read from."""
    consumer: Any = build_app(EngineSettings("127.0.0.1:1", "x", 4, tmp_path), catalogue).consumer
    flowing: list[bool] = []

    async def told(_: set[TP]) -> None:
        flowing.append(consumer.flow_active)

    monkeypatch.setattr(consumer, "_on_partitions_revoked", told)
    consumer.resume_flow()
    await consumer.on_partitions_revoked(set())
    assert flowing == [False]


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


@pytest.mark.parametrize(("waiting", "most"), [({}, 250), ({TP("t", 0): "what was fetched of it"}, 40)])
async def test_a_fetch_beside_a_partition_that_is_not_taken_yet_is_answered_soon(waiting: dict[TP, Any], most: int) -> None:
    """Until it is, nothing more of that partition can be fetched: aiokafka has one fetch of a broker under way."""
    request, asked = FetchRequest(250, 1, 1, 1, []), []

    async def answer(_: int, sent: Any) -> Any:
        asked.append(sent._max_wait_ms)
        return SimpleNamespace(topics=[])

    fetcher: Any = SimpleNamespace(_client=SimpleNamespace(send=answer), _proc_fetch_request=None, _records=waiting)
    fetch_runs(SimpleNamespace(_fetcher=fetcher), 10, pause=0.04)
    await fetcher._client.send(0, request)
    assert asked == [most]


ONE, TWO = TP("t", 0), TP("t", 1)


class _Subscriptions:
    """Those of aiokafka's fetcher, as far as a fetch asks."""

    reassignment_in_progress = False

    @staticmethod
    @contextmanager
    def fetch_context() -> Iterator[None]:
        yield


def _thread(catalogue: Catalogue, tmp_path: Path, fetches: list[Any]) -> tuple[Any, Any]:
    """The consumer's thread, and a consumer whose fetcher answers with ``fetches`` one by one and then with nothing."""

    async def fetched_records(partitions: set[TP], *, timeout: float | None, max_records: int) -> dict[TP, list[Run]]:  # noqa: ASYNC109 - aiokafka's
        answer = fetches.pop(0) if fetches else {}
        assert not isinstance(answer, dict) or answer.keys() <= partitions
        if isinstance(answer, Exception):
            raise answer
        if answer == "dealt anew":
            subscriptions.reassignment_in_progress = True
            return {ONE: [_run(1_000)]}
        return answer  # type: ignore[no-any-return]

    subscriptions = _Subscriptions()
    app = build_app(EngineSettings("127.0.0.1:1", "x", 4, tmp_path, frame_records=20), catalogue)
    consumer: Any = app.consumer
    consumer.resume_flow()
    thread: Any = consumer._thread
    thread._most, thread._error = 20, None
    fetcher = SimpleNamespace(_closed=False, _subscriptions=subscriptions, fetched_records=fetched_records, _records={})
    return thread, SimpleNamespace(_closed=False, _fetcher=fetcher)


def _run(start: int, count: int = 10) -> Run:
    return run_of([SourceRecord(b"k", b"v", start + i) for i in range(count)])


async def _starts(thread: Any, consumer: Any) -> dict[int, list[int]]:
    found = await thread._fetch_records(consumer, {ONE, TWO}, 0.01, 1)
    return {tp.partition: [run.start for run in runs] for tp, runs in found.items()}


async def test_one_poll_takes_what_is_there_of_all_partitions_up_to_a_frame(catalogue: Catalogue, tmp_path: Path) -> None:
    fetches: list[Any] = [{ONE: [_run(0)]}, {TWO: [_run(50, 5)]}, {ONE: [_run(10)]}, {ONE: [_run(20)]}]
    thread, consumer = _thread(catalogue, tmp_path, fetches)
    assert await _starts(thread, consumer) == {0: [0, 10], 1: [50]}
    assert await _starts(thread, consumer) == {0: [20]}


async def test_nothing_more_is_taken_while_kafka_deals_anew(catalogue: Catalogue, tmp_path: Path) -> None:
    thread, consumer = _thread(catalogue, tmp_path, ["dealt anew", {ONE: [_run(7)]}])
    assert await _starts(thread, consumer) == {0: [1_000]}


async def test_the_error_of_a_partition_comes_after_what_was_taken_of_another(catalogue: Catalogue, tmp_path: Path) -> None:
    thread, consumer = _thread(catalogue, tmp_path, [{ONE: [_run(3)]}, TopicAuthorizationFailedError("t")])
    assert await _starts(thread, consumer) == {0: [3]}
    with pytest.raises(TopicAuthorizationFailedError):
        await _starts(thread, consumer)
    assert await _starts(thread, consumer) == {}


async def test_a_partition_that_has_enough_to_do_keeps_no_other_waiting(catalogue: Catalogue, tmp_path: Path) -> None:
    thread, consumer = _thread(catalogue, tmp_path, [{TWO: [_run(50)]}, {}, {ONE: [_run(0)]}])
    thread.app.engine.partitions[0] = full = SimpleNamespace(has_room=False)
    left = FetchResult(ONE, assignment=None, partition_records=None, backoff=60.0)
    consumer._fetcher._records[ONE], consumer._fetcher._wait_consume_future = left, asyncio.Future()
    consumer._fetcher._notify = lambda future: future.set_result(None)
    assert await _starts(thread, consumer) == {1: [50]}
    assert left.calculate_backoff() == 0, "what is left there does not put the fetch of the other off"
    assert consumer._fetcher._wait_consume_future.done()
    full.has_room = True
    assert await _starts(thread, consumer) == {0: [0]}


async def test_a_partition_that_has_room_again_does_not_wait_for_one_of_which_nothing_comes(catalogue: Catalogue, tmp_path: Path) -> None:
    thread, consumer = _thread(catalogue, tmp_path, [])
    asked: list[float] = []

    async def fetched_records(_: set[TP], *, timeout: float, max_records: int) -> dict[TP, list[Run]]:  # noqa: ASYNC109
        asked.append(timeout)
        return {}

    consumer._fetcher.fetched_records = fetched_records
    await thread._fetch_records(consumer, {ONE, TWO}, 1.0, 1)
    thread.app.engine.partitions[0] = SimpleNamespace(has_room=False)
    await thread._fetch_records(consumer, {ONE, TWO}, 1.0, 1)
    assert asked[0] == 1.0
    assert asked[1] <= 0.05


async def test_what_a_bron_has_not_committed_is_not_behind(catalogue: Catalogue, tmp_path: Path) -> None:
    thread, _ = _thread(catalogue, tmp_path, [])
    thread._consumer = SimpleNamespace(highwater=lambda _: 900, last_stable_offset=lambda _: 100)
    assert thread.highwater(ONE) == 100


async def test_nothing_is_taken_while_no_partition_has_room(catalogue: Catalogue, tmp_path: Path) -> None:
    thread, consumer = _thread(catalogue, tmp_path, [{ONE: [_run(0)]}])
    thread.app.engine.partitions.update({n: SimpleNamespace(has_room=False) for n in (0, 1)})
    assert await _starts(thread, consumer) == {}
    thread.app.engine.partitions.clear()
    assert await _starts(thread, consumer) == {0: [0]}


def test_the_frames_of_a_topic_become_one_where_the_first_of_them_stands() -> None:
    """The state of a persoon who comes in several frames of a transaction is then read and written once."""

    def run(*offsets: int) -> Run:
        return run_of([SourceRecord(b"k", b"v", offset) for offset in offsets])

    frames = [("klok", run(3)), ("a", run(0, 1)), ("b", run(7)), ("a", run(2)), ("b", run(9, 10)), ("a", run(5))]
    found = [(topic, [r.offset for r in frame]) for topic, frame in joined(frames, 4)]
    assert found == [("klok", [3]), ("a", [0, 1, 2, 5]), ("b", [7, 9, 10])]
    few = [(topic, [r.offset for r in frame]) for topic, frame in joined(frames, 3)]
    assert few == [("klok", [3]), ("a", [0, 1, 2]), ("b", [7, 9, 10]), ("a", [5])], "no frame grows beyond so many"


def test_a_frame_of_which_a_part_is_done_already_is_left_by_itself() -> None:
    """As one with the frame before, it would bring back what is done."""
    done, partly, next_one = (run_of([SourceRecord(b"k", b"v", n) for n in offsets]) for offsets in (range(4), range(4, 8), range(8, 10)))
    rest = partly.since(6)
    assert rest is not None
    found = joined([("a", done), ("a", rest), ("a", next_one)], 100)
    assert [[r.offset for r in run] for _, run in found] == [[0, 1, 2, 3], [6, 7, 8, 9]]
