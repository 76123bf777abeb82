"""Pseudonyms and the file of their key."""

import base64
import hmac
import multiprocessing
import re
from pathlib import Path

import pytest
from hypothesis import given

from connectors.bronnen.pseudonym import KEY_BYTES, KeyFileError, Pseudonymiser, read_key, read_or_make_key
from samenloop.context import settings_of
from samenloop.edge import pseudonymiser_of
from samenloop.errors import NotDoneError
from tests.core.edge import BSN, KEY, bsns


@given(bsns)
def test_a_persoon_is_the_hmac_of_the_bsn_in_base32(bsn: str) -> None:
    whole = base64.b32encode(hmac.digest(KEY, bsn.encode(), "sha256")).decode()
    assert Pseudonymiser(KEY).persoon(bsn) == whole.strip("=")
    assert re.fullmatch("[A-Z2-7]{52}", Pseudonymiser(KEY).persoon(bsn))


def test_the_order_of_the_calls_does_not_matter() -> None:
    one = Pseudonymiser(KEY)
    first = one.persoon(BSN)
    one.persoon("111222333")
    assert one.persoon(BSN) == first


def test_another_key_gives_another_persoon() -> None:
    assert Pseudonymiser(KEY).persoon(BSN) != Pseudonymiser(bytes(32)).persoon(BSN)


def test_the_key_is_made_for_its_owner_only_and_stays(tmp_path: Path) -> None:
    file = tmp_path / "new" / "persoon.key"
    key = read_or_make_key(file)
    assert (len(key), file.stat().st_mode & 0o777) == (KEY_BYTES, 0o600)
    assert read_or_make_key(file) == read_key(file) == key
    assert [f.name for f in file.parent.iterdir()] == ["persoon.key"]


def _race(file: Path, gate, found) -> None:
    gate.wait()
    found.put(read_or_make_key(file))


def test_processes_that_race_get_the_same_key(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    gate, found = spawn.Barrier(3), spawn.Queue()
    racers = [spawn.Process(target=_race, args=(tmp_path / "k" / "persoon.key", gate, found)) for _ in range(3)]
    for racer in racers:
        racer.start()
    keys = {found.get(timeout=30) for _ in racers}
    for racer in racers:
        racer.join(30)
    assert len(keys) == 1
    assert len(list((tmp_path / "k").iterdir())) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "persoon.key"
    file.write_bytes(KEY)
    file.chmod(mode)
    with pytest.raises(KeyFileError, match=rf"persoon\.key: others than its owner may use it .mode {mode:04o}.; 0600 is needed"):
        read_or_make_key(file)


@pytest.mark.parametrize("key", [b"", KEY[:-1], KEY + b"\n"])
def test_a_key_of_another_length_is_refused_and_not_shown(tmp_path: Path, key: bytes) -> None:
    file = tmp_path / "persoon.key"
    file.touch(0o600)
    file.write_bytes(key)
    with pytest.raises(KeyFileError, match="a key has 32 bytes") as e:
        read_or_make_key(file)
    assert "\\x" not in str(e.value)


def test_a_place_where_no_key_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyFileError, match=r"file/persoon\.key: a key could not be made"):
        read_or_make_key(tmp_path / "file" / "persoon.key")


def test_no_key_is_made_behind_a_name_that_the_user_gave(tmp_path: Path) -> None:
    settings = settings_of(data=tmp_path, sleutel=tmp_path / "mistyped.key")
    with pytest.raises(NotDoneError, match=r"key: .*mistyped.key: No such file"):
        pseudonymiser_of(settings)
    assert not list(tmp_path.iterdir())
    pseudonymiser_of(settings_of(data=tmp_path))
    assert [f.name for f in tmp_path.iterdir()] == ["persoon.key"]
