"""TLS and SASL of the settings: whole or refused, and a password is never shown."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key

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


@pytest.mark.parametrize("apart", [True, False])
def test_a_client_may_have_a_certificate_of_its_own_with_its_key_apart_or_in_the_same_file(tmp_path: Path, *, apart: bool) -> None:
    own, ca = trustme.CA().issue_cert("uwv.example"), tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(ca))
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "own.pem"))
    key = tmp_path / ("key.pem" if apart else "own.pem")
    own.private_key_pem.write_to_path(str(key), append=not apart)
    given = {"tls": True, "tls_ca": ca, "tls_cert": tmp_path / "own.pem"} | ({"tls_key": key} if apart else {})
    assert client_options(brokers_of(settings_of(brokers="a:1", **given)))["security_protocol"] == "SSL"


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(tmp_path: Path) -> None:
    own = trustme.CA().issue_cert("uwv.example")
    key = load_pem_private_key(own.private_key_pem.bytes(), None)
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode()))
    (tmp_path / "own.pem").write_bytes(own.cert_chain_pems[0].bytes() + sealed)
    with pytest.raises(NotDoneError, match=r"own\.pem cannot be used: the key is encrypted"):
        brokers_of(settings_of(brokers="a:1", tls=True, tls_cert=tmp_path / "own.pem"))


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
