"""Proofs as files: each says what it proves to whoever has the public keys, and nothing once a character of it is changed."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from samenloop.cli import app_of
from samenloop.proving import Found, found_in_archive, proof_of_record, proof_since
from schemas.catalogue import Catalogue
from streams.audit.archive import Archive
from streams.proof.checkpoint import Keys, Log, checkpoint_of
from streams.proof.entry import key_and_value
from streams.proof.evidence import proven
from streams.proof.grown import CHECKPOINT, folder_of
from streams.proof.note import NoteError, note_of
from streams.proof.published import Published
from tests.kept import World, keep
from tests.logs import COSIGNER_OF_AMSTERDAM, SIGNER, cosigned, sign_world

KEYS = Keys(SIGNER.verifier, (COSIGNER_OF_AMSTERDAM.verifier,))
SIGNALEN = Log("signalen.gm0363", 0)
SIGNAAL_ID = "0b5e0c5e-5f0c-5a3c-8d3b-0123456789ab"


class Signed:
    """Signals of Amsterdam under two checkpoints, of 5 and of 300 records; the second is countersigned."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self.logs = folder / "logs"
        world, published = World(catalogue, seed=1), Published()
        for end in (5, 300):
            for i in range(len(world.log.get(SIGNALEN, [])), end):
                key = SIGNAAL_ID if i in {7, 40} else f"{i:032x}"
                world.append(*SIGNALEN, key.encode(), b'{"versie":%d}' % i, [("ce_id", b"%d" % i)])
            sign_world(world, self.logs, published)
            if end == 5:
                self.first = note_of((self.own / CHECKPOINT).read_bytes())
        self.note = cosigned(note_of((self.own / CHECKPOINT).read_bytes()))
        (self.own / CHECKPOINT).write_text(str(self.note))
        self.rows = world.log[SIGNALEN]
        self.archive = keep(folder / "archive", world)

    @property
    def own(self) -> Path:
        return folder_of(self.logs, SIGNALEN)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Signed:
    return Signed(tmp_path_factory.mktemp("signed"), catalogue)


@pytest.mark.parametrize("index", [0, 255, 256, 299])
def test_a_proof_says_of_a_record_where_it_stood_and_what_it_was(signed: Signed, index: int) -> None:
    row = signed.rows[index]
    found = proven(proof_of_record(signed.logs, Found(SIGNALEN, row.offset, row), with_record=True).encode(), KEYS)
    assert found.entry is not None
    assert found.record is not None
    assert (found.entry.offset, found.entry.timestamp) == (row.offset, row.timestamp)
    assert key_and_value(found.record) == (row.key, row.value)
    assert found.checkpoint == checkpoint_of(signed.note.text)
    assert found.cosigners == [COSIGNER_OF_AMSTERDAM.name]


def test_a_signal_is_meant_in_its_newest_version(signed: Signed) -> None:
    found = found_in_archive(signed.archive, SIGNAAL_ID, ["gm0599", "gm0363"])
    assert (found.log, found.row) == (SIGNALEN, signed.rows[40])


def test_the_log_proves_a_record_that_is_no_longer_there_by_its_hash(signed: Signed) -> None:
    gone = Found(SIGNALEN, signed.rows[3].offset, None)
    found = proven(proof_of_record(signed.logs, gone, with_record=False).encode(), KEYS)
    assert found.record is None
    assert found.entry is not None
    assert found.entry.offset == gone.offset


@settings(max_examples=300)
@given(st.data())
def test_one_changed_character_and_a_proof_proves_nothing(signed: Signed, data: st.DataObject) -> None:
    row = signed.rows[40]
    files = [
        proof_of_record(signed.logs, Found(SIGNALEN, row.offset, row), with_record=True).encode(),
        proof_since(signed.logs, "signalen.gm0363-0", signed.first).encode(),
    ]
    whole = data.draw(st.sampled_from(files))
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    changed = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
    try:
        found = proven(changed, KEYS, signed.first)
    except NoteError:
        return
    # All that can be changed unseen is a signature's name or id: it is then nobody's.
    assert found._replace(cosigners=[]) == proven(whole, KEYS, signed.first)._replace(cosigners=[])
    assert found.cosigners == []
    assert at > whole.rindex(b"\n", 0, -1)


