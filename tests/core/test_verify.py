"""``samenloop verify`` on archives in which something was tampered with: each is found and named, and the rest stays clean."""

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.bronnen.population import Delivery, population
from samenloop.cli import app_of
from samenloop.errors import NotDoneError
from schemas.catalogue import Catalogue
from streams.audit.manifest import MANIFEST
from tests.archived import Log
from tests.kept import OF_PAIRS

PERSONS = 15


@pytest.fixture(scope="module")
def deliveries(catalogue: Catalogue) -> list[Delivery]:
    return list(population(catalogue, persons=PERSONS, seed=6, months=18, knobs=OF_PAIRS))


@pytest.fixture
def log(catalogue: Catalogue, deliveries: list[Delivery]) -> Log:
    log = Log(catalogue)
    log.deliver((d.soort, d.line) for d in deliveries)
    return log


def verified(archive: Path, *args: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(app_of(["verify"]), ["verify", "--archive", str(archive), "--json", *args])
    if isinstance(done.exception, NotDoneError):
        raise done.exception
    return done.exit_code, json.loads(done.stdout)


def found(archive: Path, *args: str) -> list[tuple[str, str]]:
    code, told = verified(archive, *args)
    assert code == (1 if told["bevindingen"] else 0)
    assert told["klopt"] == (code == 0)
    return [(f["soort"], f["waar"]) for f in told["bevindingen"]]


def is_new(row: Any) -> bool:
    return b'"soort":"NIEUW"' in row.value


def a_signal(log: Log, fits: Callable[[list[Any]], bool]) -> tuple[str, list[Any]]:
    """The topic and all versions of a signal that ``fits``."""
    for (topic, _), rows in sorted(log.log.items()):
        for name in sorted({r.key for r in rows}) if topic.startswith("signalen.") else ():
            versions = [r for r in rows if r.key == name]
            if fits(versions):
                return topic, versions
    raise AssertionError("the population has no such signal")


def once(versions: list[Any]) -> bool:
    return len(versions) == 1 and is_new(versions[0])


def test_what_nobody_touched_is_in_order(log: Log, deliveries: list[Delivery], tmp_path: Path) -> None:
    code, told = verified(log.archive(tmp_path / "a"))
    assert (code, told["bevindingen"]) == (0, [])
    assert (told["mutaties"], told["niet_genomen"], told["geweigerd"]) == (len(deliveries), 0, 0)
    assert told["geldend"] > 30


def test_a_signal_that_was_deleted_is_missing(log: Log, tmp_path: Path) -> None:
    topic, (gone,) = a_signal(log, once)
    archive = log.archive(tmp_path / "a", lambda t, _, row: not (t == topic and row.offset == gone.offset))
    assert found(archive) == [("ONTBREEKT", gone.key.decode())]


def test_a_withdrawal_that_was_deleted_leaves_a_signal_that_does_not_follow(log: Log, tmp_path: Path) -> None:
    topic, (_, gone) = a_signal(log, lambda v: len(v) == 2 and b'"soort":"VERVALLEN"' in v[1].value)
    archive = log.archive(tmp_path / "a", lambda t, _, row: not (t == topic and row.offset == gone.offset))
    assert found(archive) == [("ONVERKLAARD", gone.key.decode())]


def test_a_version_in_the_middle_that_was_deleted_leaves_a_gap(log: Log, tmp_path: Path) -> None:
    topic, (gone, *_) = a_signal(log, lambda v: len(v) > 1)
    archive = log.archive(tmp_path / "a", lambda t, _, row: not (t == topic and row.offset == gone.offset))
    assert found(archive) == [("VERSIE_ONTBREEKT", gone.key.decode())]


def test_a_signal_that_was_added_by_hand_follows_from_nothing(log: Log, tmp_path: Path) -> None:
    topic, (model,) = a_signal(log, once)
    added = json.loads(model.value) | {"signaal_id": "00000000-0000-5000-8000-000000000000"}
    log.append(topic, 0, added["signaal_id"].encode(), json.dumps(added).encode())
    assert found(log.archive(tmp_path / "a")) == [("ONVERKLAARD", added["signaal_id"])]


def test_a_field_that_was_changed_is_named_with_both_values(log: Log, tmp_path: Path) -> None:
    _, (changed,) = a_signal(log, once)
    signaal = json.loads(changed.value)
    changed.value = json.dumps(signaal | {"begindatum": "2020-01-01"}).encode()
    _, told = verified(log.archive(tmp_path / "a"))
    (finding,) = told["bevindingen"]
    assert (finding["soort"], finding["waar"]) == ("ANDERS", signaal["signaal_id"])
    assert (finding["records"]["begindatum"], finding["topic"]["begindatum"]) == (signaal["begindatum"], "2020-01-01")


def test_a_field_that_the_dienst_does_not_list_is_no_field_of_the_signal(log: Log, tmp_path: Path) -> None:
    _, (changed,) = a_signal(log, once)
    signaal = json.loads(changed.value)
    signaal["gegevens"]["iban"] = "NL00"
    changed.value = json.dumps(signaal).encode()
    assert found(log.archive(tmp_path / "a")) == [("ANDERS", signaal["signaal_id"])]


@pytest.mark.parametrize("part", ["basisfeit", "feit"])
def test_a_record_that_a_signal_cites_and_that_is_another_one_is_named(log: Log, tmp_path: Path, part: str) -> None:
    _, (changed,) = a_signal(log, once)
    signaal = json.loads(changed.value)
    signaal[part]["versie"] += 1
    changed.value = json.dumps(signaal).encode()
    assert found(log.archive(tmp_path / "a")) == [("BEWIJS_ANDERS", signaal["signaal_id"])]


def test_two_contents_of_one_version_a_wrong_topic_another_rule_and_no_signal_at_all_are_named(log: Log, tmp_path: Path) -> None:
    topic, (model,) = a_signal(log, once)
    signaal = json.loads(model.value)
    log.append(topic, 0, model.key, json.dumps(signaal).encode())  # the same, written otherwise
    log.append("signalen.gm9999", 0, model.key, model.value)
    log.append(topic, 0, b"x", b"{")
    _, (other,) = a_signal(log, lambda v: once(v) and v[0].key != model.key)
    other.value = other.value.replace(b'"regel":{"patroon":"samenloop","versie":1}', b'"regel":{"patroon":"samenloop","versie":7}')
    assert sorted(found(log.archive(tmp_path / "a"))) == [
        ("ONLEESBAAR", f"{topic}-0@{log.log[topic, 0][-1].offset}"),
        ("REGEL_ONBEKEND", other.key.decode()),
        ("TWEE_INHOUDEN", model.key.decode()),
        ("VERKEERD_TOPIC", model.key.decode()),
    ]


def test_a_mutatie_that_was_removed_is_missing_by_its_place_and_so_is_what_follows_from_it(log: Log, tmp_path: Path) -> None:
    _, (signaal,) = a_signal(log, once)
    feit = json.loads(signaal.value)["feit"]
    place = feit["topic"], feit["partition"], feit["offset"]
    archive = log.archive(tmp_path / "a", lambda t, p, row: (t, p, row.offset) != place)
    kinds = found(archive)
    assert ("ONVERKLAARD", signaal.key.decode()) in kinds
    assert ("BEWIJS_ANDERS", signaal.key.decode()) in kinds
    (missing,) = [waar for soort, waar in kinds if soort == "RECORD_ONTBREEKT"]
    assert missing.startswith(f"{place[0]}-{place[1]}@")
    assert {waar for _, waar in kinds} == {signaal.key.decode(), missing}, "the rest stays clean"


def test_a_row_of_the_verloop_that_was_removed_is_a_hole(log: Log, tmp_path: Path) -> None:
    gone = log.log["samenloop-verloop", 0][3]
    archive = log.archive(tmp_path / "a", lambda t, p, row: not (t == "samenloop-verloop" and (p, row.offset) == (0, gone.offset)))
    assert {soort for soort, _ in found(archive)} >= {"VERLOOP_GAT"}


def test_a_catalogue_that_was_changed_after_the_fact_is_named(log: Log, catalogue: Catalogue, tmp_path: Path) -> None:
    archive = log.archive(tmp_path / "a")
    file = archive / "catalogus" / catalogue.versie / "diensten" / "rechtmatigheidscontrole-levensonderhoud.yaml"
    file.write_text(file.read_text().replace("versie: 1", "versie: 2"))
    with pytest.raises(NotDoneError, match=f"{file.name}: the file was changed"):
        verified(archive)
    lines = [json.loads(line) for line in (archive / MANIFEST).read_text().splitlines()]
    for line in lines:
        if line["file"].endswith(file.name):
            line |= {"sha256": sha256(file.read_bytes()).hexdigest(), "bytes": file.stat().st_size}
    (archive / MANIFEST).write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(NotDoneError, match="the catalogue was changed"):
        verified(archive)


def test_records_in_quarantine_do_not_count_and_records_that_should_be_there_are_named(log: Log, tmp_path: Path) -> None:
    for value in (b"\x07nonsense", None, b"\0\0\0\0\1cut"):
        record = log.append("mutaties.gemeente.bijstand", 0, b"A" * 52, value)
        log.take(0, [("mutaties.gemeente.bijstand", [record])])
    code, told = verified(log.archive(tmp_path / "a"))
    assert (code, told["geweigerd"]) == (0, 3)
    last = log.log["quarantaine", 0][-1].offset
    archive = log.archive(tmp_path / "b", lambda t, _p, row: not (t == "quarantaine" and row.offset == last))
    assert found(archive) == [("ONLEESBAAR", f"mutaties.gemeente.bijstand-0@{record.offset}")]


def test_what_the_engine_had_not_taken_yet_is_counted_and_not_missed(log: Log, deliveries: list[Delivery], tmp_path: Path) -> None:
    for d in deliveries[:5]:
        log.publish([(d.soort, d.line | {"versie": 99, "feit": None})])
    code, told = verified(log.archive(tmp_path / "a"))
    assert (code, told["niet_genomen"]) == (0, 5)


def test_an_archive_without_a_verloop_cannot_be_judged(log: Log, tmp_path: Path) -> None:
    with pytest.raises(NotDoneError, match="has no samenloop-verloop"):
        verified(log.archive(tmp_path / "a", lambda t, _p, _row: not t.endswith("-verloop")))
    with pytest.raises(NotDoneError, match="there is no archive"):
        verified(tmp_path)


@pytest.mark.parametrize(
    ("flag", "named"),
    [("--known-on", "gisteren"), ("--known-on", "2026-02-30"), ("--known-on", "2026-02-01T10:00"), ("--about", "2026-02-30")],
)
def test_a_day_or_moment_that_is_none_is_refused(log: Log, tmp_path: Path, flag: str, named: str) -> None:
    with pytest.raises(NotDoneError, match=named):
        verified(log.archive(tmp_path / "a"), flag, named)


def test_people_read_what_is_wrong_and_where(log: Log, tmp_path: Path) -> None:
    _, (changed,) = a_signal(log, once)
    signaal = json.loads(changed.value)
    changed.value = json.dumps(signaal | {"kenmerk": "PW-0"}).encode()
    done = CliRunner().invoke(app_of(["verify"]), ["verify", "--archive", str(log.archive(tmp_path / "a"))])
    assert done.exit_code == 1
    assert "ANDERS: 1" in done.stdout
    assert f"kenmerk: records {signaal['kenmerk']}, topic PW-0" in done.stdout
