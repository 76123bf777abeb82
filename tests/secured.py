"""A real broker that lets people in over TLS with a password, and allows nothing that no rule names; its side door is the tests' own."""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from connectors.broker.embedded import EmbeddedBroker, _free_port
from connectors.broker.tools import tool_command

PASSWORD = "zeer-geheim"  # of everybody


@dataclass(frozen=True)
class Secured:
    """Where it is, and how one of its users comes in."""

    inside: str  # without security: a super user, for what the test itself looks at and prepares
    outside: str
    authority: Path

    def env(self, user: str, mechanism: str, password: str = PASSWORD) -> Mapping[str, str]:
        """The settings of ``user``, in the environment."""
        return {
            "SAMENLOOP_BROKERS": self.outside,
            "SAMENLOOP_TLS": "true",
            "SAMENLOOP_TLS_CA": str(self.authority),
            "SAMENLOOP_SASL_MECHANISM": mechanism,
            "SAMENLOOP_SASL_USERNAME": user,
            "SAMENLOOP_SASL_PASSWORD": password,
        }


@contextmanager
def a_secured_broker(home: Path, plain: tuple[str, ...], scram: tuple[str, ...]) -> Iterator[Secured]:
    """A broker that knows the users ``plain`` by PLAIN and ``scram`` by SCRAM-SHA-512."""
    inner, outer, authority = _free_port(), _free_port(), trustme.CA()
    authority.cert_pem.write_to_path(str(home / "ca.pem"))
    broker = EmbeddedBroker(home, port=inner, settings=_settings(inner, outer, authority.issue_cert("127.0.0.1"), plain))
    try:
        inside = broker.start().bootstrap
        for user in scram:
            entity = ("--entity-type", "users", "--entity-name", user)
            arguments = ("--alter", "--add-config", f"SCRAM-SHA-512=[password={PASSWORD}]", *entity)
            subprocess.run(tool_command("configs", arguments, inside), check=True, capture_output=True)
        yield Secured(inside, f"127.0.0.1:{outer}", home / "ca.pem")
    finally:
        broker.stop()


def _settings(inner: int, outer: int, leaf: trustme.LeafCert, plain: tuple[str, ...]) -> dict[str, str]:
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
    users = " ".join(f'user_{user}="{PASSWORD}"' for user in plain)
    login = "org.apache.kafka.common.security"
    controller = _free_port()
    return {
        "listeners": f"PLAINTEXT://127.0.0.1:{inner},SASL_SSL://127.0.0.1:{outer},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{inner},SASL_SSL://127.0.0.1:{outer}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": _one_line(pkcs8),
        "ssl.keystore.certificate.chain": _one_line(chain),
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": f"{login}.plain.PlainLoginModule required {users};",
        "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


def _one_line(pem: bytes) -> str:
    """As a properties file takes it."""
    return pem.decode().strip().replace("\n", "\\n")
