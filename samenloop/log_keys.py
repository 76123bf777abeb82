"""The keys of logs and of those who countersign them, in files: the private one for its owner's eyes only, the public one for all."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from samenloop.errors import NotDoneError
from streams.proof.checkpoint import Keys
from streams.proof.note import COSIGNER, LOG, Note, NoteError, Signer, Verifier, note_of

KeyOption = Annotated[Path, typer.Option(help="File with the private key, which 'log key' made.")]
LogKeyOption = Annotated[str, typer.Option(help="Public key of who signs the logs: a vkey, or a file with it.")]
CosignerOption = Annotated[
    list[str] | None,
    typer.Option("--cosigner", help="Public key of one who countersigns, or a file with one on each line; may be repeated."),
]


def make_key(name: str, file: Path, *, cosigner: bool) -> Verifier:
    """A new key pair in ``file`` and ``file``.pub; its public key. Raises NotDoneError, also when there is a key already."""
    try:
        signer = Signer.new(name, COSIGNER if cosigner else LOG)
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as f:
            f.write(f"{signer.secret}\n")
        public_of(file).write_text(f"{signer.verifier}\n")
    except FileExistsError as e:
        raise NotDoneError(f"{file}: there is a key already; a log keeps its key") from e
    except OSError as e:
        raise NotDoneError(f"{file}: {e.strerror}") from e
    except NoteError as e:
        raise NotDoneError(str(e)) from e
    return signer.verifier


def public_of(file: Path) -> Path:
    """Where the public key beside a private one stands."""
    return file.with_name(f"{file.name}.pub")


def signer_in(file: Path, *, cosigner: bool) -> Signer:
    """The private key in a file; raises NotDoneError, also when others may read it or it is of the other kind."""
    try:
        if file.stat().st_mode & 0o077:
            raise NotDoneError(f"{file}: others than its owner may read or change it: 'chmod 600' it, or make another")
        signer = Signer.of(file.read_text())
    except OSError as e:
        raise NotDoneError(f"{file}: {e.strerror}") from e
    except (NoteError, UnicodeDecodeError) as e:
        raise NotDoneError(f"{file}: this is no private key") from e
    if (signer.kind == COSIGNER) != cosigner:
        kind = "countersigns" if signer.kind == COSIGNER else "signs logs"
        raise NotDoneError(f"{file}: this key {kind}, and nothing else")
    return signer


def verifier_of(vkey: str, kind: int) -> Verifier:
    """The public key that is given, or that stands in the file that is named; raises NotDoneError."""
    try:
        found = Verifier.of(Path(vkey).read_text() if "+" not in vkey else vkey)
    except OSError as e:
        raise NotDoneError(f"{vkey}: {e.strerror}") from e
    except (NoteError, UnicodeDecodeError) as e:
        raise NotDoneError(f"{vkey}: this is no public key") from e
    if found.kind != kind:
        raise NotDoneError(f"{found.name}: this is the key of one who {'signs logs' if found.kind == LOG else 'countersigns'}")
    return found


def keys_of(log_key: str, cosigners: Sequence[str] | None) -> Keys:
    """Whom the user trusts; raises NotDoneError."""
    return Keys(verifier_of(log_key, LOG), cosigners_of(cosigners))


def cosigners_of(named: Sequence[str] | None) -> Sequence[Verifier]:
    """Those who countersign, and are trusted; raises NotDoneError."""
    return tuple(verifier_of(line, COSIGNER) for vkey in named or () for line in _lines(vkey))


def _lines(vkey: str) -> list[str]:
    """The vkeys in a file that is named, or the one that is given."""
    try:
        return [vkey] if "+" in vkey else Path(vkey).read_text().split()
    except (OSError, UnicodeDecodeError) as e:
        raise NotDoneError(f"{vkey}: it cannot be read") from e


def note_in(file: Path) -> Note:
    """A checkpoint in a file, no signature verified; raises NotDoneError."""
    try:
        return note_of(file.read_bytes())
    except OSError as e:
        raise NotDoneError(f"{file}: {e.strerror}") from e
    except NoteError as e:
        raise NotDoneError(f"{file}: {e}") from e
