"""The switch to other rules: afterwards stands what the new rules want, told without gaps; and a replay that comes to it finds the same."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bench.catalogues import own_filtering_catalogue
from connectors.bronnen.population import population, shuffled
from samenloop.cli import app_of
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from streams.audit.archive import Archive
from streams.audit.findings import Kind
from streams.audit.history import Scope
from streams.audit.manifest import ArchiveError
from streams.audit.preview import preview
from streams.audit.run import Question, replay
from streams.audit.second_opinion import second_opinion
from streams.audit.tables import catalogues_in_force
from streams.core.rulebook import rulebook_of
from streams.core.switch import Switch, SwitchError
from tests.core.test_replay_command import Page
from tests.kept import APP, World, change_rows, keep, standing, told, versions_run_on

DIENST = "diensten/rechtmatigheidscontrole-levensonderhoud.yaml"
Change = Callable[[dict[str, Any]], dict[str, Any] | None]


def changed(base: Path, folder: Path, change: Change) -> Catalogue:
    """The catalogue in ``base`` with another dienst, or with two."""
    shutil.copytree(base, folder)
    dienst = yaml.safe_load((folder / DIENST).read_text())
    more = change(dienst)
    (folder / DIENST).write_text(yaml.safe_dump(dienst))
    if more:
        (folder / "diensten" / f"{more['dienst']}.yaml").write_text(yaml.safe_dump(more))
    return Catalogue.load(folder)


def feit_of(dienst: dict[str, Any], soort: str) -> dict[str, Any]:
    return next(f for f in dienst["feiten"] if f["soort"] == soort)


def without_a_field(dienst: dict[str, Any]) -> None:
    feit_of(dienst, "uwv.inkomstenopgave")["velden"].pop()


def with_a_soort_of_another_dienst(dienst: dict[str, Any]) -> dict[str, Any]:
    moved = feit_of(dienst, "uwv.inkomstenopgave")
    dienst["feiten"].remove(moved)
    return {**dienst, "dienst": "een-tweede", "nummer": 98, "feiten": [moved]}


def with_another_version(dienst: dict[str, Any]) -> None:
    dienst["regel"]["versie"] = 2


def as_another_dienst(dienst: dict[str, Any]) -> None:
    dienst |= {"dienst": "een-andere", "nummer": 99}


CHANGES: dict[str, Change] = {
    "a field less": without_a_field,
    "a soort to another dienst": with_a_soort_of_another_dienst,
    "another version": with_another_version,
    "another dienst": as_another_dienst,
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return own_filtering_catalogue(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def deliveries(base: Path) -> list[tuple[str, Any]]:
    catalogue = Catalogue.load(base)
    return [(d.soort, d.line) for d in shuffled(population(catalogue, persons=60, seed=21, mutations=600), seed=22)]


def worked(catalogue: Catalogue, deliveries: list[tuple[str, Any]], seed: int = 3) -> World:
    world = World(catalogue, seed)
    world.publish(deliveries)
    world.work()
    return world


@pytest.mark.parametrize("back", [False, True], ids=["there", "and back"])
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_afterwards_stands_what_the_new_rules_want(
    base: Path, deliveries: list[tuple[str, Any]], tmp_path: Path, change: Change, *, back: bool
) -> None:
    """Back, fields are wanted that were not kept: their mutaties are read again."""
    one, other = Catalogue.load(base), changed(base, tmp_path / "other", change)
    old, new = (other, one) if back else (one, other)
    half = len(deliveries) // 2
    world = worked(old, deliveries[:half])
    before = len(told(world))
    world.switch(new)
    assert standing(told(world)) == standing(told(worked(new, deliveries[:half])))
    assert len(told(world)) > before or change is with_another_version

    world.publish(deliveries[half:])
    world.work()
    assert standing(told(world)) == standing(told(worked(new, deliveries)))
    assert versions_run_on(told(world))


def test_a_second_switch_to_the_same_rules_says_and_changes_nothing(base: Path, deliveries: list[tuple[str, Any]], tmp_path: Path) -> None:
    new = changed(base, tmp_path / "new", without_a_field)
    world = worked(Catalogue.load(base), deliveries)
    world.switch(new)
    said, rows = len(told(world)), [dict(s.rows) for s in world._stores]
    world.switch(new)
    assert (len(told(world)), [s.rows for s in world._stores]) == (said, rows)


def test_a_signal_of_the_switch_names_it_as_its_cause(base: Path, deliveries: list[tuple[str, Any]], tmp_path: Path) -> None:
    world = worked(Catalogue.load(base), deliveries)
    before = len(told(world))
    world.switch(changed(base, tmp_path / "new", with_a_soort_of_another_dienst))
    ended = [s for s in told(world) if s.oorzaak.topic == f"{APP}-verloop"]
    assert len(ended) == len(told(world)) - before
    assert {(s.soort, s.dienst == "een-tweede") for s in ended} == {("VERVALLEN", False), ("NIEUW", True)}
    assert {s.feit.soort for s in ended} == {"uwv.inkomstenopgave"}


def test_a_bron_that_now_filters_itself_is_told_that_nobody_is_followed_there(catalogue: Catalogue, tmp_path: Path) -> None:
    published = tmp_path / "published"
    for name, data in catalogue.bestanden.items():
        (published / name).parent.mkdir(parents=True, exist_ok=True)
        (published / name).write_bytes(data)
    world = worked(Catalogue.load(published), [(d.soort, d.line) for d in population(catalogue, persons=20, seed=5, mutations=100)])
    lines = (published / "bronnen.yaml").read_text().splitlines()
    (published / "bronnen.yaml").write_text("\n".join(x.replace("zelf: false", "zelf: true") if "id: svb" in x else x for x in lines))
    new = Catalogue.load(published)
    assert new.bronnen["svb"].filtert_zelf

    asked = {t: len(r) for t, r in world.log.items() if t[0] == "volgverzoeken.svb"}
    world.switch(new)
    more = [r for t, before in asked.items() for r in world.log[t][before:]]
    assert more
    assert {Codec(new).decode_volgverzoek(r.value).volgt for r in more} == {()}


def test_a_bron_is_asked_again_when_a_dienst_uses_one_more_soort_of_it(catalogue: Catalogue, tmp_path: Path) -> None:
    published = tmp_path / "published"
    for name, data in catalogue.bestanden.items():
        (published / name).parent.mkdir(parents=True, exist_ok=True)
        (published / name).write_bytes(data)
    less = changed(published, tmp_path / "less", lambda dienst: dienst["feiten"].remove(feit_of(dienst, "uwv.uitkering")))
    world = worked(less, [(d.soort, d.line) for d in population(catalogue, persons=20, seed=5, mutations=100)])
    asked = {t: len(r) for t, r in world.log.items() if t[0].startswith("volgverzoeken.")}
    newest = {r.key: Codec(less).decode_volgverzoek(r.value) for t in asked if t[0] == "volgverzoeken.uwv" for r in world.log[t]}
    world.switch(catalogue)
    more = [(t, r) for t, before in asked.items() for r in world.log[t][before:]]
    assert {t[0] for t, _ in more} == {"volgverzoeken.uwv"}
    again = {r.key: Codec(catalogue).decode_volgverzoek(r.value) for _, r in more}
    followed = {persoon: v for persoon, v in newest.items() if any(f.dienst == "rechtmatigheidscontrole-levensonderhoud" for f in v.volgt)}
    assert followed
    assert {p: (v.versie - 1, v.volgt) for p, v in again.items()}.items() >= {p: (v.versie, v.volgt) for p, v in followed.items()}.items()
    world.switch(catalogue)
    assert len([r for t, before in asked.items() for r in world.log[t][before:]]) == len(more), "and only once"


def test_what_is_no_longer_on_the_log_cannot_be_read_again(base: Path, deliveries: list[tuple[str, Any]], tmp_path: Path) -> None:
    world = worked(changed(base, tmp_path / "old", without_a_field), deliveries)
    for partition in range(2):
        world.log["mutaties.uwv.inkomstenopgave", partition] = []
    with pytest.raises(SwitchError, match=r"mutaties\.uwv\.inkomstenopgave at offset [0-9]+ is no longer there"):
        world.switch(Catalogue.load(base))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"dienst": "een-andere"}, "a name and a nummer belong together for ever"),
        ({"nummer": 7}, "a name and a nummer belong together for ever"),
    ],
)
def test_a_name_and_a_nummer_belong_together(base: Path, tmp_path: Path, values: dict[str, Any], why: str) -> None:
    new = changed(base, tmp_path / "new", lambda dienst: dienst.update(values))
    with pytest.raises(SwitchError, match=why):
        Switch(rulebook_of(Catalogue.load(base)), rulebook_of(new))


@pytest.mark.parametrize("rol", ["basisfeit", "opgave"])
def test_what_was_dropped_so_far_and_nobody_is_asked_for_cannot_become_what_counts(rol: Any) -> None:
    new = rulebook_of(Catalogue.load())
    soort = next(s for s in new.soorten.values() if s.rol == rol)
    unused = replace(soort, rol="feit", is_basisfeit=False, in_kop=False, filtert_zelf=False, gebruikt_door=(), velden=())
    old = replace(new, soorten={**new.soorten, soort.nummer: unused})
    with pytest.raises(SwitchError, match=f"{soort.naam} were taken before any dienst kept them: a {rol} needs a soort of its own"):
        Switch(old, new)


def test_a_replay_that_comes_to_a_switch_makes_what_it_said_and_the_second_opinion_agrees(
    base: Path, deliveries: list[tuple[str, Any]], tmp_path: Path
) -> None:
    world = worked(changed(base, tmp_path / "old", without_a_field), deliveries[:300])
    world.switch(Catalogue.load(base))
    world.publish(deliveries[300:])
    world.work()
    folder = keep(tmp_path / "archive", world).folder
    report = replay(Question(folder, APP, Scope()), tmp_path / "work", 0)
    assert report.findings == []
    assert report.same == len(told(world))
    assert len(report.catalogues) == 2

    archive = Archive(folder)
    opinion = second_opinion(archive, catalogues_in_force(archive, APP), APP)
    assert (opinion.findings, opinion.signalen) == ([], len(told(world)))

    by_switch = next((t, r) for (t, _), rows in world.log.items() if t.startswith("signalen.") for r in rows if b"-verloop" in r.value)
    change_rows(folder, by_switch[0], 0, lambda rows: [r for r in rows if r.offset != by_switch[1].offset])
    (finding, *_) = replay(Question(folder, APP, Scope()), tmp_path / "work", 0).findings
    assert (finding.kind, finding.oorzaak) == (Kind.MISSING, finding.oorzaak)
    assert (finding.oorzaak or "").startswith(f"{APP}-verloop-")


@pytest.mark.parametrize("processes", [0, 2])
def test_what_a_switch_would_say_is_what_it_says(base: Path, deliveries: list[tuple[str, Any]], tmp_path: Path, processes: int) -> None:
    world = worked(changed(base, tmp_path / "old", with_a_soort_of_another_dienst), deliveries)
    folder = keep(tmp_path / "archive", world).folder
    before = len(told(world))
    found = preview(folder, APP, base, processes)
    world.switch(Catalogue.load(base))
    said = [s for s in told(world) if s.oorzaak.topic == f"{APP}-verloop"]
    assert len(said) == len(told(world)) - before > 20
    assert [(c.signaal_id, c.versie, c.soort) for c in found.changes] == [
        (s.signaal_id, s.versie, s.soort) for s in sorted(said, key=lambda s: (s.ontvanger, s.dienst, s.soort, s.signaal_id))
    ]
    assert {t.dienst: (t.nieuw > 0, t.gewijzigd, t.vervallen > 0) for t in found.totals} == {
        "een-tweede": (False, 0, True),
        "rechtmatigheidscontrole-levensonderhoud": (True, 0, False),
    }
    assert (found.records, found.volgverzoeken) == (len(deliveries), {})


def test_compare_tells_people_and_machines(
    base: Path, deliveries: list[tuple[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = keep(tmp_path / "archive", worked(Catalogue.load(base), deliveries)).folder
    changed(base, tmp_path / "new", without_a_field)
    asked = ("compare", "--to", str(tmp_path / "new"), "--archive", str(folder), "--processes", "1")
    for options in (("--report", str(tmp_path / "page.html")), ("--json",)):
        app_of(["compare"])([*asked, *options], standalone_mode=False)
    text, _, machine = capsys.readouterr().out.partition("{")
    found = json.loads("{" + machine)
    number = len(found["changes"])
    assert {c["soort"] for c in found["changes"]} == {"GEWIJZIGD"}
    assert f"{number:>10,}  GEWIJZIGD" in text
    page = Page((tmp_path / "page.html").read_text())
    assert f"{number:,} GEWIJZIGD" in " ".join(page.texts)
    assert found["changes"][0]["signaal_id"] in page.texts


def test_compare_refuses_an_archive_that_lacks_what_the_engine_took(base: Path, deliveries: list[tuple[str, Any]], tmp_path: Path) -> None:
    folder = keep(tmp_path / "archive", worked(Catalogue.load(base), deliveries)).folder
    change_rows(folder, "mutaties.uwv.inkomstenopgave", 0, lambda rows: rows[1:])
    with pytest.raises(ArchiveError, match="the archive lacks what the engine took"):
        preview(folder, APP, base, 0)
