"""What all tests share: a catalogue, and one real broker for the whole run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bench.catalogues import job_catalogue
from connectors.broker.embedded import EmbeddedBroker
from schemas.catalogue import Catalogue
from tests.node import SHORT_SESSIONS, fresh_node

settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

# A broker that lives for some seconds never wins back what Java's second compiler costs: half of its CPU.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

os.environ.pop("SAMENLOOP_CALLED_AS", None)  # which `./run test` sets: a test calls the program by its own name


# So that two processes end at about the same time, each taking one file after the other.
LONGEST_FIRST = (
    "test_faults.py",
    "test_exactness.py",
    "test_scale.py",
    "test_engine.py",
    "test_retry.py",
    "test_simulation.py",
    "test_handling.py",
    "test_switch.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first."""
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """What of the published catalogue systems are compared on; most tests of the engine use it, with bronnen that filter themselves."""
    return Catalogue.load(job_catalogue(tmp_path_factory.mktemp("job")))


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The published catalogue."""
    return Catalogue.load()


@pytest.fixture(scope="session")
def broker_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data directory of the broker that all tests share."""
    return tmp_path_factory.mktemp("broker")


@pytest.fixture(scope="session")
def brokers(broker_dir: Path) -> Iterator[str]:
    """Bootstrap servers of a real Kafka, started once."""
    broker = EmbeddedBroker(broker_dir, settings=SHORT_SESSIONS)
    try:
        yield broker.start().bootstrap
    finally:
        broker.stop()


@pytest.fixture(scope="module")
def servers(brokers: str, broker_dir: Path, catalogue: Catalogue) -> Iterator[str]:
    """The shared broker, with the catalogue's topics made anew."""
    with fresh_node(brokers, broker_dir, catalogue) as node:
        yield node.brokers
