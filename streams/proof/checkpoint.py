"""C2SP checkpoints: how large the tree of a log was and what its root was, as its signer states it. https://c2sp.org/tlog-checkpoint.

Each partition of a topic has a log of its own. Its origin is the signer's name, the topic and the partition; the signer's key signs for it
under that name.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from streams.proof.note import Note, NoteError, Verifier, in_base64

_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


class Log(NamedTuple):
    """The partition of a topic that a log is kept of."""

    topic: str
    partition: int

    def __str__(self) -> str:
        """For people, and the end of its origin."""
        return f"{self.topic}/{self.partition}"

    def origin(self, name: str) -> str:
        """What its checkpoints call it, when ``name`` is that of the signer."""
        return f"{name}/{self}"


def log_of(name: str, origin: str) -> Log | None:
    """The log of the signer ``name`` that has this origin, or None when that is of another signer."""
    begin, _, rest = origin.removeprefix(f"{name}/").rpartition("/")
    found = Log(begin, int(rest)) if rest.isascii() and rest.isdigit() else None
    return found if found is not None and found.origin(name) == origin else None


class Checkpoint(NamedTuple):
    """The state of a log."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The text of its note."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def checkpoint_of(text: str) -> Checkpoint:
    """What the text of a note states; raises NoteError."""
    origin, size, root = [*text.split("\n"), "", "", ""][:3]
    decoded = in_base64(root)
    found = Checkpoint(origin, int(size) if _SIZE.fullmatch(size) else -1, decoded)
    if not origin or found.size < 0 or len(decoded) != 32 or found.text != text:
        raise NoteError("this is no checkpoint: origin, size and root, each on a line")
    return found


@dataclass(frozen=True)
class Keys:
    """Whom one trusts who judges checkpoints."""

    signer: Verifier
    cosigners: Sequence[Verifier] = ()

    def countersigned(self, note: Note) -> list[str]:
        """The cosigners who have signed a note; raises NoteError when a signature of one of them is not a good one."""
        return [c.name for c in self.cosigners if c.find(note) is not None]

    def trusted(self, note: Note) -> Note:
        """A checkpoint of the signer without the signatures of others than the cosigners; raises NoteError as ``countersigned`` does."""
        signer = self.signer.renamed(checkpoint_of(note.text).origin)
        found = (key.find(note) for key in (signer, *self.cosigners))
        return Note(note.text, tuple(s for s in found if s is not None))


def opened(note: Note, signer: Verifier) -> Checkpoint:
    """The checkpoint in a note, which ``signer`` has signed as the log's; raises NoteError."""
    found = checkpoint_of(note.text)
    if log_of(signer.name, found.origin) is None:
        raise NoteError(f"{found.origin} is no log of {signer.name}")
    if signer.renamed(found.origin).find(note) is None:
        raise NoteError(f"{found.origin}, size {found.size}: {signer.name} has not signed it")
    return found
