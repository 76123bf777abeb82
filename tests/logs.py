"""The logs of a world without a Kafka, signed as a node would."""

from pathlib import Path
from typing import Any

from schemas.checkpoints import CHECKPOINTS
from streams.proof import signing
from streams.proof.checkpoint import Keys, Log
from streams.proof.grown import GrowingLog, is_logged
from streams.proof.note import COSIGNER, LOG, Note, Signer
from streams.proof.published import Published
from tests.kept import APP, World

SIGNER = Signer.new("knooppunt.example/log", LOG)
COSIGNER_OF_AMSTERDAM = Signer.new("amsterdam.example/signalen", COSIGNER)


def sign_world(world: World, folder: Path, published: Published) -> None:
    """Bring the logs up to date with the world, and put their checkpoints on its topic."""
    for (topic, partition), rows in sorted(world.log.items()):
        if not is_logged(topic, APP):
            continue
        log = GrowingLog(folder, Log(topic, partition), SIGNER.verifier)
        for row in rows:
            if row.offset >= log.next:
                log.take(row)
        log.close()
        known = published.checkpoint(log.origin)
        signing._sign(log, SIGNER, known)
        if log.checkpoint != known:
            headers: Any = [signing._consistency(log, published)]
            world.append(CHECKPOINTS, 0, log.origin.encode(), str(log.note).encode(), headers)
            published.take(str(log.note).encode(), headers, Keys(SIGNER.verifier))


def cosigned(note: Note, time: int = 1_790_000_000) -> Note:
    """As Amsterdam countersigns it."""
    return Note(note.text, (*note.signatures, COSIGNER_OF_AMSTERDAM.sign(note.text, time)))
