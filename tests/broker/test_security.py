"""Over TLS, with a password and the catalogue's ACLs: the main job runs, and nobody can do more than their own."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.helpers import create_ssl_context

import schemas
from connectors.broker.topics import apply_topics
from schemas.brokers import Brokers, Security, client_options
from schemas.catalogue import Catalogue
from tests.broker.test_commands import BIJSTAND, CLI, IKV, line
from tests.core.test_switch import changed, with_another_version
from tests.node import APP, KEY, PARTITIES, Node
from tests.secured import PASSWORD, Secured, a_secured_broker

PLAIN = ("gemeente", "uwv", "gm0363", "gm0599", "beheer", "audit")
DELIVERED = [
    line("b-1", 1, BIJSTAND, {"begindatum": "2026-01-01", "houder": "gm0363", "kenmerk": "PW-7"}),
    line("ikv-1", 1, IKV, {"begindatum": "2026-02-01", "einddatum": "2026-04-30"}),
]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Secured]:
    """A broker with the catalogue's topics and rules."""
    with a_secured_broker(tmp_path_factory.mktemp("secured"), PLAIN, (APP,)) as secured:
        asyncio.run(apply_topics(secured.inside, catalogue, partities=PARTITIES, replicatie=1, toepassing=APP))
        made = cli("topics", "acls", "--apply", env={"SAMENLOOP_BROKERS": secured.inside})
        assert (made.returncode, made.stderr) == (0, "")
        yield secured


