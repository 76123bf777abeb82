"""An archive held against signed checkpoints: clean where nothing was changed; whatever was changed is named, and the rest stays clean."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from connectors.bronnen.population import population, shuffled
from schemas.catalogue import Catalogue
from schemas.checkpoints import CHECKPOINTS
from schemas.verloop import verloop_topic
from streams.audit.archive import Archive
from streams.audit.rows import Row
from streams.proof.checkpoint import Checkpoint, Keys, Log, checkpoint_of
from streams.proof.compare import Finding, Kind
from streams.proof.entry import entry_of
from streams.proof.grown import folder_of, is_logged, logs_in, read_checkpoint
from streams.proof.note import LOG, Note, Signer, note_of
from streams.proof.published import Published
from streams.proof.tiles import Tiles, tile_path
from streams.proof.verify import Verified, verify_archive
from tests.kept import APP, OF_PAIRS, World, change_rows, keep
from tests.logs import COSIGNER_OF_AMSTERDAM, SIGNER, cosigned, sign_world

KEYS = Keys(SIGNER.verifier, (COSIGNER_OF_AMSTERDAM.verifier,))
OPGAVEN = Log("mutaties.uwv.inkomstenopgave", 1)
EARLY = 0  # nothing is so old that it may be gone

Rows = Sequence[Row]
Change = Callable[[list[Row]], Iterable[Row]]


class Kept(NamedTuple):
    """An archive and the logs beside it."""

    archive: Path
    logs: Path


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Kept:
    """Some weeks of 25 persons; the logs were signed at the half and at the end."""
    world, published, folder = World(catalogue, seed=3), Published(), tmp_path_factory.mktemp("kept")
    told = [(d.soort, d.line) for d in shuffled(population(catalogue, persons=25, seed=4, mutations=900, knobs=OF_PAIRS), seed=8)]
    for half in (told[:400], told[400:]):
        world.publish(half)
        world.append("mutaties.uwv.uitkering", 1, b"B" * 52, b"\0nobody can read this", [("traceparent", None), ("é", b"")])
        world.work()
        sign_world(world, folder / "logs", published)
    keep(folder / "archive", world)
    return Kept(folder / "archive", folder / "logs")


@pytest.fixture
def kept(original: Kept, tmp_path: Path) -> Kept:
    return Kept(*(Path(shutil.copytree(folder, tmp_path / folder.name)) for folder in original))


def judged(kept: Kept, kept_since: int = EARLY, given: Iterable[Note] = (), keys: Keys = KEYS) -> Verified:
    return verify_archive(Archive(kept.archive), kept.logs, keys, APP, lambda _topic: kept_since, given)


def rows_of(kept: Kept, log: Log) -> list[Row]:
    return list(Archive(kept.archive).rows(*log))


def all_logged(kept: Kept) -> int:
    archive = Archive(kept.archive)
    return sum(len(rows_of(kept, Log(t, p))) for t in archive.topics if is_logged(t, APP) for p in archive.partitions(t))


def found(kept: Kept, change: Change, log: Log = OPGAVEN) -> list[tuple[Kind, int | None, int | None]]:
    """What is found when a hand that knows the format changes the rows of one log: all of it is about that log."""
    change_rows(kept.archive, *log, change)
    findings = judged(kept).findings
    assert {(f.topic, f.partition) for f in findings} == {log}
    return [(f.kind, f.first, f.last) for f in findings]


def test_where_nothing_was_changed_every_record_of_every_input_signal_and_transaction_is_as_it_was_logged(original: Kept) -> None:
    result = judged(original)
    assert result.findings == []
    assert result.covered == all_logged(original)
    assert (result.later, result.gone, result.not_archived, result.strangers) == (0, 0, 0, 0)
    topics = {log.topic for log in logs_in(original.logs)}
    assert {t.split(".")[0] for t in topics} == {"mutaties", "signalen", "quarantaine", verloop_topic(APP)}
    assert result.logs < result.checkpoints <= 2 * result.logs


def replaced(row: Row, **changes: object) -> Row:
    return row._replace(**changes)  # type: ignore[arg-type]  # the test says which


@pytest.mark.parametrize("field", ["key", "value", "timestamp", "headers"])
@pytest.mark.parametrize("at", [0, 40, -1])
def test_one_record_changed_in_any_part_is_named(kept: Kept, field: str, at: int) -> None:
    row = rows_of(kept, OPGAVEN)[at]
    old = getattr(row, field)
    new = {"timestamp": row.timestamp + 1, "headers": row.headers[::-1]}.get(field) or old[:-1] + bytes([old[-1] ^ 1])

    assert found(kept, lambda rows: [replaced(r, **{field: new}) if r == row else r for r in rows]) == [
        (Kind.CHANGED, row.offset, row.offset)
    ]


@pytest.mark.parametrize(("begin", "end"), [(0, 1), (0, 10), (50, 51), (50, 60), (-1, None)])
def test_records_removed_at_the_beginning_the_middle_or_the_end_are_named(kept: Kept, begin: int, end: int | None) -> None:
    gone = rows_of(kept, OPGAVEN)[begin:end]
    assert found(kept, lambda rows: [r for r in rows if r not in gone]) == [(Kind.REMOVED, gone[0].offset, gone[-1].offset)]


def test_all_records_of_a_partition_removed_with_its_files_are_named(kept: Kept) -> None:
    rows = rows_of(kept, OPGAVEN)
    assert found(kept, lambda _rows: []) == [(Kind.REMOVED, rows[0].offset, rows[-1].offset)]


def holes(rows: Rows) -> list[int]:
    """Offsets inside a partition at which there is no record: Kafka's own marks stand there."""
    there = {r.offset for r in rows}
    return [o for o in range(rows[0].offset, rows[-1].offset) if o not in there]


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda r: r.offset)


