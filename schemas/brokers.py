"""Where Kafka is and what proves to it who we are: the options that every client of samenloop is made with."""

from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, Self


@dataclass(frozen=True)
class Security:
    """TLS, and with a mechanism also SASL; a password goes over TLS only."""

    context: SSLContext
    mechanism: str | None = None  # SCRAM-SHA-512 or PLAIN
    username: str | None = None
    password: str | None = field(default=None, repr=False)


class Brokers(str):
    """Bootstrap servers, comma-separated, that ask for ``security``. A plain str names servers that ask for none."""

    security: Security

    def __new__(cls, servers: str, security: Security) -> Self:
        """``servers`` is what is shown of it, wherever it is shown."""
        made = super().__new__(cls, servers)
        made.security = security
        return made


def client_options(brokers: str) -> dict[str, Any]:
    """The options of any aiokafka client for ``brokers``."""
    servers = {"bootstrap_servers": str(brokers)}
    if not isinstance(brokers, Brokers):
        return servers
    security = brokers.security
    if security.mechanism is None:
        return servers | {"security_protocol": "SSL", "ssl_context": security.context}
    return servers | {
        "security_protocol": "SASL_SSL",
        "ssl_context": security.context,
        "sasl_mechanism": security.mechanism,
        "sasl_plain_username": security.username,
        "sasl_plain_password": security.password,
    }
