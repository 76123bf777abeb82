"""docker-compose.kafka.yml: no Docker engine is needed to see that it says what the embedded broker and the settings say."""

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from typer.testing import CliRunner

from connectors.broker.lock import KAFKA
from connectors.broker.settings import BROKER_SETTINGS
from samenloop.cli import app_of
from samenloop.settings import Settings
from streams.settings import EngineSettings

ROOT = Path(__file__).parents[2]
ITS_OWN = {  # where it must differ from loopback
    "KAFKA_LISTENERS",
    "KAFKA_ADVERTISED_LISTENERS",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
    "KAFKA_INTER_BROKER_LISTENER_NAME",
    "KAFKA_CONTROLLER_QUORUM_VOTERS",
    "KAFKA_LOG_DIRS",
}


@pytest.fixture(scope="module")
def services() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.kafka.yml").read_text())["services"]


def test_the_broker_is_the_locked_kafka(services: Any) -> None:
    assert services["broker"]["image"] == f"apache/kafka:{KAFKA}"


def test_the_broker_has_exactly_the_settings_of_the_embedded_one(services: Any) -> None:
    wanted = {"KAFKA_" + k.upper().replace(".", "_"): v for k, v in BROKER_SETTINGS.items()}
    given = services["broker"]["environment"]
    assert {k: v for k, v in given.items() if k not in ITS_OWN} == {k: v for k, v in wanted.items() if k not in ITS_OWN}
    assert set(given) >= ITS_OWN


def test_every_listener_has_a_protocol_and_only_loopback_is_published(services: Any) -> None:
    given = services["broker"]["environment"]
    names = {listener.split(":")[0] for listener in given["KAFKA_LISTENERS"].split(",")}
    assert {p.split(":")[0] for p in given["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")} == names
    assert {a.split(":")[0] for a in given["KAFKA_ADVERTISED_LISTENERS"].split(",")} == names - {"CONTROLLER"}
    assert all(port.startswith("127.0.0.1:") for port in services["broker"]["ports"])


@pytest.mark.parametrize("name", ["topics", "worker", "klok", "relay"])
def test_samenloop_gets_only_settings_that_it_knows(services: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = services[name]["environment"]
    assert {k.removeprefix("SAMENLOOP_").lower() for k in environment} <= set(Settings.model_fields)
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    settings = Settings()
    assert settings.brokers == "broker:19092"
    assert str(settings.partities) == BROKER_SETTINGS["num.partitions"]


def test_workers_wait_for_broker_and_topics_and_are_given_the_time_to_stop(services: Any) -> None:
    assert services["topics"]["depends_on"] == {"broker": {"condition": "service_healthy"}}
    for name in ("worker", "klok", "relay"):
        assert services[name]["depends_on"] == {"topics": {"condition": "service_completed_successfully"}}
        assert services[name]["restart"] == "on-failure"
    grace = int(services["worker"]["stop_grace_period"].removesuffix("s"))
    assert grace > EngineSettings("", "x", 1, Path()).stop_timeout


def test_the_health_of_a_worker_is_asked_where_it_is_told_and_stays_off_the_host(services: Any) -> None:
    worker = services["worker"]
    host, port = worker["environment"]["SAMENLOOP_HTTP"].split(":")
    command, *arguments = worker["healthcheck"]["test"]
    assert (command, arguments[0]) == ("CMD", "python"), "the image has no curl"
    assert f"'http://127.0.0.1:{port}/ready'" in arguments[-1]
    assert host == "0.0.0.0"
    assert "ports" not in worker
    assert "/samenloop/.venv/bin" in (ROOT / "Dockerfile").read_text(), "where that python stands"


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_healthcheck_of_a_worker_fails_exactly_when_it_is_not_ready(services: Any, status: int, code: int) -> None:
    async def scenario() -> int:
        async def ready(_: web.Request) -> web.Response:
            return web.Response(status=status)

        app = web.Application()
        app.add_routes([web.get("/ready", ready)])
        async with TestServer(app, host="127.0.0.1") as server:
            script = services["worker"]["healthcheck"]["test"][-1].replace(":8080/", f":{server.port}/")
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stderr=asyncio.subprocess.DEVNULL)
            return await process.wait()

    assert asyncio.run(scenario()) == code


def test_every_worker_has_a_name_of_its_own_that_a_restart_keeps(services: Any) -> None:
    assert services["worker"]["entrypoint"] == ["sh", "-c", "exec samenloop worker --instance-id $$HOSTNAME"]


@pytest.mark.parametrize("name", ["topics", "klok", "relay"])
def test_every_command_is_one_of_samenloop(services: Any, name: str) -> None:
    command = services[name]["command"]
    assert CliRunner().invoke(app_of(command[:1]), [*command, "--help"]).exit_code == 0


def test_what_up_runs_by_itself_stands_in_it_as_well(services: Any) -> None:
    assert services["klok"]["command"] == ["klok", "--every-day"]
    assert services["relay"]["command"] == ["relay"]


def test_the_image_takes_every_package_and_the_lock(services: Any) -> None:
    copied = [line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("COPY")]
    named = {word for line in copied for word in line.split()[1:-1]}
    assert named >= {"schemas", "streams", "connectors", "samenloop", "pyproject.toml", "uv.lock"}
    assert all((ROOT / name).exists() for name in named)
    assert {s["build"] for name, s in services.items() if name != "broker"} == {"."}
