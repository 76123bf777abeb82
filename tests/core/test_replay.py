"""A replay of an archive: nothing is found where nothing was changed, and each change that somebody made is found and named."""

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
import pytest

from connectors.bronnen.population import EPOCH_DAY, Knobs, population, shuffled
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.values import Signaal
from schemas.verloop import verloop_topic
from streams.audit.archive import Archive
from streams.audit.findings import Kind
from streams.audit.history import Scope
from streams.audit.report import Report
from streams.audit.rows import Row
from streams.audit.run import Question, replay
from tests.kept import APP, OF_PAIRS, PARTITIES, World, change_catalogue, change_rows, keep

ALL = Scope()
INKOMSTEN = "mutaties.uwv.inkomstenverhouding"


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """The archive of some weeks in which 200 persons had 2,000 mutaties, some of them unreadable."""
    world = World(catalogue, seed=3)
    told = [(d.soort, d.line) for d in shuffled(population(catalogue, persons=200, seed=4, mutations=2_000, knobs=OF_PAIRS), seed=8)]
    world.publish(told[:1000])
    world.append(INKOMSTEN, 1, b"B" * 52, b"\0nobody can read this")
    world.publish(told[1000:])
    world.work()
    folder = tmp_path_factory.mktemp("kept") / "archive"
    keep(folder, world)
    return folder


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "archive"))


def replayed(folder: Path, work: Path, scope: Scope = ALL, ontvangers: list[str] | None = None, processes: int = 0) -> Report:
    return replay(Question(folder, APP, scope, ontvangers), work / "work", processes)


def signal_topic(folder: Path, at_least: int = 3) -> str:
    """A topic with some signals."""
    archive = Archive(folder)
    return next(t for t in archive.topics if t.startswith("signalen.") and len(list(archive.rows(t, 0))) >= at_least)


def signaal(row: Row) -> Signaal:
    return msgspec.json.decode(row.value or b"", type=Signaal)


def test_what_was_sent_is_what_the_replay_makes_byte_for_byte(original: Path, tmp_path: Path) -> None:
    archive = Archive(original)
    sent = sum(len(list(archive.rows(t, 0))) for t in archive.topics if t.startswith("signalen."))
    taken = sum(len(list(archive.rows(t, p))) for t in archive.topics if t.startswith("mutaties.") for p in archive.partitions(t))

    report = replayed(original, tmp_path)

    assert report.findings == []
    assert report.is_clean
    assert (report.same, report.records, report.later) == (sent, taken, 0)
    assert sent > 200
    assert sum(d.made for d in report.days.values()) == sent
    assert len(report.days) > 1
    assert not (tmp_path / "work").exists()


def test_processes_beside_each_other_find_the_same(original: Path, tmp_path: Path) -> None:
    one, two = replayed(original, tmp_path), replayed(original, tmp_path, processes=2)
    assert msgspec.structs.replace(one, seconds=0) == msgspec.structs.replace(two, seconds=0)


def test_a_signal_deleted_from_a_topic_is_missing(copy: Path, tmp_path: Path) -> None:
    topic = signal_topic(copy)
    gone: list[Row] = []

    def delete(rows: list[Row]) -> list[Row]:
        gone.append(rows.pop(1))
        return rows

    change_rows(copy, topic, 0, delete)
    report = replayed(copy, tmp_path)

    (finding,) = report.findings
    lost = signaal(gone[0])
    assert (finding.kind, finding.signaal_id, finding.versie) == (Kind.MISSING, lost.signaal_id, lost.versie)
    assert finding.place.startswith(f"{topic}-0 ")
    assert finding.oorzaak == f"{lost.oorzaak.topic}-{lost.oorzaak.partition}@{lost.oorzaak.offset}"
    assert finding.regel == "rechtmatigheidscontrole-levensonderhoud, samenloop version 1"
    assert report.counts["missing"] == 1
    assert not report.is_clean


