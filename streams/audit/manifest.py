"""The manifest of an archive: one line for each file that counts, with its SHA-256. What it does not name is not there."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from schemas.disk import sync_folder

MANIFEST: Final = "manifest.jsonl"


class ArchiveError(Exception):
    """An archive cannot be read as it was written; the text names the file and what is wrong with it."""


class RowsFile(msgspec.Struct, frozen=True, tag="rows"):
    """Records of one topic, partition and day (UTC) that stand one behind another in the log."""

    file: str  # its path inside the archive
    bytes: int
    sha256: str
    topic: str
    partition: int
    day: str
    first: int  # offsets
    last: int
    records: int


class CatalogueFile(msgspec.Struct, frozen=True, tag="catalogue"):
    """One file of a version of the catalogue."""

    file: str
    bytes: int
    sha256: str
    version: str


ArchivedFile = RowsFile | CatalogueFile
_decode = msgspec.json.Decoder(ArchivedFile).decode
_encode = msgspec.json.Encoder().encode


def read_manifest(archive: Path) -> list[ArchivedFile]:
    """All files of an archive, in the order in which they were added; raises ArchiveError."""
    lines = manifest_of(archive).splitlines(keepends=True)
    whole = lines[:-1] if lines and not lines[-1].endswith(b"\n") else lines  # a line that was being written when its writer ended
    return list(_decoded(whole))


def manifest_of(archive: Path) -> bytes:
    """The manifest as it stands there; raises ArchiveError."""
    try:
        return (archive / MANIFEST).read_bytes()
    except OSError as e:
        raise ArchiveError(f"{archive}: there is no archive, {MANIFEST}: {e.strerror}") from e


def _decoded(lines: Iterable[bytes]) -> Iterator[ArchivedFile]:
    for number, line in enumerate(lines, 1):
        try:
            yield _decode(line)
        except msgspec.MsgspecError as e:
            raise ArchiveError(f"{MANIFEST}, line {number}: {e}") from e


def read_unverified(archive: Path, entry: ArchivedFile) -> bytes:
    """The content of a file as it is now; raises ArchiveError."""
    try:
        return (archive / entry.file).read_bytes()
    except OSError as e:
        raise ArchiveError(f"{entry.file}: {e.strerror}") from e


def read_verified(archive: Path, entry: ArchivedFile) -> bytes:
    """The content of a file as it was when the manifest named it; raises ArchiveError."""
    data = read_unverified(archive, entry)
    if (found := hashlib.sha256(data).hexdigest()) != entry.sha256:
        raise ArchiveError(f"{entry.file}: the file was changed: its SHA-256 is {found}, the manifest says {entry.sha256}")
    return data


class ManifestWriter:
    """Adds files to an archive: each is whole on the disk before the manifest names it. For one writer at a time."""

    def __init__(self, archive: Path) -> None:
        self._archive = archive
        self._manifest: BinaryIO = (archive / MANIFEST).open("a+b")
        self._cut_torn_line()

    def add(self, entry: ArchivedFile, part: Path) -> None:
        """Give ``part``, a finished file in the folder of the entry, its name, and name it in the manifest."""
        with part.open("rb") as f:
            os.fsync(f.fileno())
        part.replace(self._archive / entry.file)
        sync_folder(part.parent)
        self._manifest.write(_encode(entry) + b"\n")
        self._manifest.flush()
        os.fsync(self._manifest.fileno())

    def close(self) -> None:
        """Nothing more is added."""
        self._manifest.close()

    def _cut_torn_line(self) -> None:
        self._manifest.seek(0)
        data = self._manifest.read()
        self._manifest.truncate(data.rfind(b"\n") + 1)
