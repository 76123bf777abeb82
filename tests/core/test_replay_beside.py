"""A replay also compares what was asked of bronnen and what was refused, and can look at one dienst alone."""

import shutil
from pathlib import Path

import pytest

from bench.catalogues import own_filtering_catalogue
from connectors.bronnen.population import population, shuffled
from schemas.catalogue import Catalogue
from schemas.codec import Codec, decode_signaal
from schemas.quarantine import closed_headers
from schemas.verloop import verloop_topic
from streams.audit.archive import Archive
from streams.audit.findings import Kind
from streams.audit.history import Scope
from streams.audit.report import Report
from streams.audit.rows import Row
from streams.audit.run import Question, replay
from tests.kept import APP, OF_PAIRS, World, change_rows, keep

ASKED = "volgverzoeken.uwv"
REFUSED = "quarantaine"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """60 persons with 600 mutaties, beside three records that nobody can read."""
    world = World(catalogue, seed=11)
    told = [(d.soort, d.line) for d in shuffled(population(catalogue, persons=60, seed=12, mutations=600, knobs=OF_PAIRS), seed=13)]
    for part in (told[:200], told[200:400], told[400:]):
        world.publish(part)
        world.append("mutaties.uwv.uitkering", 1, b"B" * 52, b"\0nobody can read this")
        world.work()
    folder = tmp_path_factory.mktemp("kept") / "archive"
    keep(folder, world)
    return folder


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "archive"))


def replayed(folder: Path, work: Path, scope: Scope = Scope(), dienst: str | None = None) -> Report:  # noqa: B008 - never changed
    return replay(Question(folder, APP, scope, None, dienst), work / "work", 0)


def rows_of(folder: Path, topic: str) -> list[tuple[int, Row]]:
    archive = Archive(folder)
    return [(p, row) for p in archive.partitions(topic) for row in archive.rows(topic, p)]


def ce_id(row: Row) -> str:
    return dict(row.headers)["ce_id"].decode()


def newest_of_one(folder: Path) -> tuple[int, Row]:
    """A volgverzoek that no later one about the same persoon stands behind, and its partition."""
    rows = rows_of(folder, ASKED)
    return next((p, r) for i, (p, r) in enumerate(rows) if r.key not in {other.key for _, other in rows[i + 1 :]})


def superseded(folder: Path) -> tuple[int, Row]:
    """A volgverzoek behind which a later one about the same persoon stands."""
    rows = rows_of(folder, ASKED)
    return next((p, r) for i, (p, r) in enumerate(rows) if r.key in {other.key for _, other in rows[i + 1 :]})


def test_what_was_asked_and_what_was_refused_is_what_the_replay_makes(original: Path, tmp_path: Path) -> None:
    report = replayed(original, tmp_path)
    asked = sum(len(rows_of(original, t)) for t in Archive(original).topics if t.startswith("volgverzoeken."))
    assert report.is_clean
    assert report.beside == {"quarantaine": 3, "volgverzoeken": asked}
    assert asked > 50


def test_a_volgverzoek_that_was_deleted_is_missing(copy: Path, tmp_path: Path) -> None:
    partition, gone = newest_of_one(copy)
    change_rows(copy, ASKED, partition, lambda rows: [r for r in rows if r.offset != gone.offset])
    (finding,) = replayed(copy, tmp_path).findings
    assert (finding.kind, finding.about) == (Kind.MISSING, ce_id(gone))
    assert finding.place.startswith(f"{ASKED}-{partition} ")


def test_a_volgverzoek_that_a_later_one_replaces_may_be_gone(copy: Path, tmp_path: Path) -> None:
    partition, gone = superseded(copy)
    change_rows(copy, ASKED, partition, lambda rows: [r for r in rows if r.offset != gone.offset])
    assert replayed(copy, tmp_path).is_clean


def test_a_volgverzoek_that_follows_from_nothing_is_extra(copy: Path, tmp_path: Path) -> None:
    partition, row = newest_of_one(copy)
    headers = [(k, v.replace(b"uwv:", b"uwv:Z") if k == "ce_id" else v) for k, v in row.headers]
    change_rows(copy, ASKED, partition, lambda rows: [*rows, row._replace(offset=rows[-1].offset + 1, key=b"Z" * 52, headers=headers)])
    (finding,) = replayed(copy, tmp_path).findings
    assert (finding.kind, finding.why) == (Kind.EXTRA, "of the records that were taken the rule does not make it")


def test_a_volgverzoek_with_another_day_is_different(copy: Path, tmp_path: Path, catalogue: Catalogue) -> None:
    partition, row = next((p, r) for p, r in rows_of(copy, ASKED) if Codec(catalogue).decode_volgverzoek(r.value).volgt)
    changed = bytearray(row.value or b"")
    changed[-2] ^= 2  # the last byte ends the list, those before it are the day
    swap = {row.offset: row._replace(value=bytes(changed))}
    change_rows(copy, ASKED, partition, lambda rows: [swap.get(r.offset, r) for r in rows])
    (finding,) = replayed(copy, tmp_path).findings
    assert (finding.kind, finding.about) == (Kind.DIFFERENT, ce_id(row))
    assert [f.name for f in finding.fields] == ["volgt"]


