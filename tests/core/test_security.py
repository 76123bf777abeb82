"""TLS and SASL of the settings: whole or refused, and a password is never shown."""

from pathlib import Path

import pytest

from samenloop.context import brokers_of, settings_of
from samenloop.errors import NotDoneError
from schemas.brokers import Brokers, client_options

PASSWORD = "geheim-woord"
SASL = {"tls": True, "sasl_mechanism": "SCRAM-SHA-512", "sasl_username": "uwv"}


def test_without_tls_a_client_is_given_the_servers_and_nothing_else() -> None:
    assert client_options(brokers_of(settings_of(brokers="a:1,b:2"))) == {"bootstrap_servers": "a:1,b:2"}


def test_with_tls_every_client_is_given_a_context_that_checks_who_the_broker_is() -> None:
    options = client_options(brokers_of(settings_of(brokers="a:1", tls=True)))
    assert options["security_protocol"] == "SSL"
    assert options["ssl_context"].check_hostname
    assert not [name for name in options if name.startswith("sasl")]


@pytest.mark.parametrize("where", ["environment", "file"])
def test_the_password_comes_from_the_environment_or_a_file_and_is_never_shown(
    where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if where == "environment":
        monkeypatch.setenv("SAMENLOOP_SASL_PASSWORD", PASSWORD)
    else:
        (tmp_path / "word").write_text(f"{PASSWORD}\n")
        monkeypatch.setenv("SAMENLOOP_SASL_PASSWORD_FILE", str(tmp_path / "word"))
    settings = settings_of(brokers="a:1", **SASL)
    brokers = brokers_of(settings)
    options = client_options(brokers)
    assert (options["security_protocol"], options["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("uwv", PASSWORD)
    assert isinstance(brokers, Brokers)
    assert PASSWORD not in f"{settings!r} {settings} {brokers!r} {brokers} {brokers.security!r} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({**SASL, "tls": False, "sasl_password": PASSWORD}, "need tls"),
        (SASL, "one of sasl_password and sasl_password_file"),
        ({**SASL, "sasl_password": PASSWORD, "sasl_password_file": "x"}, "one of sasl_password and sasl_password_file"),
        ({"tls": True, "sasl_password": PASSWORD}, "SASL needs sasl_mechanism"),
        ({**SASL, "sasl_mechanism": "SCRAM-SHA-256", "sasl_password": PASSWORD}, "SCRAM-SHA-512"),
        ({"tls": True, "tls_key": "k.pem"}, "tls_key needs tls_cert"),
        ({"tls": True, "tls_ca": "nowhere.pem"}, "nowhere.pem cannot be used"),
        ({**SASL, "sasl_password_file": "nowhere"}, "nowhere cannot be read"),
    ],
)
def test_what_is_not_whole_is_refused_with_what_is_missing(given: dict[str, object], said: str) -> None:
    with pytest.raises(NotDoneError, match=said) as refused:
        brokers_of(settings_of(brokers="a:1", **given))
    assert PASSWORD not in str(refused.value)