def test_a_signal_added_by_hand_is_named(kept: Kept) -> None:
    log = next(log for log in logs_in(kept.logs) if log.topic.startswith("signalen.") and holes(rows_of(kept, log)))
    rows = rows_of(kept, log)
    offset = holes(rows)[0]
    assert found(kept, lambda rows: in_order([*rows, rows[0]._replace(offset=offset)]), log) == [(Kind.ADDED, offset, offset)]


def test_a_record_put_before_all_others_is_named(kept: Kept) -> None:
    assert found(kept, lambda rows: [rows[0]._replace(offset=-1), *rows]) == [(Kind.ADDED, -1, -1)]


@pytest.mark.parametrize("at", [0, 5, -1])
def test_a_second_record_at_the_offset_of_another_is_named(kept: Kept, at: int) -> None:
    other = rows_of(kept, OPGAVEN)[at]._replace(value=b"another")
    assert found(kept, lambda rows: in_order([*rows, other])) == [(Kind.ADDED, other.offset, other.offset)]


def test_two_records_that_changed_places_are_named_with_where_they_belong(kept: Kept) -> None:
    a, b = rows_of(kept, OPGAVEN)[7], rows_of(kept, OPGAVEN)[30]
    swapped = {a.offset: b._replace(offset=a.offset), b.offset: a._replace(offset=b.offset)}
    assert found(kept, lambda rows: [swapped.get(r.offset, r) for r in rows]) == [
        (Kind.MOVED, a.offset, a.offset),
        (Kind.MOVED, b.offset, b.offset),
    ]
    assert f"this is the record of offset {b.offset}" in [f.text for f in judged(kept).findings]


