"""Which record of which log somebody means, and the proof about it."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from connectors.ontvangers.topic_reader import read_places, read_topics
from samenloop.errors import NotDoneError
from schemas.values import Place
from streams.audit.archive import Archive
from streams.audit.rows import Row
from streams.proof.checkpoint import Log, checkpoint_of
from streams.proof.entry import entry_of, stored
from streams.proof.evidence import consistency_file, inclusion_file
from streams.proof.grown import CHECKPOINT, folder_of, read_checkpoint
from streams.proof.note import Note
from streams.proof.tiles import Tiles

_LOG: Final = re.compile(r"([a-z0-9.-]+)-([0-9]{1,9})")
_PLACE: Final = re.compile(r"([a-z0-9.-]+)-([0-9]{1,9})@([0-9]{1,18})")
_SIGNAAL: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Found(NamedTuple):
    """A record, or where it stood when it is no longer there."""

    log: Log
    offset: int
    row: Row | None


async def found_in_kafka(brokers: str, target: str, ontvangers: Sequence[str]) -> Found:
    """What ``target`` means: a place, or a signaal_id, which means its newest version; raises NotDoneError."""
    if (place := _place_of(target)) is not None:
        record = (await read_places(brokers, [place])).get(place)
        return Found(Log(place.topic, place.partition), place.offset, None if record is None else _row_of(record))
    key, found = _signaal_of(target), None
    async for record in read_topics(brokers, [f"signalen.{o}" for o in ontvangers]):
        if record.key == key:
            found = Found(Log(record.topic, record.partition), record.offset, _row_of(record))
    return _existing(found, target)


def found_in_archive(archive: Archive, target: str, ontvangers: Sequence[str]) -> Found:
    """The same from an archive; raises NotDoneError, ArchiveError."""
    if (place := _place_of(target)) is not None:
        return Found(Log(place.topic, place.partition), place.offset, archive.row(*place))
    key, found = _signaal_of(target), None
    for topic in (f"signalen.{o}" for o in ontvangers):
        for row in archive.rows(topic, 0):
            if row.key == key:
                found = Found(Log(topic, 0), row.offset, row)
    return _existing(found, target)


def proof_of_record(folder: Path, found: Found, by: str = CHECKPOINT, *, with_record: bool) -> str:
    """The content of a proof file ``by`` one of the checkpoints beside a log; raises NotDoneError, NoteError, TilesError."""
    note = _note(folder, found.log, by)
    size = checkpoint_of(note.text).size
    tiles = Tiles(folder_of(folder, found.log))
    index = tiles.index_of(found.offset, size)
    place = f"{found.log.topic}-{found.log.partition}@{found.offset}"
    if index is None:
        raise NotDoneError(f"{place}: the newest checkpoint covers no record of that offset")
    if found.row is not None and entry_of(*found.row) != tiles.entry(index):
        raise NotDoneError(f"{place}: the record that stands there is not the one that was logged")
    if with_record and found.row is None:
        raise NotDoneError(f"{place}: the record is no longer there: --hash-only proves what the log says of it")
    record = stored(found.row.key, found.row.value, found.row.headers) if found.row is not None and with_record else None
    return inclusion_file(tiles, note, index, record)


def proof_since(folder: Path, target: str, since: Note, by: str = CHECKPOINT) -> str:
    """The proof that the log ``target`` goes on from a checkpoint; raises NotDoneError, NoteError, TilesError."""
    match = _LOG.fullmatch(target)
    if match is None:
        raise NotDoneError(f"{target}: a log is named as <topic>-<partition>, such as signalen.gm0363-0")
    log, old = Log(match[1], int(match[2])), checkpoint_of(since.text)
    note = _note(folder, log, by)
    new = checkpoint_of(note.text)
    if old.origin != new.origin or old.size > new.size:
        raise NotDoneError(f"size {new.size} of {new.origin} does not go on from size {old.size} of {old.origin}")
    return consistency_file(Tiles(folder_of(folder, log)), note, old.size)


def _note(folder: Path, log: Log, by: str) -> Note:
    note = read_checkpoint(folder_of(folder, log), by)
    if note is None:
        raise NotDoneError(f"{folder}: there is no {by} of {log.topic}-{log.partition}")
    return note


def _place_of(target: str) -> Place | None:
    match = _PLACE.fullmatch(target)
    return None if match is None else Place(match[1], int(match[2]), int(match[3]))


def _signaal_of(target: str) -> bytes:
    if _SIGNAAL.fullmatch(target) is None:
        raise NotDoneError(f"{target}: a record is named by signaal_id, or as <topic>-<partition>@<offset>, such as signalen.gm0363-0@17")
    return target.encode()


def _existing(found: Found | None, target: str) -> Found:
    if found is None:
        raise NotDoneError(f"there is no signal {target}")
    return found


def _row_of(record: object) -> Row:
    return Row(*(getattr(record, field) for field in Row._fields))