def test_a_signal_added_by_hand_is_extra(copy: Path, tmp_path: Path) -> None:
    topic = signal_topic(copy)

    def add(rows: list[Row]) -> list[Row]:
        told = json.loads(rows[0].value or b"")
        told |= {"signaal_id": "11111111-2222-5333-8444-555555555555", "versie": 1}
        added = rows[-1]._replace(offset=rows[-1].offset + 1, key=told["signaal_id"].encode(), value=json.dumps(told).encode())
        return [*rows, added]

    change_rows(copy, topic, 0, add)
    (finding,) = replayed(copy, tmp_path).findings

    assert (finding.kind, finding.signaal_id) == (Kind.EXTRA, "11111111-2222-5333-8444-555555555555")
    assert finding.place == f"{topic}-0@{list(Archive(copy).rows(topic, 0))[-1].offset}"
    assert "the rule does not make it" in finding.why


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"hello", "it is no signaal"),
        (None, "it is no signaal"),
        (
            b'{"versie":1,"oorzaak":{"topic":"mutaties.uwv.uitkering","partition":7,"offset":1}}',
            "the engine took nothing from mutaties.uwv.uitkering-7",
        ),
        (
            b'{"versie":1,"oorzaak":{"topic":"mutaties.uwv.uitkering","partition":0,"offset":999999}}',
            "its cause, mutaties.uwv.uitkering-0@999999, is not",
        ),
    ],
)
def test_a_message_that_no_record_can_have_caused_is_extra(copy: Path, tmp_path: Path, value: bytes | None, why: str) -> None:
    topic = signal_topic(copy)
    change_rows(copy, topic, 0, lambda rows: [*rows, rows[-1]._replace(offset=rows[-1].offset + 1, value=value)])
    (finding,) = replayed(copy, tmp_path).findings
    assert finding.kind == Kind.EXTRA
    assert why in finding.why


def test_a_signal_that_stands_twice_is_extra_once(copy: Path, tmp_path: Path) -> None:
    topic = signal_topic(copy)
    change_rows(copy, topic, 0, lambda rows: [*rows, rows[0]._replace(offset=rows[-1].offset + 1)])
    (finding,) = replayed(copy, tmp_path).findings
    assert finding.kind == Kind.EXTRA


def test_a_changed_field_is_named_with_what_it_was(copy: Path, tmp_path: Path) -> None:
    topic = signal_topic(copy)

    def change(rows: list[Row]) -> list[Row]:
        told = json.loads(rows[1].value or b"") | {"begindatum": "1999-01-01"}
        headers = [(k, b"another" if k == "ce_subject" else v) for k, v in rows[1].headers]
        return [rows[0], rows[1]._replace(value=json.dumps(told, separators=(",", ":")).encode(), headers=headers), *rows[2:]]

    before = list(Archive(copy).rows(topic, 0))[1]
    change_rows(copy, topic, 0, change)
    (finding,) = replayed(copy, tmp_path).findings

    assert (finding.kind, finding.place) == (Kind.DIFFERENT, f"{topic}-0@{before.offset}")
    was = signaal(before)
    assert [(f.name, f.sent, f.made) for f in finding.fields] == [
        ("begindatum", "1999-01-01", was.begindatum),
        ("header ce_subject", "another", was.kenmerk),
    ]


def swapped(rows: list[Row], first: int, second: int) -> list[Row]:
    rows[first], rows[second] = rows[second]._replace(offset=rows[first].offset), rows[first]._replace(offset=rows[second].offset)
    return rows


def test_versions_of_a_signal_in_each_others_place_are_found(copy: Path, tmp_path: Path) -> None:
    archive = Archive(copy)
    for topic in (t for t in archive.topics if t.startswith("signalen.")):
        rows = list(archive.rows(topic, 0))
        pairs = [(i, j) for i, a in enumerate(rows) for j, b in enumerate(rows) if i < j and a.key == b.key]
        if pairs:
            break
    change_rows(copy, topic, 0, lambda rows: swapped(rows, *pairs[0]))
    assert {f.kind for f in replayed(copy, tmp_path).findings} == {Kind.MOVED}