def test_a_record_written_behind_its_successor_in_the_file_is_named(kept: Kept) -> None:
    rows = rows_of(kept, OPGAVEN)
    day = rows[10].timestamp // 86_400_000
    later = next(r for r in rows[11:] if r.timestamp // 86_400_000 == day)  # in the same file
    assert found(
        kept, lambda rows: [r for r in rows if r != rows[10] and r.offset <= later.offset] + [rows[10], *_behind(rows, later)]
    ) == [(Kind.MOVED, rows[10].offset, rows[10].offset)]


def _behind(rows: Rows, row: Row) -> list[Row]:
    return [r for r in rows if r.offset > row.offset]


def test_a_removed_record_whose_successors_were_renumbered_is_named_with_each_of_them(kept: Kept) -> None:
    rows = rows_of(kept, OPGAVEN)
    offsets = [r.offset for r in rows]
    moved = [r._replace(offset=o) for r, o in zip([*rows[:-5], *rows[-4:]], offsets, strict=False)]
    assert found(kept, lambda _rows: moved) == [(Kind.MOVED, o, o) for o in offsets[-5:-1]] + [(Kind.REMOVED, offsets[-1], offsets[-1])]


def test_any_flipped_byte_of_a_file_is_found_and_what_it_touched_is_named(original: Kept, tmp_path: Path) -> None:
    """The manifest is left as it was: the file is named. Each record is either as it was logged or named; the other logs are clean."""
    draw, total = Random(6), all_logged(original)
    entry = max(Archive(original.archive).files_of(*OPGAVEN), key=lambda f: f.records)
    kept = Kept(Path(shutil.copytree(original.archive, tmp_path / "archive")), original.logs)
    file, whole = kept.archive / entry.file, (original.archive / entry.file).read_bytes()
    for at in (0, 30, len(whole) - 1, *(draw.randrange(len(whole)) for _ in range(12))):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << draw.randrange(8)]) + whole[at + 1 :])
        result = judged(kept)
        kinds = [f.kind for f in result.findings]
        assert kinds.count(Kind.FILE) == 1
        assert {(f.topic, f.partition) for f in result.findings} == {OPGAVEN}
        named = [f for f in result.findings if f.kind not in {Kind.FILE, Kind.ADDED}]
        assert result.covered + sum(_records(original, f) for f in named) == total
        assert set(kinds) <= {Kind.FILE, Kind.CHANGED, Kind.UNREADABLE, Kind.ADDED, Kind.MOVED}


def _records(original: Kept, finding: Finding) -> int:
    assert finding.first is not None
    assert finding.last is not None
    return sum(finding.first <= r.offset <= finding.last for r in rows_of(original, OPGAVEN))


def test_what_is_older_than_its_bewaartermijn_may_be_gone_from_the_beginning_and_from_nowhere_else(kept: Kept) -> None:
    rows = rows_of(kept, OPGAVEN)
    change_rows(kept.archive, *OPGAVEN, lambda rows: rows[20:])
    whole = all_logged(kept)
    result = judged(kept, kept_since=rows[20].timestamp)
    assert (result.findings, result.gone, result.covered) == ([], 20, whole)

    (finding,) = judged(kept, kept_since=rows[10].timestamp).findings
    assert (finding.kind, finding.first, finding.last) == (Kind.REMOVED, rows[10].offset, rows[19].offset)

    change_rows(kept.archive, *OPGAVEN, lambda rows: [rows[0], *rows[2:]])
    (finding,) = judged(kept, kept_since=rows[-1].timestamp).findings
    assert (finding.kind, finding.first) == (Kind.REMOVED, rows[21].offset)


def test_records_behind_the_last_checkpoint_are_counted_and_not_judged(kept: Kept) -> None:
    last = rows_of(kept, OPGAVEN)[-1]
    change_rows(kept.archive, *OPGAVEN, lambda rows: [*rows, last._replace(offset=last.offset + 1), last._replace(offset=last.offset + 2)])
    result = judged(kept)
    assert (result.findings, result.later) == ([], 2)


