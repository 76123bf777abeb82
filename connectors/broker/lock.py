"""The lock of the embedded Kafka: every jar by coordinates and SHA-256. ``python -m connectors.broker.lock`` renews it."""

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jgo.maven import Artifact, MavenContext

LOCK_FILE: Final = Path(__file__).with_name("kafka.lock.toml")
KAFKA: Final = "4.1.1"
ROOTS: Final = (
    f"org.apache.kafka:kafka_2.13:{KAFKA}",
    f"org.apache.kafka:kafka-tools:{KAFKA}",
    "org.slf4j:slf4j-simple:1.7.36",  # where the broker's log goes; Kafka itself brings none
)


@dataclass(frozen=True)
class Jar:
    """One jar of the distribution."""

    group: str
    artifact: str
    version: str
    sha256: str

    def located(self, context: MavenContext) -> Artifact:
        """The jar in a Maven context."""
        return context.project(self.group, self.artifact).at_version(self.version).artifact()


def sha256_of(file: Path) -> str:
    """Hex digest of a file."""
    with file.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def read_lock(file: Path = LOCK_FILE) -> list[Jar]:
    """The jars that the lock names."""
    return [Jar(**jar) for jar in tomllib.loads(file.read_text(encoding="utf-8"))["jar"]]


def renew(file: Path = LOCK_FILE) -> list[Jar]:
    """Resolve ROOTS with all they need and write the lock anew."""
    context = MavenContext()
    unused = [context.project("org.apache.kafka", "connect-runtime")]  # Kafka Connect's server, a third of all jars
    inputs, others = context.resolver.resolve([context.create_dependency(root, unused) for root in ROOTS])
    wanted = {
        (d.groupId, d.artifactId, d.version) for d in (*inputs, *others) if d.type == "jar" and d.scope in {None, "compile", "runtime"}
    }
    jars = [Jar(g, a, v, sha256_of(context.project(g, a).at_version(v).artifact().resolve())) for g, a, v in sorted(wanted)]
    rows = [f'[[jar]]\ngroup = "{j.group}"\nartifact = "{j.artifact}"\nversion = "{j.version}"\nsha256 = "{j.sha256}"\n' for j in jars]
    file.write_text("# Written by `python -m connectors.broker.lock`.\n\n" + "\n".join(rows), encoding="utf-8")
    return jars


if __name__ == "__main__":
    renew()