def test_a_later_checkpoint_is_shown_to_go_on_from_an_earlier_one(signed: Signed) -> None:
    found = proven(proof_since(signed.logs, "signalen.gm0363-0", signed.first).encode(), KEYS, signed.first)
    assert (found.old, found.checkpoint.size) == (5, 300)
    with pytest.raises(NoteError, match="is needed too"):
        proven(proof_since(signed.logs, "signalen.gm0363-0", signed.first).encode(), KEYS)
    with pytest.raises(NoteError, match=r"goes on from size 5 of .*, not from size 300"):
        proven(proof_since(signed.logs, "signalen.gm0363-0", signed.first).encode(), KEYS, signed.note)


def samenloop(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(app_of(["log"]), list(map(str, ["log", *arguments])))
    refused = str(result.exception) if result.exception is not None and not isinstance(result.exception, SystemExit) else ""
    return result.exit_code, result.stdout, result.stderr + refused


def proof_at(signed: Signed, path: Path, target: str, *more: object) -> Sequence[object]:
    code, out, error = samenloop("prove", target, "--logs", signed.logs, "--archive", signed.archive.folder, "--out", path, *more)
    assert (code, error) == (0, ""), out
    return ["check", path, "--log-key", SIGNER.verifier, "--cosigner", COSIGNER_OF_AMSTERDAM.verifier, "--json"]


def test_on_the_command_line_a_signal_is_proven_and_checked(signed: Signed, tmp_path: Path) -> None:
    check = proof_at(signed, tmp_path / "signaal.tlog-proof", SIGNAAL_ID)
    code, out, _ = samenloop(*check)
    told = json.loads(out)
    assert code == 0
    assert (told["offset"], told["key"], told["value"]) == (signed.rows[40].offset, SIGNAAL_ID, '{"versie":40}')
    assert (told["origin"], told["size"], told["cosigners"]) == (SIGNALEN.origin(SIGNER.name), 300, [COSIGNER_OF_AMSTERDAM.name])

    check = proof_at(signed, tmp_path / "hash.tlog-proof", f"signalen.gm0363-0@{signed.rows[7].offset}", "--hash-only")
    told = json.loads(samenloop(*check)[1])
    assert "value" not in told
    assert told["offset"] == signed.rows[7].offset

    (tmp_path / "first").write_text(str(signed.first))
    check = proof_at(signed, tmp_path / "since", "signalen.gm0363-0", "--since", tmp_path / "first")
    assert json.loads(samenloop(*check, "--since", tmp_path / "first")[1])["old"] == 5

    proof = (tmp_path / "signaal.tlog-proof").read_text()
    (tmp_path / "forged").write_text(proof.replace("extra A", "extra B", 1))
    code, out, error = samenloop("check", tmp_path / "forged", "--log-key", SIGNER.verifier)
    assert (code, out) == (1, "")
    assert "this entry is not at index" in error


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("signalen.gm0363-0@999999", "covers no record of that offset"),
        ("signalen.gm0599-0@1", "there is no checkpoint of signalen.gm0599-0"),
        ("nonsense", "a record is named by signaal_id"),
        ("00000000-0000-0000-0000-000000000000", "there is no signal 00000000"),
    ],
)
def test_what_cannot_be_proven_is_said(signed: Signed, tmp_path: Path, target: str, why: str) -> None:
    code, _, error = samenloop("prove", target, "--logs", signed.logs, "--archive", signed.archive.folder, "--out", tmp_path / "p")
    assert code != 0
    assert why in error
    assert not (tmp_path / "p").exists()


def test_an_archive_is_verified_on_the_command_line(signed: Signed) -> None:
    code, out, _ = samenloop("verify", "--archive", signed.archive.folder, "--logs", signed.logs, "--log-key", SIGNER.verifier)
    assert code == 0
    assert "300  records are as they were logged, by 2 checkpoints of 1 logs" in out
    assert Archive(signed.archive.folder).topics == ["checkpoints", "signalen.gm0363"]