def test_an_archive_that_is_older_than_the_logs_lacks_nothing(kept: Kept) -> None:
    """The checkpoints of the second half, and what they cover, came behind this archive."""
    size = min(note.size for _, note in checkpoints(kept) if note.origin == OPGAVEN.origin(SIGNER.name))
    change_rows(kept.archive, CHECKPOINTS, 0, lambda rows: [r for r, c in checkpoints(kept) if c != newest(kept)])
    change_rows(kept.archive, *OPGAVEN, lambda rows: rows[:size])
    result = judged(kept)
    assert result.findings == []
    assert result.not_archived == newest(kept).size - size

    (finding,) = judged(kept, given=[note_of(newest_row(kept))]).findings
    assert finding.kind == Kind.REMOVED, "who has the newer checkpoint from elsewhere knows better"


def checkpoints(kept: Kept) -> list[tuple[Row, Checkpoint]]:
    return [(r, checkpoint_of(note_of(r.value or b"").text)) for r in Archive(kept.archive).rows(CHECKPOINTS, 0)]


def newest_row(kept: Kept) -> bytes:
    return (folder_of(kept.logs, OPGAVEN) / "checkpoint").read_bytes()


def newest(kept: Kept) -> Checkpoint:
    return checkpoint_of(note_of(newest_row(kept)).text)


@pytest.mark.parametrize("part", ["origin", "size", "root", "signature"])
def test_a_checkpoint_that_was_changed_is_named(kept: Kept, part: str) -> None:
    row, checkpoint = next((r, c) for r, c in checkpoints(kept) if c.origin == OPGAVEN.origin(SIGNER.name))
    value = row.value or b""
    place = {"origin": len(checkpoint.origin) - 1, "size": len(checkpoint.origin) + 1, "root": value.index(b"=\n") - 3, "signature": -9}[
        part
    ]
    at = place % len(value)
    forged = value[:at] + (b"1" if value[at : at + 1] != b"1" else b"2") + value[at + 1 :]
    assert forged != value
    change_rows(kept.archive, CHECKPOINTS, 0, lambda rows: [r._replace(value=forged) if r == row else r for r in rows])
    (finding,) = judged(kept).findings
    assert (finding.kind, finding.topic, finding.first) == (Kind.CHECKPOINT, CHECKPOINTS, row.offset)


def test_checkpoints_signed_with_another_key_prove_nothing(kept: Kept) -> None:
    stranger = Signer.new(SIGNER.name, LOG)
    result = judged(kept, keys=Keys(stranger.verifier))
    assert result.covered == 0
    assert {f.kind for f in result.findings} == {Kind.CHECKPOINT}


def test_two_checkpoints_of_one_size_with_different_roots_are_named(kept: Kept) -> None:
    """The node told one history to one reader and another to another."""
    checkpoint = newest(kept)
    other = checkpoint._replace(root=bytes(32))
    note = Note(other.text, (SIGNER.renamed(other.origin).sign(other.text),))
    findings = judged(kept, given=[note]).findings
    assert Kind.CHECKPOINT in {f.kind for f in findings}
    assert f"{checkpoint.origin}: another checkpoint of size {checkpoint.size} has another root" in [f.text for f in findings]


def test_what_others_write_on_the_topic_is_counted_and_harms_nobody(kept: Kept) -> None:
    last = checkpoints(kept)[-1][0]
    junk = [last._replace(offset=last.offset + i, key=None, value=v) for i, v in enumerate((b"junk", None, b"\xff\n\n"), 1)]
    change_rows(kept.archive, CHECKPOINTS, 0, lambda rows: [*rows, *junk])
    result = judged(kept)
    assert (result.findings, result.strangers) == ([], 3)


def test_countersignatures_are_counted_and_a_false_one_is_named(kept: Kept) -> None:
    last, _ = checkpoints(kept)[-1]
    good = cosigned(note_of(last.value or b""))
    change_rows(kept.archive, CHECKPOINTS, 0, lambda rows: [*rows, last._replace(offset=last.offset + 1, value=str(good).encode())])
    result = judged(kept)
    assert (result.findings, result.cosigned) == ([], {COSIGNER_OF_AMSTERDAM.name: 1})

    false = Note(good.text, (good.signatures[0], cosigned(checkpoint_note(kept)).signatures[1]))
    change_rows(kept.archive, CHECKPOINTS, 0, lambda rows: [*rows[:-1], rows[-1]._replace(value=str(false).encode())])
    (finding,) = judged(kept).findings
    assert (finding.kind, finding.first) == (Kind.CHECKPOINT, last.offset + 1)


