"""The commands of the ontvanger and the operator, as a user runs them, on a node with a worker."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from connectors.bronnen.population.persons import synthetic_bsns
from schemas.catalogue import Catalogue
from tests.node import Node, node_in
from tests.scenarios.story import ALWAYS, BSN

CLI = str(Path(sys.executable).with_name("samenloop"))
BIJSTAND, IKV, UITKERING = "gemeente.bijstand", "uwv.inkomstenverhouding", "uwv.uitkering"


def line(record_id: str, versie: int, soort: str, feit: dict[str, object] | None) -> tuple[str, dict[str, object]]:
    whole = None if feit is None else {**ALWAYS[soort], **feit}
    return soort, {"bsn": BSN, "record_id": record_id, "versie": versie, "registratietijd": "2026-03-01T09:00:00Z", "feit": whole}


DELIVERED = [
    line("b-1", 1, BIJSTAND, {"begindatum": "2026-01-01", "houder": "gm0363", "kenmerk": "PW-7"}),
    line("ikv-1", 1, IKV, {"begindatum": "2026-02-01", "einddatum": "2026-04-30"}),
    line("ikv-1", 2, IKV, {"begindatum": "2026-02-01", "einddatum": "2026-05-31"}),
    line("ikv-2", 1, IKV, {"begindatum": "2025-01-01", "einddatum": "2025-12-31"}),
    line("ikv-3", 1, IKV, {"begindatum": "2026-03-01", "loonheffingennummer": "987654321L01"}),
    line("ikv-3", 2, IKV, None),
]


OTHER_BSN = next(bsn for bsn in synthetic_bsns() if bsn != BSN)
ELSEWHERE = [
    (soort, {**told, "bsn": OTHER_BSN, "registratietijd": f"2026-03-{5 * number:02d}T09:00:00Z"})
    for number, (soort, told) in enumerate(
        (
            line("b-9", 1, BIJSTAND, {"begindatum": "2026-01-01", "houder": "gm0599", "kenmerk": "R-9"}),
            line("uitk-9", 1, UITKERING, {"begindatum": "2026-02-01", "einddatum": "2026-04-30"}),
            line("uitk-9", 2, UITKERING, {"begindatum": "2026-02-01", "einddatum": "2026-06-30"}),
        ),
        1,
    )
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Node]:
    """A node on which one persoon has a benefit and three jobs: one overlaps, one does not, one is withdrawn."""
    with node_in(tmp_path_factory.mktemp("commands"), catalogue) as node:
        asyncio.run(_deliver(node))
        yield node


async def _deliver(node: Node) -> None:
    node.start_worker()
    for delivery in DELIVERED + ELSEWHERE:  # one after the other: the order between topics is part of what is shown
        await node.publish([delivery])
        await node.until_idle(60)
    first = (await node.records(["signalen.gm0363"]))[0]
    producer = AIOKafkaProducer(bootstrap_servers=node.brokers, transactional_id="by-hand")
    await producer.start()
    async with producer.transaction():  # what an ontvanger may meet after a torn transaction: the same signal, byte for byte
        await producer.send("signalen.gm0363", first.value, first.key, headers=list(first.headers))
    await producer.begin_transaction()
    await producer.send_and_wait("signalen.gm0363", first.value.replace(b'"versie":1,"soort"', b'"versie":9,"soort"', 1), first.key)
    await producer.abort_transaction()
    await producer.stop()
    bron = AIOKafkaProducer(bootstrap_servers=node.brokers)
    await bron.start()
    await bron.send_and_wait("mutaties.gemeente.bijstand", b"\x07nonsense", b"A" * 52, partition=0)
    told = (await node.records(["signalen.gm0599"]))[0]  # somebody changes a day of a signal, and says it again
    await bron.send_and_wait("signalen.gm0599", told.value.replace(b"2026-04-30", b"2026-12-31"), told.key)
    await bron.stop()
    await node.until_idle(60)


def cli(node: Node, *args: str, timeout: float = 60) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, "SAMENLOOP_BROKERS": node.brokers, "SAMENLOOP_DATA": str(node.data)}
    done = subprocess.run([CLI, *args], env=env, capture_output=True, text=True, timeout=timeout, check=False)
    assert BSN not in done.stdout + done.stderr
    assert OTHER_BSN not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def followed(node: Node, number: int) -> list[dict[str, object]]:
    done = cli(node, "follow", "Amsterdam", "--from-beginning", "--json", "--max-messages", str(number))
    return [json.loads(one) for one in done.stdout.splitlines()]


def test_follow_shows_each_signal_once_although_one_was_delivered_twice_and_one_aborted(node: Node) -> None:
    assert len(asyncio.run(node.records(["signalen.gm0363"]))) == 5
    shown = followed(node, 4)
    assert [(s["feit"]["record_id"], s["versie"], s["soort"]) for s in shown] == [  # type: ignore[index]
        ("ikv-1", 1, "NIEUW"),
        ("ikv-1", 2, "GEWIJZIGD"),
        ("ikv-3", 1, "NIEUW"),
        ("ikv-3", 2, "VERVALLEN"),
    ]
    with pytest.raises(subprocess.TimeoutExpired):  # there is no fifth
        cli(node, "follow", "gm0363", "--from-beginning", "--max-messages", "5", timeout=6)


def test_follow_ends_quietly_on_ctrl_c(node: Node) -> None:
    env = {**os.environ, "SAMENLOOP_BROKERS": node.brokers}
    command = [CLI, "follow", "0363", "--from-beginning"]
    follow = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert follow.stdout is not None
    assert "NIEUW" in follow.stdout.readline()
    follow.send_signal(signal.SIGINT)
    _, errors = follow.communicate(timeout=20)
    assert (follow.returncode, errors) == (0, "")


def test_signals_shows_what_stands(node: Node) -> None:
    standing = json.loads(cli(node, "signals", "gm0363", "--json").stdout)
    assert [(s["feit"]["record_id"], s["einddatum"]) for s in standing] == [("ikv-1", "2026-05-31")]
    table = cli(node, "signals", "gm0363").stdout
    assert standing[0]["signaal_id"] in table
    assert "1 feb 2026 t/m 31 mei 2026" in table


def test_explain_names_the_law_the_records_the_days_and_the_cause_of_each_version(node: Node) -> None:
    name = str(followed(node, 1)[0]["signaal_id"])
    text = cli(node, "explain", name).stdout
    for part in (
        "Participatiewet art. 53a", "samenloop, versie 1", "PW-7", "b-1, versie 1", "ikv-1, versie 2", "mutaties.uwv.inkomstenverhouding-",
        "Gedeelde dagen: 1 feb 2026 t/m 31 mei 2026", "1. NIEUW, 1 feb 2026 t/m 30 apr 2026", "2. GEWIJZIGD",
        "loonheffingennummer = 123456789L01",
    ):  # fmt: skip
        assert part in text
    assert "quarantaine" not in text, "the record in quarantine is about another persoon"
    told = json.loads(cli(node, "explain", name, "--ontvanger", "gm0363", "--json").stdout)
    assert [(v["versie"], v["reden"]["code"]) for v in told["versies"]] == [(1, "GEDEELDE_DAG"), (2, "GEWIJZIGD")]
    assert told["versies"][1]["reden"]["tekst"].endswith("anders dan in versie 1: de gedeelde dagen")
    assert told["dienst"]["grondslag"][0].startswith("Participatiewet")
    assert (told["regel"], told["geldt"]) == ({"patroon": "samenloop", "versie": 1}, True)
    assert all(m["present"] for m in told["mutaties"].values())
    assert told["quarantined"] == []


@pytest.mark.parametrize(
    ("args", "standing"),
    [
        (("--known-on", "2026-03-09"), []),
        (("--known-on", "2026-03-10"), ["2026-04-30"]),
        (("--known-on", "2026-03-10", "--about", "2026-04-30"), ["2026-04-30"]),
        (("--known-on", "2026-03-10", "--about", "2026-05-01"), []),
        (("--known-on", "2026-03-15T08:59:59Z"), ["2026-04-30"]),
        (("--known-on", "2026-03-15T10:00:00+01:00", "--about", "2026-05-01"), ["2026-06-30"]),
        (("--about", "2026-07-01"), []),
    ],
)
def test_signals_shows_what_could_be_known_then_and_held_on_a_day(node: Node, args: tuple[str, ...], standing: list[str]) -> None:
    """The record was registered on 10 March, and its days were corrected on 15 March."""
    assert [s["einddatum"] for s in json.loads(cli(node, "signals", "gm0599", "--json", *args).stdout)] == standing


def test_explain_tells_what_could_be_known_then_and_whether_it_held_on_a_day(node: Node) -> None:
    name = asyncio.run(node.records(["signalen.gm0599"]))[0].key.decode()
    told = json.loads(cli(node, "explain", name, "--known-on", "2026-03-12", "--about", "2026-05-01", "--json").stdout)
    assert ([v["versie"] for v in told["versies"]], told["op_dag"]) == ([1], {"dag": "2026-05-01", "geldt": False})
    assert "Op 1 mei 2026: ja, een gedeelde dag" in cli(node, "explain", name, "--about", "2026-05-01").stdout
    early = cli(node, "explain", name, "--known-on", "2026-03-09")
    assert early.returncode == 2
    assert "could not be known yet" in early.stderr


def test_explain_says_why_a_signal_no_longer_holds(node: Node) -> None:
    name = next(str(s["signaal_id"]) for s in followed(node, 4) if s["soort"] == "VERVALLEN")
    assert "Dit signaal geldt niet meer: versie 2 van het feit trekt het in." in cli(node, "explain", name).stdout
    told = json.loads(cli(node, "explain", name, "--json").stdout)
    assert (told["geldt"], told["versies"][-1]["reden"]["code"]) == (False, "INGETROKKEN")


def test_explain_verify_replays_the_records_and_gets_the_same_bytes(node: Node) -> None:
    looked_at = {"ikv-1": 3, "ikv-3": 6}  # of this persoon: the basisfeit, and all that may go on as one, up to the last that is cited
    for name, record in {(str(s["signaal_id"]), s["feit"]["record_id"]) for s in followed(node, 4)}:
        done = cli(node, "explain", name, "--ontvanger", "gm0363", "--verify")
        assert done.returncode == 0, done.stdout
        assert "alle 2 versies komen er byte voor byte zo uit" in done.stdout
        told = json.loads(cli(node, "explain", name, "--ontvanger", "gm0363", "--verify", "--json").stdout)
        assert told["controle"]["klopt"]
        assert len(told["controle"]["records"]) == looked_at[record]


def test_explain_verify_names_the_field_of_a_signal_that_somebody_changed(node: Node) -> None:
    name = asyncio.run(node.records(["signalen.gm0599"]))[0].key.decode()
    done = cli(node, "explain", name, "--verify")
    assert done.returncode == 1
    assert 'einddatum: verzonden "2026-12-31", de records geven "2026-04-30"' in done.stdout
    (difference,) = json.loads(cli(node, "explain", name, "--verify", "--json").stdout)["controle"]["verschillen"]
    assert (difference["versie"], difference["soort"], len(difference["velden"])) == (1, "ANDERS", 2)


def test_explain_why_not_gives_a_reason_for_each_record(node: Node) -> None:
    told = json.loads(cli(node, "explain", "--why-not", "PW-7", "--ontvanger", "gm0363", "--json").stdout)
    assert {p["record_id"]: (p["signaal"], p["code"], p["reden"]) for p in told["pairs"]} == {
        "ikv-1": (True, "SIGNAAL", "gedeelde dagen: er is een signaal"),
        "ikv-2": (False, "GEEN_GEDEELDE_DAG", "geen gedeelde dag"),
        "ikv-3": (False, "INGETROKKEN", "het record is ingetrokken"),
    }
    assert [p["signaal_id"] for p in told["pairs"] if p["signaal"]] == [followed(node, 1)[0]["signaal_id"]]
    assert cli(node, "explain", "--why-not", "PW-7", "--ontvanger", "gm0599").returncode == 2, "a kenmerk means nothing elsewhere"


def test_explain_why_not_answers_about_a_persoon_by_pseudonym(node: Node) -> None:
    persoon = asyncio.run(node.records([f"mutaties.{IKV}"]))[0].key.decode()
    told = json.loads(cli(node, "explain", "--why-not", persoon, "--json").stdout)
    assert {(p["ontvanger"], p["basisfeit"]) for p in told["pairs"]} == {("gm0363", "b-1")}
    assert len(told["pairs"]) == 3
    assert json.loads(cli(node, "explain", "--why-not", persoon, "--ontvanger", "gm0599", "--json").stdout)["pairs"] == []


def test_console_decodes_avro_and_shows_quarantine_with_its_reason(node: Node) -> None:
    done = cli(node, "console", f"mutaties.{IKV}", "--from-beginning", "--max-messages", "5")
    records = [json.loads(one) for one in done.stdout.splitlines()]
    assert records[0]["value"]["feit"]["einddatum"] == "2026-04-30"
    assert records[4]["value"]["feit"] is None
    assert records[0]["headers"]["ce_type"] == "nl.samenloop.mutatie.vastgesteld.v1"
    held = json.loads(cli(node, "console", "quarantaine", "--from-beginning", "--max-messages", "1").stdout)
    assert held["headers"]["reden"] == "MAGISCHE_BYTE"
    assert bytes.fromhex(held["hex"]) == b"\x07nonsense"


def test_the_console_tool_of_apache_prints_a_readable_signal_with_its_headers(node: Node) -> None:
    flags = ["--topic", "signalen.gm0363", "--from-beginning", "--max-messages", "1", "--property", "print.headers=true"]
    said = cli(node, "kafka", "console-consumer", *flags).stdout
    assert "ce_type:nl.samenloop.signaal.nieuw.v1" in said
    assert "ce_subject:PW-7" in said
    assert json.loads(said.split("\t")[-1])["kenmerk"] == "PW-7"


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("follow", "Amstedam"), "did you mean Amsterdam"),
        (("console", "nowhere"), "there is no topic nowhere"),
        (("explain", "00000000-0000-0000-0000-000000000000"), "there is no signal"),
        (("explain",), "name a SIGNAAL_ID"),
        (("explain", "--why-not", "PW-7"), "needs --ontvanger"),
        (("publish", "uwv.auto", "x.jsonl"), "there is no uwv.auto"),
    ],
)
def test_what_does_not_exist_is_named_on_stderr_with_exit_code_2(node: Node, args: tuple[str, ...], word: str) -> None:
    done = cli(node, *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr


def test_topics_are_those_of_the_catalogue_and_a_second_apply_makes_none(node: Node) -> None:
    assert cli(node, "topics", "diff").returncode == 0
    assert "had all topics" in cli(node, "topics", "apply").stdout
    other = subprocess.run(
        [CLI, "topics", "diff"],
        env={**os.environ, "SAMENLOOP_BROKERS": node.brokers, "SAMENLOOP_PARTITIES": "8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert other.returncode == 1
    assert "klok  has 4 partitions, the settings say 8" in other.stderr
