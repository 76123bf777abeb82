"""Proofs as files that are verified offline: C2SP tlog-proof for a record, and the form of C2SP tlog-witness between two checkpoints.

https://c2sp.org/tlog-proof. Its ``extra`` line carries the entry of the log and, unless it is left out, the record: what is hashed.
"""

import base64
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from streams.proof.checkpoint import Checkpoint, Keys, checkpoint_of, opened
from streams.proof.entry import ENTRY_BYTES, Entry
from streams.proof.merkle import consistency_proof, inclusion_proof, leaf_hash, verify_consistency, verify_inclusion
from streams.proof.note import Note, NoteError, in_base64, note_of
from streams.proof.published import consistency_of, consistency_text, hashes_in
from streams.proof.tiles import Tiles

_FIRST: Final = "c2sp.org/tlog-proof@v1"


class Proven(NamedTuple):
    """What a file proves."""

    checkpoint: Checkpoint
    cosigners: list[str]
    old: int | None = None  # the size of an earlier checkpoint that this one goes on from
    entry: Entry | None = None  # or what the log says of a record
    record: bytes | None = None  # which this is, as ``stored`` made it


def inclusion_file(tiles: Tiles, note: Note, index: int, record: bytes | None) -> str:
    """The proof that the log of a checkpoint has this record at an index; raises NoteError, TilesError."""
    checkpoint = checkpoint_of(note.text)
    entry = tiles.entry(index).data
    proof = inclusion_proof(index, checkpoint.size, tiles.hash_of)
    lines = [_FIRST, f"extra {_encoded(entry + (record or b''))}", f"index {index}", *map(_encoded, proof)]
    return "\n".join(lines) + f"\n\n{note}"


def consistency_file(tiles: Tiles, note: Note, old: int) -> str:
    """The proof that a checkpoint goes on from the first ``old`` leaves; raises NoteError, TilesError."""
    return f"{consistency_text(old, consistency_proof(old, checkpoint_of(note.text).size, tiles.hash_of))}\n{note}"


def proven(data: bytes, keys: Keys, since: Note | None = None) -> Proven:
    """What the content of a proof file proves; raises NoteError when it proves nothing.

    ``since``: the earlier checkpoint, where the proof goes on from one.
    """
    above, separator, below = data.partition(b"\n\n")
    if not separator:
        raise NoteError("a proof ends with a checkpoint")
    note = note_of(below)
    checkpoint = opened(note, keys.signer)
    lines = above.decode(errors="replace").split("\n")
    if lines[0] == _FIRST:
        return _included(lines[1:], checkpoint, keys.countersigned(note))
    old, proof = consistency_of(above)
    if since is None:
        raise NoteError(f"this proof goes on from a checkpoint of size {old}: it is needed too")
    before = opened(since, keys.signer)
    if (before.origin, before.size) != (checkpoint.origin, old):
        raise NoteError(f"this proof goes on from size {old} of {checkpoint.origin}, not from size {before.size} of {before.origin}")
    if not verify_consistency(old, checkpoint.size, before.root, checkpoint.root, proof):
        raise NoteError(f"size {old} of {checkpoint.origin} is not the beginning of its size {checkpoint.size}")
    return Proven(checkpoint, keys.countersigned(note), old=old)


def _included(lines: Sequence[str], checkpoint: Checkpoint, cosigners: list[str]) -> Proven:
    extra = in_base64(_after("extra", lines[0] if lines else ""))
    index = _after("index", lines[1] if len(lines) > 1 else "")
    if len(extra) < ENTRY_BYTES or not (index.isascii() and index.isdigit()) or len(index) > 19:
        raise NoteError("a proof of inclusion says which entry it is about, and its index")
    entry, record = Entry.of(extra[:ENTRY_BYTES]), extra[ENTRY_BYTES:] or None
    if record is not None and sha256(record).digest() != entry.digest:
        raise NoteError("the record in this proof is not the one that was logged")
    if not verify_inclusion(leaf_hash(entry.data), int(index), checkpoint.size, checkpoint.root, hashes_in(lines[2:])):
        raise NoteError(f"this entry is not at index {index} of {checkpoint.origin} with size {checkpoint.size}")
    return Proven(checkpoint, cosigners, entry=entry, record=record)


def _after(word: str, line: str) -> str:
    found, _, rest = line.partition(" ")
    return rest if found == word else ""


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