def checkpoint_note(kept: Kept) -> Note:
    note = read_checkpoint(folder_of(kept.logs, OPGAVEN))
    assert note is not None
    return note


def test_a_changed_hash_beside_the_archive_is_named_and_the_record_acquitted(kept: Kept) -> None:
    change_kept_hash(kept, 5)
    result = judged(kept)
    (finding,) = result.findings
    assert (finding.kind, finding.first) == (Kind.HASHES, rows_of(kept, OPGAVEN)[5].offset)
    assert result.covered == all_logged(kept)


def change_kept_hash(kept: Kept, index: int) -> None:
    size = newest(kept).size
    bundle = folder_of(kept.logs, OPGAVEN) / tile_path("entries", 0, min(size, 256))
    data = bytearray(bundle.read_bytes())
    data[index * 50 + 30] ^= 1
    bundle.write_bytes(data)


def test_a_record_and_its_hash_changed_together_are_found_by_the_signed_root(kept: Kept) -> None:
    """Nothing is left to say which record it was: the hashes between two checkpoints are named."""
    row = rows_of(kept, OPGAVEN)[5]
    changed = row._replace(value=b"another")
    change_rows(kept.archive, *OPGAVEN, lambda rows: [changed if r == row else r for r in rows])
    bundle = folder_of(kept.logs, OPGAVEN) / tile_path("entries", 0, min(newest(kept).size, 256))
    data = bytearray(bundle.read_bytes())
    data[5 * 50 + 2 : 6 * 50] = entry_of(*changed).data
    bundle.write_bytes(data)
    (finding,) = judged(kept).findings
    assert finding.kind == Kind.HASHES
    assert (finding.first or 0) <= row.offset <= (finding.last or 0)


def test_hashes_that_are_gone_are_named(kept: Kept) -> None:
    shutil.rmtree(folder_of(kept.logs, OPGAVEN) / "tile" / "entries")
    (finding,) = judged(kept).findings
    assert (finding.kind, finding.topic, finding.partition) == (Kind.HASHES, *OPGAVEN)


def test_every_random_change_of_a_record_is_found(original: Kept, tmp_path: Path) -> None:
    draw = Random(11)
    logs = [log for log in logs_in(original.logs) if len(rows_of(original, log)) > 1]
    changes: list[Change] = [
        lambda rows: [r for i, r in enumerate(rows) if i != len(rows) // 2],
        lambda rows: [r._replace(value=(r.value or b"") + b" ") if i == len(rows) // 2 else r for i, r in enumerate(rows)],
        lambda rows: in_order([*rows, rows[-1]]),
        lambda rows: [r._replace(offset=rows[i - 1 if i else 1].offset) if i < 2 else r for i, r in enumerate(rows)],
    ]
    for i in range(24):
        copy = tmp_path / str(i)
        kept = Kept(Path(shutil.copytree(original.archive, copy)), original.logs)
        log, change = draw.choice(logs), draw.choice(changes)
        change_rows(kept.archive, *log, change)
        assert {(f.topic, f.partition) for f in judged(kept).findings} == {log}


def test_the_tree_of_a_log_is_read_the_same_from_tiles_and_from_its_entries(original: Kept) -> None:
    for log in logs_in(original.logs):
        note = read_checkpoint(folder_of(original.logs, log))
        assert note is not None
        size = int(note.text.split("\n")[1])
        tiles = Tiles(folder_of(original.logs, log))
        assert [e.offset for e in tiles.entries(0, size)] == [r.offset for r in rows_of(original, log)]