def test_between_signals_the_order_is_free(copy: Path, tmp_path: Path) -> None:
    """It depends on how many records were folded at a time, and on what the native core leaves to the pure Python."""
    archive = Archive(copy)
    for topic in (t for t in archive.topics if t.startswith("signalen.")):
        keys = [r.key for r in archive.rows(topic, 0)]
        alone = [i for i, key in enumerate(keys) if keys.count(key) == 1]
        if len(alone) > 1:
            break
    change_rows(copy, topic, 0, lambda rows: swapped(rows, *alone[:2]))
    assert replayed(copy, tmp_path).is_clean


def test_a_mutation_removed_from_the_archive_is_named_and_so_is_what_hangs_on_it(copy: Path, tmp_path: Path) -> None:
    archive = Archive(copy)
    sent = [signaal(r) for t in archive.topics if t.startswith("signalen.") for r in archive.rows(t, 0)]
    cause = next(s.oorzaak for s in sent if s.oorzaak.topic == INKOMSTEN)
    change_rows(copy, INKOMSTEN, cause.partition, lambda rows: [r for r in rows if r.offset != cause.offset])
    report = replayed(copy, tmp_path)

    lost, *others = report.findings
    assert lost.kind == Kind.INPUT
    assert f"{INKOMSTEN}-{cause.partition}@{cause.offset}" in lost.records
    assert others
    assert {f.follows_from for f in others} == {lost.place}
    ids = {f.signaal_id for f in others}
    feiten = {
        signaal(r).feit.record_id
        for t in archive.topics
        if t.startswith("signalen.")
        for r in archive.rows(t, 0)
        if signaal(r).signaal_id in ids
    }
    assert len(feiten) == 1, "nothing is found of other records"


def test_a_mutation_added_to_the_archive_is_named(copy: Path, tmp_path: Path) -> None:
    def add(rows: list[Row]) -> Iterable[Row]:
        at = next(i for i in range(1, len(rows)) if rows[i].offset > rows[i - 1].offset + 1)
        return [*rows[:at], rows[0]._replace(offset=rows[at].offset - 1, timestamp=rows[at].timestamp), *rows[at:]]

    change_rows(copy, INKOMSTEN, 0, add)
    (finding,) = replayed(copy, tmp_path).findings
    assert finding.kind == Kind.INPUT
    assert finding.why.endswith("some were added")


def test_a_row_of_the_verloop_that_was_removed_is_named(copy: Path, tmp_path: Path) -> None:
    change_rows(copy, verloop_topic(APP), 1, lambda rows: [*rows[:4], *rows[5:]])
    found = [f for f in replayed(copy, tmp_path).findings if f.kind == Kind.INPUT]
    assert found
    assert all("one was removed" in f.why for f in found)


def rule_version(data: bytes) -> bytes:
    changed = data.replace(b"versie: 1", b"versie: 2", 1)
    assert changed != data
    return changed


def test_a_catalogue_that_was_changed_afterwards_is_named_with_all_that_it_changes(
    copy: Path, tmp_path: Path, catalogue: Catalogue
) -> None:
    path = "diensten/rechtmatigheidscontrole-levensonderhoud.yaml"
    change_catalogue(copy, catalogue.versie, path, rule_version)
    report = replayed(copy, tmp_path)

    assert [(f.kind, f.place) for f in report.findings if f.kind in {Kind.CATALOGUE, Kind.ARCHIVE}] == [
        (Kind.CATALOGUE, f"catalogus/{catalogue.versie}/")
    ]
    different = [f for f in report.findings if f.kind == Kind.DIFFERENT]
    assert {f.fields[0].name for f in different} == {"regel.versie"}
    assert len(different) + 1 == len(report.findings)


