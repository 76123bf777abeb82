"""``samenloop replay`` on an archive: what it says to people and machines, and that it goes on where it was stopped."""

import json
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest

from connectors.bronnen.population import population, shuffled
from samenloop.cli import app_of
from samenloop.errors import NotDoneError
from schemas.catalogue import Catalogue
from streams.audit import replay as batches
from streams.audit import run
from streams.audit.archive import Archive
from streams.audit.history import Scope
from streams.audit.pool import Shared
from streams.audit.run import Question, StoppedError, replay
from tests.kept import APP, OF_PAIRS, World, change_rows, keep

VOID = {"meta", "link", "line", "rect", "br"}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    world = World(catalogue, seed=5)
    world.publish((d.soort, d.line) for d in shuffled(population(catalogue, persons=150, seed=6, mutations=1_500, knobs=OF_PAIRS), seed=7))
    world.work()
    folder = tmp_path_factory.mktemp("kept") / "archive"
    keep(folder, world)
    return folder


def command(archive: Path, data: Path, *options: str) -> list[str]:
    samenloop = str(Path(sys.executable).with_name("samenloop"))
    return [samenloop, "replay", "--archive", str(archive), "--data", str(data), *options]


def done(archive: Path, data: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command(archive, data, *options), capture_output=True, text=True, timeout=120, check=False)


class Page(HTMLParser):
    """The texts of a page; fails when it is not well formed or needs anything from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not {"src", "href"} & {name for name, _ in attrs}
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def test_a_clean_history_is_told_to_people_and_machines(original: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    told = done(original, tmp_path, "--report", str(page))
    assert told.returncode == 0, told.stderr
    assert "signals were sent as they are made, byte for byte" in told.stdout
    read = Page(page.read_text())
    assert any(text.startswith("Clean: all") for text in read.texts)
    assert {"main", "svg", "title", "caption"} <= read.tags

    machine = json.loads(done(original, tmp_path, "--json", "--processes", "1").stdout)
    assert machine["findings"] == []
    assert machine["same"] > 100
    assert machine["counts"] == dict.fromkeys(("missing", "extra", "different", "moved", "input", "catalogue", "archive"), 0)


def test_a_difference_ends_with_1_and_stands_on_the_page(original: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(original, copy)
    topic = next(t for t in Archive(copy).topics if t.startswith("signalen.") and len(list(Archive(copy).rows(t, 0))) > 2)

    def change(rows):
        told = json.loads(rows[1].value) | {"begindatum": "<b>1999</b>"}
        return [
            rows[2]._replace(offset=rows[0].offset),
            rows[1]._replace(value=json.dumps(told, separators=(",", ":")).encode()),
            *rows[3:],
        ]

    change_rows(copy, topic, 0, change)
    told = done(copy, tmp_path, "--report", str(tmp_path / "report.html"), "--json")
    assert told.returncode == 1
    report = json.loads(told.stdout)
    assert report["counts"]["missing"] >= 1
    page = Page((tmp_path / "report.html").read_text())
    assert "<b>1999</b>" in page.texts, "what a signal says is shown as it is, and is no part of the page"
    for finding in report["findings"]:
        assert finding["place"] in page.texts


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--from", "yesterday"], "--from yesterday: a day or a moment is expected"),
        (["--toepassing", "another"], "it has no another-verloop"),
        (["--ontvanger", "Atlantis"], "there is no ontvanger Atlantis"),
        (["--archive", "nowhere"], "nowhere: there is no archive"),
    ],
)
def test_what_cannot_be_replayed_ends_with_2_and_why(original: Path, tmp_path: Path, options: list[str], why: str) -> None:
    with pytest.raises(NotDoneError, match=why):
        app_of(["replay"])(command(original, tmp_path, *options)[1:], standalone_mode=False)


class Impatient(Shared):
    """Somebody who asks to stop when two batches are done."""

    def __init__(self, counters: int) -> None:
        super().__init__(counters)
        self.left = 3
        self.stop = self  # type: ignore[assignment]

    def is_set(self) -> bool:
        self.left -= 1
        return self.left <= 0

    def set(self) -> None:
        """It has stopped."""


def test_a_stopped_replay_goes_on_where_it_was(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    question, work = Question(original, APP, Scope(), None), tmp_path / "work"
    whole = replay(question, tmp_path / "whole", 0)
    stops, folded = 0, []
    fold = run.PartitionReplay._work
    monkeypatch.setattr(run.PartitionReplay, "_work", lambda self, batch: (folded.append(batch.records), fold(self, batch)))
    monkeypatch.setattr(batches, "_BATCH", 50)
    monkeypatch.setattr(run, "Shared", Impatient)
    while True:
        try:
            report = replay(question, work, 0)
            break
        except StoppedError:
            stops += 1
    assert stops > 3
    assert sum(folded) == whole.records, "nothing was folded twice"
    assert (report.findings, report.same, report.days) == ([], whole.same, whole.days)
    assert not work.exists()


def test_ctrl_c_ends_it_and_the_same_command_goes_on(original: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(command(original, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("replay/*/*.sent")) and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in {0, 130}
    assert "Traceback" not in said
    assert done(original, tmp_path).returncode == 0
