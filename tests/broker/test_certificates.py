"""A client's own certificate, for brokers that ask for one."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, load_pem_private_key

from samenloop.context import brokers_of, settings_of
from samenloop.errors import NotDoneError
from schemas.brokers import client_options


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
    sealed = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"geheim"))
    (tmp_path / "own.pem").write_bytes(own.cert_chain_pems[0].bytes() + sealed)
    with pytest.raises(NotDoneError, match=r"own\.pem cannot be used: the key is encrypted"):
        brokers_of(settings_of(brokers="a:1", tls=True, tls_cert=tmp_path / "own.pem"))