def test_a_flipped_byte_names_the_file_and_the_other_partitions_are_replayed(copy: Path, tmp_path: Path) -> None:
    entry = Archive(copy).files_of(INKOMSTEN, 0)[0]
    data = bytearray((copy / entry.file).read_bytes())
    data[len(data) // 2] ^= 4
    (copy / entry.file).write_bytes(data)
    report = replayed(copy, tmp_path)

    assert [(f.kind, f.place) for f in report.findings] == [(Kind.ARCHIVE, entry.file)]
    assert report.same > 50


def test_a_flipped_byte_in_what_was_sent_leaves_the_other_ontvangers_clean(copy: Path, tmp_path: Path) -> None:
    topic = signal_topic(copy)
    entry = Archive(copy).files_of(topic, 0)[0]
    data = bytearray((copy / entry.file).read_bytes())
    data[-40] ^= 4
    (copy / entry.file).write_bytes(data)
    report = replayed(copy, tmp_path)
    assert [(f.kind, f.place) for f in report.findings] == [(Kind.ARCHIVE, entry.file)]


def moment(folder: Path, share: float) -> int:
    """When a share of the transactions had been."""
    times = sorted(r.timestamp for p in range(PARTITIES) for r in Archive(folder).rows(verloop_topic(APP), p))
    return times[int(share * len(times))]


def test_a_history_with_ticks_of_the_klok_is_reproduced_whole_and_in_parts(catalogue: Catalogue, tmp_path: Path) -> None:
    """Also when a replay goes on from where one ended: the klok and who is due are part of its progress."""
    world = World(catalogue, seed=5)
    told = [d for d in population(catalogue, persons=60, seed=3, knobs=Knobs(young=1.0, reclaimed=0.5)) if d.soort in CLOCKED]
    day = codec_day(catalogue)
    for month in range(24):
        world.publish((d.soort, d.line) for d in told if month <= (d.day - EPOCH_DAY) / 30 < month + 1)
        for partition in range(PARTITIES):
            world.append("klok", partition, None, day(EPOCH_DAY + 30 * (month + 1)))
        world.work()
    archive = keep(tmp_path / "archive", world).folder
    report = replayed(archive, tmp_path)
    assert report.is_clean
    assert report.same > 30
    said = [r.value or b"" for (topic, _), rows in world.log.items() if topic.startswith("signalen.") for r in rows]
    assert any(b'"oorzaak":{"topic":"klok"' in value for value in said)
    for patroon in (b'"patroon":"drempel"', b'"patroon":"informatiepakket"'):
        assert any(patroon in value for value in said)
    middle = moment(archive, 0.5)
    assert replayed(archive, tmp_path, Scope(middle, None)).is_clean


CLOCKED = (
    *("gemeente.jongere", "duo.inschrijving", "duo.startkwalificatie"),
    *("gemeente.terugvordering", "uwv.inkomstenopgave", "uwv.uitkering"),
    *("gemeente.regelingaanvraag", "invorderaar.kwijtscheldingsaanvraag", "rvig.huishouden"),
)


def codec_day(catalogue: Catalogue) -> Callable[[int], bytes]:
    """Writes ticks."""
    codec, schema = Codec(catalogue), catalogue.latest_schema("klok").id
    return lambda day: codec.encode(schema, {"datum": day})


def test_from_and_to_look_at_a_part_and_the_parts_are_the_whole(original: Path, tmp_path: Path) -> None:
    middle = moment(original, 0.6)
    whole = replayed(original, tmp_path)
    early, late = replayed(original, tmp_path, Scope(None, middle)), replayed(original, tmp_path, Scope(middle, None))
    assert early.is_clean
    assert late.is_clean
    assert early.same + late.same == whole.same
    assert min(early.same, late.same) > 20
    assert early.later == late.same
    assert late.later == 0


def test_only_one_ontvanger_is_looked_at(copy: Path, tmp_path: Path) -> None:
    topic = signal_topic(copy)
    change_rows(copy, topic, 0, lambda rows: rows[1:])
    other = next(t for t in Archive(copy).topics if t.startswith("signalen.") and t != topic)
    assert replayed(copy, tmp_path, ontvangers=[other.removeprefix("signalen.")]).is_clean
    assert replayed(copy, tmp_path, ontvangers=[topic.removeprefix("signalen.")]).counts["missing"] == 1
