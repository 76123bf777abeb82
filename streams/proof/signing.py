"""Signs what the logs have come to, and publishes it: no checkpoint that does not go on from the one before."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer

from schemas.brokers import client_options
from schemas.checkpoints import CHECKPOINTS, CONSISTENCY
from streams.audit.committed import StalledError, committed_of
from streams.proof.checkpoint import Checkpoint, Keys
from streams.proof.grown import GrowingLog, LogError, grow, is_logged, only_writer, read_checkpoints
from streams.proof.merkle import consistency_proof
from streams.proof.note import Note, Signer, Verifier, note_of
from streams.proof.published import Known, Published, consistency_text

_PATIENCE: Final = 60.0  # seconds without an answer after which Kafka counts as gone


@dataclass
class Signed:
    """What a run came to."""

    records: int = 0  # leaves that were added
    logs: int = 0
    published: int = 0  # checkpoints
    lost: list[str] = field(default_factory=list)  # places that Kafka no longer had, and the log not yet
    faults: list[str] = field(default_factory=list)  # what is wrong on the topic of the checkpoints


async def sign_logs(
    brokers: str,
    folder: Path,
    signer: Signer,
    cosigners: Sequence[Verifier],
    toepassing: str,
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> Signed:
    """Let the logs in ``folder`` grow with what Kafka holds, sign their checkpoints and publish those that the topic has not.

    What the ``cosigners`` have signed is kept beside them. Raises LogError, NoteError, and aiokafka's errors.
    """
    report = Signed()
    with only_writer(folder):
        published = Published.load(folder)
        try:
            async with committed_of(brokers) as committed:
                topics = await committed.topics()
                if CHECKPOINTS not in topics:
                    raise LogError(f"the cluster has no topic {CHECKPOINTS}: 'topics apply' makes it")
                report.faults = await read_checkpoints(committed, published, Keys(signer.verifier, cosigners))
                logged = sorted(t for t in topics if is_logged(t, toepassing))
                logs, report.lost = await grow(committed, folder, signer.verifier, logged, told)
        except StalledError as e:
            raise LogError(str(e)) from e
        os.sync()  # the tiles of all logs at once; a checkpoint may name them from here on
        report.logs, report.records = len(logs), sum(log.size - log.checkpoint.size for log in logs)
        for log in logs:
            _sign(log, signer, published.checkpoint(log.origin))
        for log in logs:
            if (known := published.known.get(log.origin)) is not None and known.countersigned is not None:
                log.keep_countersigned(note_of(known.countersigned.encode()))
        report.published = await _publish(brokers, logs, published)
        published.save(folder)
    return report


def _sign(log: GrowingLog, signer: Signer, known: Checkpoint | None) -> None:
    """A checkpoint of all leaves, kept beside them; raises LogError when it would not go on from the one that is published."""
    if known is not None and (log.size < known.size or log.tiles.root(known.size) != known.root):
        raise LogError(f"{log.origin}: what Kafka holds does not go on from the checkpoint of size {known.size}: nothing was signed")
    if log.size > log.checkpoint.size:
        checkpoint = Checkpoint(log.origin, log.size, log.tiles.root(log.size))
        log.keep(Note(checkpoint.text, (signer.renamed(log.origin).sign(checkpoint.text),)), checkpoint)


async def _publish(brokers: str, logs: Sequence[GrowingLog], published: Published) -> int:
    """Send the checkpoints that the topic has not."""
    new = [log for log in logs if published.checkpoint(log.origin) != log.checkpoint]
    rows = [(log.origin.encode(), str(log.note).encode(), [_consistency(log, published)]) for log in new]
    await send_notes(brokers, rows)
    for log in new:
        before = published.known.get(log.origin)
        published.known[log.origin] = Known(
            log.checkpoint.size, log.checkpoint.root, str(log.note), None if before is None else before.countersigned
        )
    return len(new)


def _consistency(log: GrowingLog, published: Published) -> tuple[str, bytes]:
    known = published.checkpoint(log.origin)
    old = known.size if known else 0
    return CONSISTENCY, consistency_text(old, consistency_proof(old, log.checkpoint.size, log.tiles.hash_of)).encode()


async def send_notes(brokers: str, rows: Sequence[tuple[bytes, bytes, list[tuple[str, bytes]]]]) -> None:
    """Put (origin, note, headers) on the topic of the checkpoints; raises LogError when Kafka does not take them, and aiokafka's errors."""
    if not rows:
        return
    producer = AIOKafkaProducer(**client_options(brokers), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        async with asyncio.timeout(_PATIENCE):
            sent = [await producer.send(CHECKPOINTS, value, key, partition=0, headers=headers) for key, value, headers in rows]
            await asyncio.gather(*sent)
    except TimeoutError as e:
        raise LogError(f"Kafka did not take the checkpoints within {_PATIENCE:g} s: the next run sends them") from e
    finally:
        await producer.stop()
