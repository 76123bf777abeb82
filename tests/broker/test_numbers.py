"""A number that changes, on a real node by the command line: from the edge to the signals, over a restart, and proved from an archive."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.bronnen.population.persons import synthetic_bsns
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue
from schemas.partitioner import partition_of
from tests.broker.test_commands import BIJSTAND, IKV, cli, line
from tests.node import KEY, Node, node_in

PERSONS = 6


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Node]:
    with node_in(tmp_path_factory.mktemp("numbers"), catalogue) as node:
        node.start_worker()
        yield node


def moving(node: Node) -> list[tuple[str, str]]:
    """Old and new numbers that live in different partitions."""
    name = Pseudonymiser(KEY).persoon
    found, bsns = list[tuple[str, str]](), iter(synthetic_bsns())
    while len(found) < PERSONS:
        old, new = next(bsns), next(bsns)
        if len({partition_of(name(bsn).encode(), node.partities) for bsn in (old, new)}) == 2:
            found.append((old, new))
    return found


def deliver(node: Node, soort: str, name: str, versie: int, bsns: list[str], **feit: Any) -> None:
    told = [line(f"{name}-{i}", versie, soort, {"begindatum": "2026-02-01", **feit} | houder(soort, i))[1] for i in range(len(bsns))]
    asyncio.run(node.publish([(soort, {**one, "bsn": bsn}) for one, bsn in zip(told, bsns, strict=True)]))
    asyncio.run(node.until_idle())


def houder(soort: str, i: int) -> dict[str, str]:
    return {"houder": "gm0363", "kenmerk": f"PW-{i}"} if soort == BIJSTAND else {}


def signals(node: Node) -> list[tuple[str, int, str]]:
    live = json.loads(cli(node, "signals", "gm0363", "--json").stdout)
    return sorted((s["kenmerk"], s["versie"], s["begindatum"]) for s in live)


def test_what_is_known_goes_over_to_the_new_number_and_what_still_comes_under_the_old_one_too(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    monkeypatch.setenv("SAMENLOOP_SLEUTEL", str(key))
    people = moving(node)
    old, new = [o for o, _ in people], [n for _, n in people]
    deliver(node, BIJSTAND, "b", 1, old)
    deliver(node, IKV, "ikv", 1, old)
    assert signals(node) == [(f"PW-{i}", 1, "2026-02-01") for i in range(PERSONS)]

    changes = [{"bsn": o, "nieuw_bsn": n, "versie": 1, "registratietijd": "2026-03-16T09:30:00+01:00"} for o, n in people]
    changes += [{**changes[0], "nieuw_bsn": old[0]}, {**changes[0], "versie": 2, "nieuw_bsn": "123456789"}]
    file = tmp_path / "wijzigingen.jsonl"
    file.write_text("".join(json.dumps(c) + "\n" for c in changes))
    done = cli(node, "publish", "rvig.nummerwijziging", str(file), "--json")
    assert json.loads(done.stdout) == {"regels": 8, "gepubliceerd": 6, "afgekeurd": {"VELD_WAARDE": 1, "BSN_ONGELDIG": 1}}
    asyncio.run(node.until_idle())
    assert signals(node) == [(f"PW-{i}", 3, "2026-02-01") for i in range(PERSONS)]

    assert node.stop_workers() == [0]
    node.start_worker()
    deliver(node, IKV, "ikv", 2, old, begindatum="2026-02-02")
    deliver(node, IKV, "ikv", 3, new, begindatum="2026-02-03")
    assert signals(node) == [(f"PW-{i}", 5, "2026-02-03") for i in range(PERSONS)]
    explained(node)
    deliver(node, BIJSTAND, "b", 2, old, einddatum="2026-02-02")
    assert signals(node) == []

    counts = asyncio.run(node.counts())
    assert counts["nummerwijzigingen opgeslagen"] == PERSONS
    assert counts[f"{node.app}-overdrachten opgeslagen"] == 3 * PERSONS
    assert counts[f"mutaties.{IKV} doorgegeven"] == counts[f"mutaties.{BIJSTAND} doorgegeven"] == PERSONS
    archive = str(tmp_path / "archief")
    assert cli(node, "archive", "--out", archive).returncode == 0
    replayed = cli(node, "replay", "--archive", archive, "--json")
    assert replayed.returncode == 0, replayed.stdout
    judged = cli(node, "verify", "--archive", archive, "--json")
    assert judged.returncode == 0, judged.stdout


def explained(node: Node) -> None:
    """Each version says what it came from, also across the numbers, and a dossier is found under either."""
    name = next(s["signaal_id"] for s in json.loads(cli(node, "signals", "gm0363", "--json").stdout) if s["kenmerk"] == "PW-0")
    told = json.loads(cli(node, "explain", name, "--json").stdout)
    assert [v["reden"]["code"] for v in told["versies"]] == ["GEDEELDE_DAG", "ANDER_NUMMER", "OVERGENOMEN", "GEWIJZIGD", "GEWIJZIGD"]
    assert "onder een eerder nummer geleverd" in told["versies"][3]["reden"]["tekst"]
    assert "onder een eerder nummer" in cli(node, "explain", name).stdout
    checked = cli(node, "explain", name, "--verify")
    assert (checked.returncode, checked.stderr) == (
        2,
        "samenloop: this signal is about a persoon whose number changed: 'replay' proves it\n",
    )
    why = json.loads(cli(node, "explain", "--why-not", "PW-0", "--ontvanger", "gm0363", "--json").stdout)
    assert [(p["code"], p["versie"], p["signaal_id"]) for p in why["pairs"]] == [("SIGNAAL", 3, name)]