@pytest.fixture(scope="module")
def worker_log(secured: Secured, tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> str:
    """What a worker with credentials of its own wrote, until the bronnen had delivered with theirs and it was told to stop."""
    data = tmp_path_factory.mktemp("node")
    node = Node(secured.inside, data, catalogue)
    worker = node.start_worker(**secured.env(APP, "SCRAM-SHA-512"))
    try:
        asyncio.run(node.until_ready(worker))
        for soort, delivery in DELIVERED:
            published = publish(secured, soort.split(".")[0], soort, delivery, data)
            assert published.returncode == 0, published.stderr
            asyncio.run(node.until_idle(60))
    finally:
        assert node.stop_workers() == [0]
    return node.logs()[0]


def cli(*args: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run([CLI, *args], env={**os.environ, **env}, capture_output=True, text=True, timeout=60, check=False)
    assert PASSWORD not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def publish(secured: Secured, user: str, soort: str, delivery: dict[str, object], data: Path) -> "subprocess.CompletedProcess[str]":
    key, file = data / "test.key", data / "line.jsonl"
    key.touch(0o600)
    key.write_bytes(KEY)
    file.write_text(json.dumps(delivery))
    return cli("publish", soort, str(file), env={**secured.env(user, "PLAIN"), "SAMENLOOP_SLEUTEL": str(key)})


def test_the_main_job_runs_and_each_reads_its_own(secured: Secured, worker_log: str) -> None:
    shown = cli("signals", "gm0363", "--json", env=secured.env("gm0363", "PLAIN"))
    assert shown.returncode == 0, shown.stderr
    assert [s["kenmerk"] for s in json.loads(shown.stdout)] == ["PW-7"]
    followed = cli("follow", "gm0363", "--from-beginning", "--group", "gm0363-1", "--max-messages", "1", env=secured.env("gm0363", "PLAIN"))
    assert (followed.returncode, "NIEUW" in followed.stdout) == (0, True), followed.stderr
    listed = cli("quarantine", "list", env=secured.env("beheer", "PLAIN"))
    assert (listed.returncode, listed.stderr) == (0, "")
    assert PASSWORD not in worker_log
    assert "worker failed" not in worker_log


@pytest.mark.parametrize("command", ["signals", "follow", "console"])
def test_an_ontvanger_cannot_read_anothers_topic(secured: Secured, command: str) -> None:
    args = ("console", "signalen.gm0363") if command == "console" else (command, "gm0363")
    denied = cli(*args, env=secured.env("gm0599", "PLAIN"))
    assert (denied.returncode, denied.stdout) == (2, "")
    assert "signalen.gm0363" in denied.stderr


def test_a_bron_cannot_write_anothers_topic(secured: Secured, tmp_path: Path) -> None:
    denied = publish(secured, "uwv", *DELIVERED[0], tmp_path)
    assert (denied.returncode, denied.stdout) == (2, "")
    assert f"mutaties.{BIJSTAND}" in denied.stderr


@pytest.mark.parametrize(
    "topic",
    [
        f"mutaties.{IKV}",
        "signalen.gm0363",
        "terugmeldingen.gm0599",
        "afhandelingen",
        "nummerwijzigingen",
        f"{APP}-overdrachten",
        "volgverzoeken.uwv",
        "klok",
        f"{APP}-personen-changelog",
    ],
)
async def test_nobody_but_who_must_can_write(secured: Secured, topic: str) -> None:
    """Past our own commands: Kafka itself refuses."""
    for user in ("gemeente", "gm0363", "audit"):
        with pytest.raises(TopicAuthorizationFailedError):
            async with producer(secured, user) as sending:
                await sending.send_and_wait(topic, b"x", partition=0)


@pytest.mark.usefixtures("worker_log")
def test_an_auditor_keeps_an_archive_and_proves_it_with_what_the_rules_allow(secured: Secured, tmp_path: Path) -> None:
    auditor = secured.env("audit", "PLAIN") | {"SAMENLOOP_TOEPASSING": APP}
    kept = cli("archive", "--out", str(tmp_path / "kept"), "--json", env=auditor)
    assert (kept.returncode, kept.stderr) == (0, "")
    records = json.loads(kept.stdout)["records"]
    assert {records[f"mutaties.{BIJSTAND}"], records[f"mutaties.{IKV}"], records["signalen.gm0363"]} == {1}
    assert records[f"{APP}-verloop"]
    assert records["volgverzoeken.uwv"]

    proved = cli("replay", "--archive", str(tmp_path / "kept"), "--data", str(tmp_path), "--json", env=auditor)
    assert (proved.returncode, json.loads(proved.stdout)["same"]) == (0, 1), proved.stderr


@pytest.mark.usefixtures("worker_log")
def test_the_node_takes_its_state_to_other_rules_under_its_own_name(secured: Secured, tmp_path: Path) -> None:
    published = tmp_path / "published"
    shutil.copytree(Path(schemas.__file__).parent, published, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    changed(published, tmp_path / "other", with_another_version)
    node = secured.env(APP, "SCRAM-SHA-512") | {"SAMENLOOP_PARTITIES": str(PARTITIES), "SAMENLOOP_DATA": str(tmp_path)}
    switched = cli("switch", "--to", str(tmp_path / "other"), "--json", env=node)
    assert switched.returncode == 0, switched.stderr
    assert json.loads(switched.stdout)["persons"] == 1


def producer(secured: Secured, user: str, password: str = PASSWORD) -> AIOKafkaProducer:
    context = create_ssl_context(cafile=str(secured.authority))
    return AIOKafkaProducer(**client_options(Brokers(secured.outside, Security(context, "PLAIN", user, password))))


@pytest.mark.parametrize(
    "changed", [{"SAMENLOOP_SASL_PASSWORD": "verkeerd"}, {"SAMENLOOP_SASL_USERNAME": "niemand"}, {"SAMENLOOP_TLS_CA": ""}]
)
def test_who_cannot_prove_it_is_let_in_nowhere(secured: Secured, changed: dict[str, str]) -> None:
    env = {name: value for name, value in {**secured.env("gm0363", "PLAIN"), **changed}.items() if value}
    denied = cli("signals", "gm0363", env=env)
    assert (denied.returncode, denied.stdout) == (2, "")
    assert denied.stderr.endswith("or it does not take this TLS, name or password\n")
    assert denied.stderr.count("\n") == 1


def test_the_rules_are_made_once_and_what_is_allowed_besides_is_told(secured: Secured) -> None:
    inside = {"SAMENLOOP_BROKERS": secured.inside}
    again = cli("topics", "acls", "--apply", env=inside)
    assert (again.returncode, again.stdout, again.stderr) == (0, "the cluster had all rules of the catalogue\n", "")
    rule = ("--allow-principal", "User:gm0599", "--operation", "Read", "--topic", "signalen.gm0363")
    assert cli("kafka", "acls", "--add", *rule, env=inside).returncode == 0
    told = cli("topics", "acls", "--apply", env=inside)
    assert cli("kafka", "acls", "--remove", "--force", *rule, env=inside).returncode == 0
    assert (told.returncode, told.stderr) == (1, "besides  User:gm0599 from *  READ  topic  signalen.gm0363\n")
