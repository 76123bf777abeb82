"""What became of signals, on a real node by the command line: reported one by one and from a file, counted from topics and archive."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.bronnen.population.persons import synthetic_bsns
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from tests.broker.test_commands import BIJSTAND, IKV, cli, line
from tests.node import Node, node_in

PERSONS = 7
BSNS = [bsn for bsn, _ in zip(synthetic_bsns(), range(PERSONS), strict=False)]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Node]:
    """A node on which seven people have a benefit and a job."""
    with node_in(tmp_path_factory.mktemp("handling"), catalogue) as node:
        node.start_worker()
        for soort, name in ((BIJSTAND, "b"), (IKV, "ikv")):
            told = [line(f"{name}-{i}", 1, soort, {"begindatum": "2026-02-01"} | houder(soort, i))[1] for i in range(PERSONS)]
            asyncio.run(node.publish([(soort, {**one, "bsn": bsn}) for one, bsn in zip(told, BSNS, strict=True)]))
            asyncio.run(node.until_idle())
        yield node


def houder(soort: str, i: int) -> dict[str, str]:
    return {"houder": "gm0363", "kenmerk": f"PW-{i}"} if soort == BIJSTAND else {}


@pytest.fixture(scope="module")
def names(node: Node) -> list[str]:
    return [s["signaal_id"] for s in json.loads(cli(node, "signals", "gm0363", "--json").stdout)]


@pytest.fixture(scope="module")
def reported(node: Node, names: list[str], tmp_path_factory: pytest.TempPathFactory) -> "subprocess.CompletedProcess[str]":
    """One signal by hand, six from a file of which two lines are no terugmelding; the file is given twice."""
    one = cli(node, "report", "Amsterdam", names[0], "--stand", "AFGEHANDELD", "--uitkomst", "JUIST")
    assert (one.returncode, one.stdout) == (0, "1 lines: 1 published, 0 rejected\n")
    lines = [{"signaal_id": n, "stand": "AFGEHANDELD", "uitkomst": "JUIST"} for n in names[1:]]
    lines += [{"signaal_id": names[1], "stand": "BEZORGD", "kenmerk": "PW-1"}, {"signaal_id": names[0], "stand": "BEZORGD", "versie": 2}]
    file = tmp_path_factory.mktemp("file") / "terugmeldingen.jsonl"
    file.write_text("".join(json.dumps(one) + "\n" for one in lines))
    done = cli(node, "report", "gm0363", "--file", str(file), "--report", str(file.with_suffix(".verslag")), "--json")
    verdicts = [json.loads(v) for v in file.with_suffix(".verslag").read_text().splitlines()]
    assert [v.get("reden") for v in verdicts] == [None] * 6 + ["VELD_ONBEKEND", "VERSIE_ONBEKEND"]
    again = cli(node, "report", "gm0363", "--file", str(file))
    assert again.returncode == 1
    return done


def test_reports_stand_on_the_ontvangers_own_topic_under_the_name_of_the_signal(
    node: Node, names: list[str], reported: "subprocess.CompletedProcess[str]"
) -> None:
    assert json.loads(reported.stdout) == {
        "regels": 8, "gepubliceerd": 6, "afgekeurd": {"VELD_ONBEKEND": 1, "VERSIE_ONBEKEND": 1},
    }  # fmt: skip
    assert reported.returncode == 1
    records = asyncio.run(node.records(["terugmeldingen.gm0363"]))
    assert len(records) == 1 + 2 * 6
    codec = Codec(node.catalogue)
    assert {codec.decode_terugmelding(r.value).signaal_id for r in records} == {r.key.decode() for r in records} == set(names)
    shown = json.loads(cli(node, "console", "terugmeldingen.gm0363", "--from-beginning", "--max-messages", "1").stdout)
    assert (shown["value"]["uitkomst"], shown["headers"]["ce_type"]) == ("JUIST", "nl.samenloop.terugmelding.afgehandeld.v1")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--stand", "GELEZEN"], "stand: The value is not one that the schema allows."),
        (["--stand", "AFGEHANDELD"], "uitkomst: An uitkomst goes with the stand AFGEHANDELD, and with no other."),
        (["--stand", "BEZORGD", "--versie", "2"], "versie: The signal has no such version yet."),
        ([], "say with --stand how far it is (BEZORGD, GEACCEPTEERD, AFGEHANDELD); --report is for a --file"),
        (["--file", "x"], "name one signal by SIGNAAL_ID, or many with --file"),
    ],
)
def test_what_cannot_be_reported_is_one_clear_line(node: Node, names: list[str], args: list[str], said: str) -> None:
    done = cli(node, "report", "gm0363", names[0], *args)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"samenloop: {said}\n")


def test_a_signal_of_another_ontvanger_cannot_be_reported(node: Node, names: list[str]) -> None:
    done = cli(node, "report", "gm0599", names[0], "--stand", "BEZORGD")
    assert (done.returncode, done.stderr) == (2, "samenloop: signaal_id: No signal of that name was sent to this ontvanger.\n")


def test_hit_rates_are_counted_from_the_topics_and_from_an_archive(
    node: Node, reported: "subprocess.CompletedProcess[str]", tmp_path: Path
) -> None:
    assert reported.returncode == 1
    found = json.loads(cli(node, "hit-rates", "--json").stdout)
    assert found == {
        "rijen": [
            {
                "dienst": "rechtmatigheidscontrole-levensonderhoud", "bron": "uwv", "jaar": 2026,
                "verstuurd": 7, "bezorgd": 7, "geaccepteerd": 7, "afgehandeld": 7,
                "uitkomsten": {"JUIST": 7, "ONJUIST": 0, "AL_BEKEND": 0, "NIET_ONDERZOCHT": 0}, "trefkans": 1.0,
            }
        ],
        "onbekend": 0, "onleesbaar": 0,
    }  # fmt: skip
    archive = str(tmp_path / "archief")
    assert cli(node, "archive", "--out", archive).returncode == 0
    assert json.loads(cli(node, "hit-rates", "--archive", archive, "--json").stdout) == found
    shown = cli(node, "hit-rates", "--year", "2026").stdout
    assert "100.0 %" in shown
    assert not [name for name in ("PW-", "gm0363") if name in shown]
    assert json.loads(cli(node, "hit-rates", "--year", "2025", "--json").stdout)["rijen"] == []


def test_what_was_handled_is_not_sent_again_when_it_is_withdrawn_and_comes_again(
    node: Node, names: list[str], reported: "subprocess.CompletedProcess[str]", tmp_path: Path
) -> None:
    """All seven were handled; of one the job is another one when it comes again. It is proved from an archive, and explained."""
    assert reported.returncode == 1
    told = cli(node, "relay", "--once")
    assert (told.returncode, told.stdout, told.stderr) == (0, f"{len(names)} told to the engine\n", "")
    assert cli(node, "relay", "--once").stdout == "", "it goes on where it was"
    asyncio.run(node.until_idle())
    assert asyncio.run(node.counts())["afhandelingen opgeslagen"] == len(names)
    for versie in (2, 3):
        jobs = [line(f"ikv-{i}", versie, IKV, None if versie == 2 else {"begindatum": f"2026-02-0{1 + (i == 3)}"}) for i in range(PERSONS)]
        asyncio.run(node.publish([(IKV, {**one, "bsn": bsn}) for (_, one), bsn in zip(jobs, BSNS, strict=True)]))
        asyncio.run(node.until_idle())
    live = json.loads(cli(node, "signals", "gm0363", "--json").stdout)
    assert [(s["kenmerk"], s["versie"], s["begindatum"]) for s in live] == [("PW-3", 3, "2026-02-02")]
    assert len(asyncio.run(node.records(["signalen.gm0363"]))) == 2 * PERSONS + 1

    why = json.loads(cli(node, "explain", "--why-not", "PW-1", "--ontvanger", "gm0363", "--json").stdout)
    assert [(p["code"], p["signaal"], p["signaal_id"]) for p in why["pairs"]] == [("AFGEHANDELD", False, None)]
    archive = str(tmp_path / "archief")
    assert cli(node, "archive", "--out", archive).returncode == 0
    replayed = cli(node, "replay", "--archive", archive, "--json")
    assert (replayed.returncode, json.loads(replayed.stdout)["same"]) == (0, 2 * PERSONS + 1), replayed.stdout
    verified = cli(node, "verify", "--archive", archive, "--json")
    assert (verified.returncode, json.loads(verified.stdout)["geldend"]) == (0, 1), verified.stdout
    checked = json.loads(cli(node, "explain", live[0]["signaal_id"], "--verify", "--json").stdout)
    assert checked["controle"]["klopt"]