def test_a_refused_record_that_was_deleted_is_missing_and_one_that_was_added_extra(copy: Path, tmp_path: Path) -> None:
    (_, first), *_, (_, last) = rows_of(copy, REFUSED)
    place = dict(first.headers)
    at = f"{place['topic'].decode()}-{place['partition'].decode()}@{place['offset'].decode()}"
    change_rows(copy, REFUSED, 0, lambda rows: rows[1:])
    (missing,) = replayed(copy, tmp_path).findings
    assert (missing.kind, missing.about) == (Kind.MISSING, at)

    change_rows(copy, REFUSED, 0, lambda rows: [first, *rows, last._replace(offset=last.offset + 1)])
    (extra,) = replayed(copy, tmp_path).findings
    assert (extra.kind, extra.place) == (Kind.EXTRA, f"{REFUSED}-0@{last.offset + 1}")


def test_a_refused_record_with_another_reason_or_content_is_different_and_its_content_stays_hidden(copy: Path, tmp_path: Path) -> None:
    def change(rows: list[Row]) -> list[Row]:
        headers = [(k, b"VERSIE_ONGELDIG" if k == "reden" else v) for k, v in rows[0].headers]
        return [rows[0]._replace(headers=headers), rows[1]._replace(value=b"123456782"), *rows[2:]]

    change_rows(copy, REFUSED, 0, change)
    findings = replayed(copy, tmp_path).findings
    assert [(f.kind, [x.name for x in f.fields]) for f in findings] == [(Kind.DIFFERENT, ["header reden"]), (Kind.DIFFERENT, ["value"])]
    assert "123456782" not in str(findings)


def test_the_marks_of_an_operator_in_quarantine_are_left_alone_and_what_nobody_wrote_is_named(copy: Path, tmp_path: Path) -> None:
    (_, last) = rows_of(copy, REFUSED)[-1]
    mark = last._replace(offset=last.offset + 1, value=None, headers=closed_headers(last.offset, "known"))
    stranger = last._replace(offset=last.offset + 2, headers=[])
    change_rows(copy, REFUSED, 0, lambda rows: [*rows, mark, stranger])
    (finding,) = replayed(copy, tmp_path).findings
    assert (finding.kind, finding.place) == (Kind.EXTRA, f"{REFUSED}-0@{last.offset + 2}")


def test_what_belongs_to_transactions_that_the_archive_does_not_know_of_is_not_judged(copy: Path, tmp_path: Path) -> None:
    before = replayed(copy, tmp_path)
    change_rows(copy, verloop_topic(APP), 1, lambda rows: rows[: len(rows) // 2])
    report = replayed(copy, tmp_path)
    assert report.is_clean
    assert report.beside["volgverzoeken"] < before.beside["volgverzoeken"]
    assert report.later == before.same + sum(before.beside.values()) - report.same - sum(report.beside.values())


def test_parts_of_the_time_are_the_whole(original: Path, tmp_path: Path) -> None:
    times = sorted(r.timestamp for _, r in rows_of(original, verloop_topic(APP)))
    middle = times[len(times) // 2]
    whole = replayed(original, tmp_path)
    parts = [replayed(original, tmp_path, scope) for scope in (Scope(None, middle), Scope(middle, None))]
    assert all(p.is_clean for p in parts)
    assert all(p.beside["volgverzoeken"] for p in parts)
    for kind, number in whole.beside.items():
        assert sum(p.beside.get(kind, 0) for p in parts) == number


def test_one_dienst_is_looked_at_alone(tmp_path: Path) -> None:
    catalogue = Catalogue.load(own_filtering_catalogue(tmp_path / "catalogus", diensten=6))
    world = World(catalogue, seed=1)
    world.publish((d.soort, d.line) for d in shuffled(population(catalogue, persons=80, seed=2, mutations=800, knobs=OF_PAIRS), seed=3))
    world.work()
    folder = keep(tmp_path / "archive", world).folder
    archive = Archive(folder)
    topics = [t for t in archive.topics if t.startswith("signalen.")]
    sent = [(t, r, decode_signaal(r.value).dienst) for t in topics for r in archive.rows(t, 0)]
    topic, gone, dienst = sent[0]
    other = next(d for _, _, d in sent if d != dienst)
    change_rows(folder, topic, 0, lambda rows: [r for r in rows if r.offset != gone.offset])

    found, clean = replayed(folder, tmp_path, dienst=dienst), replayed(folder, tmp_path, dienst=other)
    assert [f.signaal_id for f in found.findings] == [decode_signaal(gone.value).signaal_id]
    assert clean.is_clean
    assert clean.same == sum(d == other for *_, d in sent)
    assert found.asked.dienst == dienst
