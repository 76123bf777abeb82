"""C2SP signed notes with Ed25519: keys, signatures, and the timestamped cosignatures of those who countersign a checkpoint.

https://c2sp.org/signed-note and https://c2sp.org/tlog-cosignature.
"""

import base64
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LOG: Final = 1  # the note's text is signed
COSIGNER: Final = 4  # a time and the note's text are signed
_PRIVATE: Final = "PRIVATE+KEY+"
_MOST_SIGNATURES: Final = 100
_NAME: Final = re.compile(r"[^\s+\x00-\x1f\x7f]+")
_LINE: Final = re.compile(rf"— ({_NAME.pattern}) ([A-Za-z0-9+/=]+)")


class NoteError(Exception):
    """A key, a note or a signature is not what it should be; the text says what is wrong."""


class Signature(NamedTuple):
    """A line below a note; whose it is, is known once it is verified."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        """The line, with its end."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True)
class Note:
    """A text, which ends with a newline, and the signatures below it."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.text}\n{''.join(map(str, self.signatures))}"


@dataclass(frozen=True)
class Verifier:
    """A public key under a name; ``str`` is its vkey."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def of(cls, vkey: str) -> Self:
        """The key that a vkey states; raises NoteError."""
        name, key_id, kind, public = _key_parts(vkey.strip())
        found = cls(name, kind, public)
        if found.key_id.hex() != key_id:
            raise NoteError(f"the key of {name} has another id than it says")
        return found

    def __str__(self) -> str:
        """``<name>+<key id>+<kind and public key>``."""
        return _key_text(self.name, self.key_id, self.kind, self.public)

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell keys of one name apart."""
        return sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.public).digest()[:4]

    def renamed(self, name: str) -> Self:
        """The same key under another name."""
        return type(self)(name, self.kind, self.public)

    def find(self, note: Note) -> Signature | None:
        """The signature of this key below a note, or None; raises NoteError when it is not a good one."""
        for s in note.signatures:
            if (s.name, s.key_id) == (self.name, self.key_id):
                self._check(note.text, s)
                return s
        return None

    def _check(self, text: str, signature: Signature) -> None:
        raw = signature.signature
        signed = text.encode()
        if self.kind == COSIGNER:
            signed, raw = _cosigned(int.from_bytes(raw[:8]), text), raw[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(raw, signed)
        except InvalidSignature as e:
            raise NoteError(f"the signature of {self.name} does not belong to this text") from e


@dataclass(frozen=True, repr=False)
class Signer:
    """A private key under a name."""

    name: str
    kind: int
    private: Ed25519PrivateKey

    @classmethod
    def new(cls, name: str, kind: int) -> Self:
        """A key that nobody had before; raises NoteError when a key may not have this name."""
        if not _NAME.fullmatch(name):
            raise NoteError("the name of a key holds no spaces and no plus, and is not empty: such as knooppunt.example/log")
        return cls(name, kind, Ed25519PrivateKey.generate())

    @classmethod
    def of(cls, text: str) -> Self:
        """The key that ``secret`` wrote; raises NoteError, which holds nothing of it."""
        if not text.startswith(_PRIVATE):
            raise NoteError("this is no private key")
        name, key_id, kind, seed = _key_parts(text.strip().removeprefix(_PRIVATE))
        found = cls(name, kind, Ed25519PrivateKey.from_private_bytes(seed))
        if found.verifier.key_id.hex() != key_id:
            raise NoteError(f"the private key of {name} has another id than it says")
        return found

    @property
    def secret(self) -> str:
        """The key as a line of text, for a file that nobody else reads."""
        return _PRIVATE + _key_text(self.name, self.verifier.key_id, self.kind, self.private.private_bytes_raw())

    @property
    def verifier(self) -> Verifier:
        """Its public key."""
        return Verifier(self.name, self.kind, self.private.public_key().public_bytes_raw())

    def renamed(self, name: str) -> Self:
        """The same key under another name."""
        return type(self)(name, self.kind, self.private)

    def sign(self, text: str, time: int = 0) -> Signature:
        """Below a note with ``text``; a cosigner says at what ``time``, in seconds since the epoch."""
        if self.kind == COSIGNER:
            return Signature(self.name, self.verifier.key_id, time.to_bytes(8) + self.private.sign(_cosigned(time, text)))
        return Signature(self.name, self.verifier.key_id, self.private.sign(text.encode()))


def in_base64(text: str) -> bytes:
    """What ``text`` stands for; empty when it is not base64 as it would be written."""
    try:
        found = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return found if base64.b64encode(found).decode() == text else b""


def note_of(data: bytes) -> Note:
    """A note as it was written, with no signature verified; raises NoteError."""
    try:
        written = data.decode()
    except UnicodeDecodeError as e:
        raise NoteError("a note is UTF-8") from e
    text, separator, below = written.rpartition("\n\n")
    lines = below.split("\n")
    if not separator or lines.pop() != "" or not lines or len(lines) > _MOST_SIGNATURES:
        raise NoteError("a note ends with signatures")
    if any(c < " " and c != "\n" for c in written):
        raise NoteError("a note holds no control characters")
    return Note(f"{text}\n", tuple(map(_signature_of, lines)))


def _signature_of(line: str) -> Signature:
    found = _LINE.fullmatch(line)
    raw = in_base64(found[2]) if found else b""
    if found is None or len(raw) <= 4:
        raise NoteError("a line below a note is no signature")
    return Signature(found[1], raw[:4], raw[4:])


def _cosigned(time: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def _key_text(name: str, key_id: bytes, kind: int, key: bytes) -> str:
    return f"{name}+{key_id.hex()}+{base64.b64encode(bytes([kind]) + key).decode()}"


def _key_parts(text: str) -> tuple[str, str, int, bytes]:
    name, key_id, encoded = [*text.split("+", 2), "", ""][:3]
    key = in_base64(encoded)
    if not _NAME.fullmatch(name) or len(key) != 33 or key[0] not in {LOG, COSIGNER}:
        raise NoteError("this is no Ed25519 key as <name>+<id>+<key>")
    return name, key_id, key[0], key[1:]
