"""What the topic of the checkpoints says: of each log its newest checkpoint, each shown to be the beginning of the next."""

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from schemas.checkpoints import CONSISTENCY
from schemas.disk import write_whole
from streams.proof.checkpoint import Checkpoint, Keys, checkpoint_of, opened
from streams.proof.merkle import verify_consistency
from streams.proof.note import Note, NoteError, Verifier, in_base64, note_of

SEEN: Final = "seen.json"
_MOST_HASHES: Final = 63  # of a proof, as C2SP's witnesses take it


class Known(msgspec.Struct):
    """The newest checkpoint of a log, with the signatures that were verified."""

    size: int
    root: bytes
    note: str
    countersigned: str | None = None  # the newest that one of the trusted cosigners has signed, this one or an earlier


class Published(msgspec.Struct):
    """What one who reads the topic from its beginning knows; kept in a file, so that nothing is read twice."""

    next: int = 0  # offset on the topic
    known: dict[str, Known] = {}  # by origin

    @classmethod
    def load(cls, folder: Path) -> "Published":
        """What ``save`` kept there, or nothing yet; raises NoteError."""
        try:
            return msgspec.json.decode((folder / SEEN).read_bytes(), type=cls)
        except FileNotFoundError:
            return cls()
        except (OSError, msgspec.MsgspecError) as e:
            raise NoteError(f"{folder / SEEN}: {e}") from e

    def save(self, folder: Path) -> None:
        """Keep it."""
        write_whole(folder / SEEN, msgspec.json.encode(self))

    def take(self, value: bytes | None, headers: Iterable[tuple[str, bytes | None]], keys: Keys) -> None:
        """The next record of the topic; raises NoteError when it is no checkpoint of the signer, or does not go on from the one before."""
        note = note_of(value or b"")
        found = opened(note, keys.signer)
        note = keys.trusted(note)
        known = self.known.get(found.origin)
        if known is not None and found.size < known.size:  # countersigned after the log had gone on
            known.countersigned = _newest(known.countersigned, note)
            return
        if known is not None and found.size > known.size:
            old, proof = consistency_of(dict(headers).get(CONSISTENCY) or b"")
            if old != known.size or not verify_consistency(old, found.size, known.root, found.root, proof):
                raise NoteError(f"{found.origin}: nothing shows that its size {known.size} is the beginning of its size {found.size}")
        elif known is not None and found.root != known.root:
            raise NoteError(f"{found.origin}: two checkpoints of size {found.size} have different roots")
        elif known is not None:
            note = _with(note_of(known.note.encode()), note)
        countersigned = _newest(None if known is None else known.countersigned, note)
        self.known[found.origin] = Known(found.size, found.root, str(note), countersigned)

    def checkpoint(self, origin: str) -> Checkpoint | None:
        """The newest of a log."""
        known = self.known.get(origin)
        return None if known is None else Checkpoint(origin, known.size, known.root)


def claims(key: bytes | None, signer: Verifier) -> bool:
    """Whether a record of the topic says to be a checkpoint of ``signer``; anybody may write there, and others' are passed over."""
    return key is not None and key.startswith(f"{signer.name}/".encode())


def consistency_text(old: int, proof: Sequence[bytes]) -> str:
    """A proof of consistency from size ``old``, in the form of C2SP tlog-witness: lines before an empty line and the checkpoint."""
    return f"old {old}\n" + "".join(f"{base64.b64encode(h).decode()}\n" for h in proof)


def consistency_of(data: bytes) -> tuple[int, list[bytes]]:
    """The other way round: the old size, and the hashes; raises NoteError."""
    first, *rest = data.decode(errors="replace").removesuffix("\n").split("\n")[: _MOST_HASHES + 2]
    word, _, number = first.partition(" ")
    if word != "old" or not (number.isascii() and number.isdigit()) or len(number) > 19:
        raise NoteError("a proof of consistency begins with the old size")
    return int(number), hashes_in(rest)


def hashes_in(lines: Sequence[str]) -> list[bytes]:
    """The hashes of a proof, a line each in base64; raises NoteError."""
    hashes = list(map(in_base64, lines))
    if len(hashes) > _MOST_HASHES or any(len(h) != 32 for h in hashes):
        raise NoteError(f"a proof has at most {_MOST_HASHES} hashes of 32 bytes, in base64")
    return hashes


def _newest(countersigned: str | None, note: Note) -> str | None:
    """The larger of two checkpoints, of which only a countersigned one counts."""
    if len(note.signatures) == 1:
        return countersigned
    if countersigned is not None and checkpoint_of(note_of(countersigned.encode()).text).size > checkpoint_of(note.text).size:
        return countersigned
    return str(note)


def _with(note: Note, other: Note) -> Note:
    """The signatures below either, one of each key."""
    signatures = {(s.name, s.key_id): s for s in (*other.signatures, *note.signatures)}
    return Note(note.text, tuple(signatures.values()))
