"""The brokers of the settings, with TLS and credentials when they are asked for."""

import ssl

from samenloop.errors import NotDoneError
from samenloop.settings import Settings
from schemas.brokers import Brokers, Security


def secured(settings: Settings, servers: str) -> str:
    """``servers`` with the security of the settings; raises NotDoneError when a file of theirs cannot be used."""
    if not settings.tls:
        return servers
    return Brokers(servers, Security(_context(settings), settings.sasl_mechanism, settings.sasl_username, _password(settings)))


def _context(settings: Settings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.tls_ca)
        if settings.tls_cert is not None:
            context.load_cert_chain(settings.tls_cert, settings.tls_key, password=_not_asked)
    except (OSError, ValueError) as e:  # ssl.SSLError is an OSError
        files = ", ".join(str(f) for f in (settings.tls_ca, settings.tls_cert, settings.tls_key) if f is not None)
        raise NotDoneError(f"tls: {files} cannot be used: {e}") from e
    return context


def _not_asked() -> str:
    """Without it OpenSSL would ask on the terminal, where nobody may be."""
    raise ValueError("the key is encrypted")


def _password(settings: Settings) -> str | None:
    if settings.sasl_password_file is not None:
        try:
            return settings.sasl_password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as e:
            raise NotDoneError(f"sasl_password_file: {settings.sasl_password_file} cannot be read") from e
    return None if settings.sasl_password is None else settings.sasl_password.get_secret_value()
