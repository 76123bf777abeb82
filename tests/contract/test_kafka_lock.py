"""The lock of the embedded Kafka: whole, of one version, able to run what is asked of it, and no other file passes for a jar."""

import re
import zipfile
from dataclasses import replace

import pytest

from connectors.broker.distribution import DistributionError, distribution
from connectors.broker.lock import KAFKA, ROOTS, Jar, read_lock
from connectors.broker.tools import TOOLS


@pytest.fixture(scope="module")
def jars() -> list[Jar]:
    return read_lock()


def test_every_jar_is_named_once_with_a_version_and_a_sha256(jars: list[Jar]) -> None:
    assert len({(j.group, j.artifact) for j in jars}) == len(jars) > len(ROOTS)
    for jar in jars:
        assert re.fullmatch(r"[0-9a-f]{64}", jar.sha256), jar
        assert re.fullmatch(r"[0-9][\w.-]*", jar.version), jar
        assert "SNAPSHOT" not in jar.version, jar
    assert len({j.sha256 for j in jars}) == len(jars)


def test_the_roots_are_locked_at_their_own_version(jars: list[Jar]) -> None:
    assert set(ROOTS) <= {f"{j.group}:{j.artifact}:{j.version}" for j in jars}


def test_all_of_kafka_is_of_one_version(jars: list[Jar]) -> None:
    assert {j.version for j in jars if j.group == "org.apache.kafka"} == {KAFKA}


def test_the_broker_and_every_console_tool_are_in_the_jars() -> None:
    held: set[str] = set()
    for path in distribution().jars:
        with zipfile.ZipFile(path) as jar:
            held.update(name for name in jar.namelist() if name.endswith(".class"))
    wanted = {"kafka.Kafka", "kafka.tools.StorageTool", *TOOLS.values()}
    assert {name for name in wanted if f"{name.replace('.', '/')}.class" not in held} == set()


@pytest.mark.parametrize("artifact", ["kafka_2.13", "slf4j-simple"])
def test_a_jar_with_another_hash_is_refused_by_name(jars: list[Jar], artifact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    other = [replace(j, sha256="0" * 64) if j.artifact == artifact else j for j in jars]
    assert other != jars
    monkeypatch.setattr("connectors.broker.distribution.read_lock", lambda: other)
    with pytest.raises(DistributionError, match=rf"^{re.escape(artifact)}-[\w.]+\.jar is not the locked file"):
        distribution()
