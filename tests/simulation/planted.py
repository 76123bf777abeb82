"""Bugs planted on purpose, each a way in which such an engine has gone wrong before; the simulation must find every one of them."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any, NamedTuple
from unittest.mock import patch

from aiokafka import TopicPartition
from aiokafka.errors import KafkaTimeoutError

from streams.core import diff as diff_module
from streams.core import pairs
from streams.effects import Effects
from streams.encoded import rows_in
from streams.engine import Engine
from streams.fold import Folder
from streams.group import GroupOffsets
from streams.log import PartitionLog
from streams.partition import Partition
from streams.records import run_of
from streams.settings import EngineSettings
from streams.store import PartitionStore
from tests.simulation import clients
from tests.simulation.process import PARTITIES

MISSING = "signals are missing"
DOUBLE = "versie 1 of a signal comes after 1"
UNACCOUNTED = "are accounted for"


class Planted(NamedTuple):
    """A bug, and what somebody outside would see of it in the end."""

    context: Callable[[], AbstractContextManager[Any]]
    seen: str  # regular expression


PLANTED: dict[str, Planted] = {}


def _bug(name: str, seen: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    def register(context: Callable[[], Any]) -> Callable[[], Any]:
        PLANTED[name] = Planted(context, seen)
        return context

    return register


async def _transaction(log: PartitionLog, rows: Any, offsets: Any, *, notice: bool = True) -> None:
    """A transaction of some effects only."""
    producer = log._producer
    await producer.begin_transaction()
    sent = []
    for (topic, partition), found in rows.items():
        for key, value, headers in rows_in(found):
            batch = producer.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=headers)
            sent.append(await producer.send_batch(batch, topic, partition=partition))
    if offsets:
        tps = {TopicPartition(t, p): o for (t, p), o in offsets.items()}
        await producer.send_offsets_to_transaction(tps, log._settings.toepassing)
    await asyncio.gather(*sent, return_exceptions=not notice)
    await producer.commit_transaction()


def _changelog(log: PartitionLog, effects: Effects, store: PartitionStore) -> Any:
    return {(log._settings.changelog, log._partition): [(k, v, []) for k, v in store.rows_of(effects).items()]}


def _commits(commit: Callable[..., Any]) -> AbstractContextManager[Any]:
    return patch.object(PartitionLog, "commit", commit)


@_bug("state before signals", MISSING)
def _state_first() -> AbstractContextManager[Any]:
    async def commit(self: PartitionLog, effects: Effects, store: PartitionStore, rows: Any) -> None:
        await _transaction(self, _changelog(self, effects, store), {})
        store.apply(effects)
        await _transaction(self, effects.routed(PARTITIES), effects.offsets)

    return _commits(commit)


@_bug("offset before state", MISSING)
def _offset_first() -> AbstractContextManager[Any]:
    async def commit(self: PartitionLog, effects: Effects, store: PartitionStore, rows: Any) -> None:
        await _transaction(self, {}, effects.offsets)
        await _transaction(self, {**effects.routed(PARTITIES), **_changelog(self, effects, store)}, {})
        store.apply(effects)

    return _commits(commit)


@_bug("zombie write accepted", MISSING)
def _no_fencing() -> AbstractContextManager[Any]:
    names = count()
    return patch.object(EngineSettings, "transactional_id", lambda self, partition: f"{self.toepassing}-{partition}-{next(names)}")


@_bug("duplicate version", DOUBLE)
def _same_version() -> AbstractContextManager[Any]:
    honest = diff_module.diff

    def diff(*args: Any) -> Iterator[Any]:
        for change in honest(*args):
            sent = change.sent
            again = type(sent)(sent.dienst, sent.ontvanger, sent.basis, max(1, sent.versie - 1), sent.content)
            yield change._replace(sent=again) if change.soort == "GEWIJZIGD" else change

    return patch.object(pairs, "diff", diff)


def _folds(change: Callable[[Any, Effects], None], *, tail: int | None = None) -> AbstractContextManager[Any]:
    honest = Folder.fold

    def fold(self: Folder, read: Any, partition: int, frames: Any) -> Effects:
        effects = honest(self, read, partition, [(t, run_of(list(run)[:tail]) if len(run) > 1 else run) for t, run in frames])
        change(frames, effects)
        return effects

    return patch.object(Folder, "fold", fold)


@_bug("dropped frame tail", MISSING)
def _tail_dropped() -> AbstractContextManager[Any]:
    def whole(frames: Any, effects: Effects) -> None:
        for topic, run in frames:
            for known, partition in list(effects.offsets):
                if known == topic:
                    effects.offsets[topic, partition] = run.following

    return _folds(whole, tail=-1)


@_bug("only the first record of a frame is committed", "never comes to rest")
def _first_only() -> AbstractContextManager[Any]:
    def first(frames: Any, effects: Effects) -> None:
        for topic, run in reversed(list(frames)):
            for known, partition in list(effects.offsets):
                if known == topic:
                    effects.offsets[topic, partition] = run.start + 1

    return _folds(first)


@_bug("restore reads uncommitted rows", MISSING)
def _uncommitted() -> AbstractContextManager[Any]:
    honest = clients.Consumer.__init__

    def init(self: Any, process: Any, **options: Any) -> None:
        honest(self, process, **{**options, "isolation_level": "read_uncommitted"})

    return patch.object(clients.Consumer, "__init__", init)


@_bug("meta counts applied twice", UNACCOUNTED)
def _twice() -> AbstractContextManager[Any]:
    honest = PartitionStore.apply

    def apply(self: PartitionStore, effects: Effects) -> None:
        honest(self, effects)
        self.meta = self.meta.add(effects.counts, effects.klok, {})

    return patch.object(PartitionStore, "apply", apply)


def _applies_early() -> AbstractContextManager[Any]:
    honest = PartitionLog.commit

    class Applied:
        """The store, whose effects are taken over already."""

        def __init__(self, store: PartitionStore) -> None:
            self.position = store.position

        def apply(self, _: Effects) -> None:
            """Done before."""

    async def commit(self: PartitionLog, effects: Effects, store: PartitionStore, rows: Any) -> None:
        store.apply(effects)
        early: Any = Applied(store)
        await honest(self, effects, early, rows)
        store.position = early.position

    return _commits(commit)


@_bug("store ahead of the log is not dropped after fencing", f"{MISSING}|{UNACCOUNTED}")
@contextmanager
def _kept() -> Iterator[None]:
    """Each alone is harmless: a store that is dropped may run ahead, one that does not run ahead may be kept."""
    honest = Engine.revoked

    async def revoked(self: Engine) -> None:
        stores = dict(self._stores)
        await honest(self)
        self._stores = stores

    with _applies_early(), patch.object(Engine, "revoked", revoked):
        yield


@_bug("a lost answer is taken for a failure and the commit tried again", "comes after|are in quarantine")
def _again() -> AbstractContextManager[Any]:
    honest = PartitionLog.commit

    async def commit(self: PartitionLog, effects: Effects, store: PartitionStore, rows: Any) -> None:
        try:
            await honest(self, effects, store, rows)
        except KafkaTimeoutError:
            self._producer._open = False
            await honest(self, effects, store, rows)

    return _commits(commit)


@_bug("a rejected batch does not fail the transaction", MISSING)
def _unnoticed() -> AbstractContextManager[Any]:
    async def commit(self: PartitionLog, effects: Effects, store: PartitionStore, rows: Any) -> None:
        await _transaction(self, {**effects.routed(PARTITIES), **_changelog(self, effects, store)}, effects.offsets, notice=False)
        store.apply(effects)

    return _commits(commit)


@_bug("redelivered records are taken again", UNACCOUNTED)
def _seen() -> AbstractContextManager[Any]:
    return patch.object(Partition, "_unseen", lambda self, frames: frames)


@_bug("offsets are read before the other owner is fenced", UNACCOUNTED)
def _offsets_early() -> AbstractContextManager[Any]:
    honest = PartitionLog.open

    async def opened(self: PartitionLog, store: PartitionStore) -> Any:
        known = await self._committed()

        async def committed() -> Any:
            return known

        with patch.object(self, "_committed", committed):
            return await honest(self, store)

    return patch.object(PartitionLog, "open", opened)


@_bug("the group is believed, which does not know all that is done", UNACCOUNTED)
def _believed() -> AbstractContextManager[Any]:
    honest = GroupOffsets.__init__

    def init(self: GroupOffsets, known: Any, taken: Any, interval: float) -> None:
        honest(self, known, dict.fromkeys(taken, 0), interval)

    return patch.object(GroupOffsets, "__init__", init)


@_bug("the group is never told what it does not know yet", "never comes to rest")
def _untold() -> AbstractContextManager[Any]:
    async def tell_group(self: PartitionLog) -> None:
        """Nothing."""

    return patch.object(PartitionLog, "tell_group", tell_group)


@_bug("a topic that the group does not know yet waits to be told", UNACCOUNTED)
def _waiting() -> AbstractContextManager[Any]:
    honest = GroupOffsets.due

    def due(self: GroupOffsets, offsets: Any, now: float) -> Any:
        return honest(self, {tp: o for tp, o in offsets.items() if tp in self._known} if self._told is not None else offsets, now)

    return patch.object(GroupOffsets, "due", due)
