"""The settings of a single-node Kafka, in one table: for the embedded broker and for docker-compose.kafka.yml."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

BROKER_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        # One node: everything that Kafka would replicate three times stands once.
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # Kafka's 50 partitions each cost start-up time and open files and bring one node nothing.
        "offsets.topic.num.partitions": "8",
        "transaction.state.log.num.partitions": "8",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
        "num.partitions": "4",
        # The committed offsets of an engine that stood still for months are still what it must go on from.
        "offsets.retention.minutes": "525600",
        # A crashed worker's transaction blocks read_committed ontvangers until it times out or is fenced.
        "transaction.max.timeout.ms": "60000",
    }
)


def properties(*, broker_port: int, controller_port: int, log_dir: str) -> str:
    """A server.properties for a broker on loopback."""
    places = {
        "listeners": f"PLAINTEXT://127.0.0.1:{broker_port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker_port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "log.dirs": log_dir,
    }
    return "".join(f"{k}={v}\n" for k, v in {**BROKER_SETTINGS, **places}.items())
