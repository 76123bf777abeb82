"""What an archive holds, judged by signed checkpoints: from the archive, the hashes kept beside it and public keys, and nothing else."""

from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from schemas.checkpoints import CHECKPOINTS
from streams.audit.archive import Archive
from streams.proof.checkpoint import Keys, Log, log_of, opened
from streams.proof.compare import Compared, Comparison, Finding, Kind, Rows
from streams.proof.grown import folder_of, is_logged, logs_in, read_checkpoint
from streams.proof.note import Note, NoteError, Verifier, note_of
from streams.proof.published import claims
from streams.proof.salvage import salvaged
from streams.proof.tiles import Tiles


class Verified(msgspec.Struct):
    """What came of it."""

    logs: int = 0
    checkpoints: int = 0
    strangers: int = 0  # records on the topic of the checkpoints that no known key has signed, nor claim it
    cosigned: dict[str, int] = {}  # cosigner → checkpoints
    covered: int = 0
    gone: int = 0
    not_archived: int = 0
    later: int = 0
    findings: list[Finding] = []


class _Roots:
    """The roots that were signed, by log and size."""

    def __init__(self, keys: Keys, result: Verified) -> None:
        self.of: dict[Log, dict[int, bytes]] = {}
        self.binding: dict[Log, int] = {}
        self._keys, self._result = keys, result

    def take(self, note: Note, where: tuple[str, int, int | None], *, binds: bool) -> None:
        """A checkpoint from somewhere; when it ``binds``, all that it covers has to be in the archive. Raises NoteError."""
        signer = self._keys.signer
        found = opened(note, signer)
        log = log_of(signer.name, found.origin)
        assert log is not None  # noqa: S101 - ``opened`` has seen to it
        for name in self._keys.countersigned(note):
            self._result.cosigned[name] = self._result.cosigned.get(name, 0) + 1
        known = self.of.setdefault(log, {})
        if known.setdefault(found.size, found.root) != found.root:
            text = f"{found.origin}: another checkpoint of size {found.size} has another root"
            self._result.findings.append(Finding(Kind.CHECKPOINT, *where[:2], where[2], where[2], text))
        if binds:
            self.binding[log] = max(self.binding.get(log, 0), found.size)


def verify_archive(
    archive: Archive,
    folder: Path,
    keys: Keys,
    toepassing: str,
    kept_since: Callable[[str], int],
    given: Iterable[Note] = (),
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> Verified:
    """Judge ``archive`` by the logs in ``folder`` and the checkpoints in both; ``given`` are those that the auditor has from elsewhere.

    ``kept_since``: topic → the moment (milliseconds since the epoch) before which its records need no longer be there.
    """
    result = Verified()
    roots = _Roots(keys, result)
    _read_topic(archive, roots, result, keys.signer)
    for note in given:
        roots.take(note, (CHECKPOINTS, 0, None), binds=True)
    for log in logs_in(folder):
        _read_own(folder, log, roots, result)
    held = {Log(t, p) for t in archive.topics if is_logged(t, toepassing) for p in archive.partitions(t)}
    logs = sorted(held | set(roots.of))
    for done, log in enumerate(logs, 1):
        _add(result, _compared(archive, folder, log, roots, kept_since(log.topic)))
        told(done, len(logs))
    result.logs = len(logs)
    result.checkpoints = sum(map(len, roots.of.values()))
    return result


def _read_topic(archive: Archive, roots: _Roots, result: Verified, signer: Verifier) -> None:
    for file in archive.files_of(CHECKPOINTS, 0):
        found = salvaged(archive.folder, file)
        if found.fault is not None:
            result.findings.append(Finding(Kind.FILE, CHECKPOINTS, 0, file.first, file.last, found.fault))
        for row in found.rows:
            try:
                roots.take(note_of(row.value or b""), (CHECKPOINTS, 0, row.offset), binds=True)
            except NoteError as e:
                if claims(row.key, signer):
                    result.findings.append(Finding(Kind.CHECKPOINT, CHECKPOINTS, 0, row.offset, row.offset, str(e)))
                else:
                    result.strangers += 1


def _read_own(folder: Path, log: Log, roots: _Roots, result: Verified) -> None:
    """The checkpoint beside the hashes: often newer than the archive."""
    try:
        note = read_checkpoint(folder_of(folder, log))
        if note is not None:
            roots.take(note, (*log, None), binds=False)
    except NoteError as e:
        result.findings.append(Finding(Kind.CHECKPOINT, *log, None, None, str(e)))


def _compared(archive: Archive, folder: Path, log: Log, roots: _Roots, kept_since: int) -> Compared:
    signed = {size: root for size, root in roots.of.get(log, {}).items() if size}
    rows = Rows(archive, log)
    if not signed:
        return Compared(later=sum(1 for _ in rows), findings=rows.findings)
    return Comparison(log, rows, signed, roots.binding.get(log, 0), kept_since).run(Tiles(folder_of(folder, log)))


def _add(result: Verified, found: Compared) -> None:
    result.covered += found.covered
    result.gone += found.gone
    result.not_archived += found.not_archived
    result.later += found.later
    result.findings += found.findings
