"""Countersigns checkpoints: an ontvanger says that the log of its signals holds what it received, and that logs only grow."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from streams.audit.committed import StalledError, committed_of
from streams.proof.checkpoint import Keys
from streams.proof.grown import GrowingLog, LogError, grow, only_writer, read_checkpoints
from streams.proof.note import Note, Signer, Verifier, note_of
from streams.proof.published import Published
from streams.proof.signing import send_notes


@dataclass
class Cosigned:
    """What a run came to."""

    own: list[str] = field(default_factory=list)  # origins of the cosigner's own topic: each holds what Kafka gave
    others: list[str] = field(default_factory=list)  # of logs that were seen to grow only
    faults: list[str] = field(default_factory=list)  # what was not countersigned, and why


async def cosign_logs(
    brokers: str, folder: Path, cosigner: Signer, signer: Verifier, topic: str, *, everything: bool, time: int
) -> Cosigned:
    """Countersign the newest checkpoint of each partition of ``topic`` that its records make, worked out anew in ``folder``.

    With ``everything`` also those of all other logs whose checkpoints go on from one another. ``time``: now, in seconds since the
    epoch. Raises LogError, NoteError, and aiokafka's errors.
    """
    report = Cosigned()
    with only_writer(folder):
        published = Published.load(folder)
        try:
            async with committed_of(brokers) as committed:
                report.faults += await read_checkpoints(committed, published, Keys(signer, (cosigner.verifier,)))
                logs, lost = await grow(committed, folder, signer, [topic])
        except StalledError as e:
            raise LogError(str(e)) from e
        report.faults += [f"{place}: Kafka no longer has these offsets, and this log never had them" for place in lost]
        own = {log.origin: log for log in logs}
        fit = {
            o: k for o, k in published.known.items() if (o in own and _is_mine(own[o], published, report)) or (everything and o not in own)
        }
        notes = {o: note for o, k in fit.items() if (note := _countersigned(note_of(k.note.encode()), cosigner, time)) is not None}
        await send_notes(brokers, [(origin.encode(), str(note).encode(), []) for origin, note in notes.items()])
        os.sync()  # the tiles at once; what follows names them
        for origin, note in notes.items():
            published.known[origin].note = str(note)
            if origin in own and (checkpoint := published.checkpoint(origin)) is not None:
                own[origin].keep(note, checkpoint)
        published.save(folder)
    report.own, report.others = sorted(notes.keys() & own.keys()), sorted(notes.keys() - own.keys())
    return report


def _is_mine(log: GrowingLog, published: Published, report: Cosigned) -> bool:
    """Whether the records that Kafka gave make the newest checkpoint of their log."""
    known = published.checkpoint(log.origin)
    if known is not None and log.size >= known.size and log.tiles.root(known.size) == known.root:
        return True
    if known is not None:
        report.faults.append(f"{log.origin}: what Kafka holds does not make the checkpoint of size {known.size}")
    return False


def _countersigned(note: Note, cosigner: Signer, time: int) -> Note | None:
    """The note with one signature more; None when the cosigner has signed it already."""
    if cosigner.verifier.find(note) is not None:
        return None
    return Note(note.text, (*note.signatures, cosigner.sign(note.text, time)))
