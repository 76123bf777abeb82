"""Notes, keys and checkpoints are those of C2SP: its own examples hold, and nothing that was changed does."""

import base64
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from samenloop.errors import NotDoneError
from samenloop.log_keys import make_key, public_of, signer_in, verifier_of
from schemas.checkpoints import CONSISTENCY
from streams.proof.checkpoint import Checkpoint, Keys, Log, checkpoint_of, log_of, opened
from streams.proof.entry import Entry, entry_of, key_and_value, stored
from streams.proof.merkle import Frontier, consistency_proof, leaf_hash, node_hash
from streams.proof.note import COSIGNER, LOG, Note, NoteError, Signer, Verifier, note_of
from streams.proof.published import Published, consistency_of, consistency_text

# c2sp.org/signed-note: "Example"
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
SIGNER, COSIGNER_ = Signer.new("knooppunt.example/log", LOG), Signer.new("amsterdam.example", COSIGNER)
ROTTERDAM = Signer.new("rotterdam.example", COSIGNER)
KEYS = Keys(SIGNER.verifier, (COSIGNER_.verifier, ROTTERDAM.verifier))
LOG_ = Log("signalen.gm0363", 0)


def test_the_example_of_the_specification_is_verified() -> None:
    verifier, note = Verifier.of(VKEY), note_of(NOTE)
    assert verifier.find(note) is not None
    assert str(verifier) == VKEY
    assert str(note).encode() == NOTE


@given(st.integers(0, len(NOTE) * 8 - 1))
def test_no_changed_bit_of_it_is(bit: int) -> None:
    changed = bytearray(NOTE)
    changed[bit // 8] ^= 1 << bit % 8
    try:
        found = Verifier.of(VKEY).find(note_of(bytes(changed)))
    except NoteError:
        return
    assert found is None or bytes(changed) == NOTE


def test_a_cosignature_signs_its_time_and_the_checkpoint() -> None:
    """c2sp.org/tlog-cosignature, worked out here by hand."""
    text = Checkpoint(LOG_.origin(SIGNER.name), 3, bytes(32)).text
    line = COSIGNER_.sign(text, 1_679_315_147)
    public = COSIGNER_.verifier.public
    assert line.key_id == sha256(b"amsterdam.example\n\x04" + public).digest()[:4]
    assert line.signature[:8] == (1_679_315_147).to_bytes(8)
    message = f"cosignature/v1\ntime 1679315147\n{text}".encode()
    COSIGNER_.private.public_key().verify(line.signature[8:], message)

    assert COSIGNER_.verifier.find(Note(text, (line,))) == line
    later = line._replace(signature=(1_679_315_148).to_bytes(8) + line.signature[8:])
    with pytest.raises(NoteError, match=r"amsterdam\.example does not belong to this text"):
        COSIGNER_.verifier.find(Note(text, (later,)))


def test_a_log_signs_under_its_origin_and_the_key_id_follows_from_it() -> None:
    checkpoint = Checkpoint(LOG_.origin(SIGNER.name), 7, bytes(range(32)))
    line = SIGNER.renamed(checkpoint.origin).sign(checkpoint.text)
    assert line.key_id == sha256(b"knooppunt.example/log/signalen.gm0363/0\n\x01" + SIGNER.verifier.public).digest()[:4]
    assert opened(Note(checkpoint.text, (line,)), SIGNER.verifier) == checkpoint
    assert log_of(SIGNER.name, checkpoint.origin) == LOG_

    elsewhere = Checkpoint(Log("signalen.gm0599", 0).origin(SIGNER.name), 7, bytes(range(32)))
    with pytest.raises(NoteError, match="has not signed it"):
        opened(Note(elsewhere.text, (line,)), SIGNER.verifier)
    with pytest.raises(NoteError, match="is no log of other"):
        opened(Note(checkpoint.text, (line,)), SIGNER.verifier.renamed("other.example"))


@pytest.mark.parametrize(
    "text", ["", "o\n1\n", "o\n01\nAAAA\n", "o\n-1\nAAAA\n", f"o\n1\n{base64.b64encode(bytes(31)).decode()}\n", "o\n1\n*\n", "\n1\nAAAA\n"]
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        checkpoint_of(text)


@pytest.mark.parametrize("origin", ["x/t/0/0", "x/t/00", "x/t", "x/t/-1", "y/t/0", "x/t/0/", "x//0"])
def test_only_an_origin_as_it_is_written_names_a_log(origin: str) -> None:
    found = log_of("x", origin)
    assert found is None or found.origin("x") == origin
    assert found is None or origin in {"x/t/0/0", "x//0"}


@pytest.mark.parametrize(
    "data", [b"", b"text\n", b"text\n\n", b"a\n\nb\n", b"\xff\n\n", b"a\n\n\xe2\x80\x94 n AAAA\n", b"a\rb\n\n\xe2\x80\x94 n AAAAAAAA\n"]
)
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        note_of(data)


def test_keys_are_made_once_for_their_owner_alone_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "log.key"
    public = make_key("knooppunt.example/log", file, cosigner=False)
    assert file.stat().st_mode & 0o777 == 0o600
    assert signer_in(file, cosigner=False).verifier == public == verifier_of(str(public_of(file)), LOG)
    assert verifier_of(str(public), LOG) == public
    before = file.read_bytes()
    with pytest.raises(NotDoneError, match="there is a key already"):
        make_key("knooppunt.example/log", file, cosigner=False)
    assert file.read_bytes() == before
    with pytest.raises(NotDoneError, match="this key signs logs, and nothing else"):
        signer_in(file, cosigner=True)
    file.chmod(0o640)
    with pytest.raises(NotDoneError, match="others than its owner may read"):
        signer_in(file, cosigner=False)


@pytest.mark.parametrize("text", ["", "PRIVATE+KEY+", "PRIVATE+KEY+a+00000000+AAAA", VKEY, "geheim"])
def test_a_private_key_that_is_none_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    file = tmp_path / "log.key"
    file.touch(0o600)
    file.write_text(text)
    with pytest.raises(NotDoneError) as refused:
        signer_in(file, cosigner=False)
    assert str(refused.value) == f"{file}: this is no private key"


def test_a_key_says_nothing_of_itself_when_it_is_shown() -> None:
    assert SIGNER.secret.rpartition("+")[2] not in f"{SIGNER!r} {SIGNER}"
    assert Signer.of(SIGNER.secret).verifier == SIGNER.verifier


@pytest.mark.parametrize("name", ["", "with space", "with+plus", "new\nline"])
def test_a_key_has_a_name_that_a_note_can_hold(name: str) -> None:
    with pytest.raises(NoteError):
        Signer.new(name, LOG)


def test_a_public_key_whose_id_is_of_another_is_refused() -> None:
    other = base64.b64encode(b"\x01" + Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()
    with pytest.raises(NoteError, match="another id"):
        Verifier.of(f"example.com/foo+530d903a+{other}")


headers = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=3)
parts = st.none() | st.binary(max_size=8)
records = st.tuples(parts, parts, headers)


@given(records, records)
def test_two_records_are_stored_alike_only_when_they_are_the_same(
    one: tuple[bytes, bytes, list[tuple[str, bytes]]], other: tuple[bytes, bytes, list[tuple[str, bytes]]]
) -> None:
    assert (stored(*one) == stored(*other)) == (one == other)
    assert key_and_value(stored(*one)) == one[:2]


@given(st.binary(max_size=20))
def test_what_no_record_made_is_refused_or_read_whole(data: bytes) -> None:
    try:
        key, value = key_and_value(data)
    except ValueError:
        return
    assert data.startswith(stored(key, value, []))


def test_an_entry_is_offset_time_and_digest() -> None:
    """Written down in docs/audit.md: whoever writes a verifier of their own starts here."""
    entry = entry_of(7, 1_790_000_000_000, b"k", None, [("h", b"v")])
    record = b"\0\0\0\1k" + b"\xff\xff\xff\xff" + b"\0\0\0\1h" + b"\0\0\0\1v"
    assert entry.data == (7).to_bytes(8) + (1_790_000_000_000).to_bytes(8) + sha256(record).digest()
    assert Entry.of(entry.data) == entry


LEAVES = [leaf_hash(b"%d" % i) for i in range(20)]


def published_note(size: int, leaves: list[bytes] = LEAVES) -> Note:
    grown = Frontier()
    for leaf in leaves[:size]:
        grown.add(leaf)
    checkpoint = Checkpoint(LOG_.origin(SIGNER.name), size, grown.root)
    return Note(checkpoint.text, (SIGNER.renamed(checkpoint.origin).sign(checkpoint.text),))


def proof_header(old: int, new: int) -> list[tuple[str, bytes | None]]:
    def hash_of(level: int, index: int) -> bytes:
        return node_hash(hash_of(level - 1, 2 * index), hash_of(level - 1, 2 * index + 1)) if level else LEAVES[index]

    return [(CONSISTENCY, consistency_text(old, consistency_proof(old, new, hash_of)).encode())]


def take(published: Published, size: int, since: int, leaves: list[bytes] = LEAVES) -> None:
    published.take(str(published_note(size, leaves)).encode(), proof_header(since, size), KEYS)


def test_who_follows_the_topic_sees_each_log_only_grow(tmp_path: Path) -> None:
    published = Published()
    take(published, 5, since=0)
    take(published, 13, since=5)
    take(published, 13, since=5)
    published.take(str(published_note(5)).encode(), [], KEYS)  # countersigned late
    assert published.checkpoint(LOG_.origin(SIGNER.name)) == checkpoint_of(published_note(13).text)
    published.save(tmp_path)
    assert Published.load(tmp_path) == published

    other = [*LEAVES[:3], leaf_hash(b"another"), *LEAVES[4:]]
    for size, since, leaves, why in [
        (20, 13, other, "nothing shows that its size 13 is the beginning of its size 20"),
        (20, 5, LEAVES, "nothing shows"),
        (13, 5, other, "two checkpoints of size 13 have different roots"),
    ]:
        with pytest.raises(NoteError, match=why):
            take(published, size, since, leaves)
    assert published == Published.load(tmp_path), "what is wrong changes nothing of what is known"


def countersigned(size: int, *cosigners: Signer) -> bytes:
    note = published_note(size)
    return str(Note(note.text, (*note.signatures, *(c.sign(note.text, 1) for c in cosigners)))).encode()


def names_below(note: str | None) -> set[str]:
    return {s.name for s in note_of((note or "").encode()).signatures}


def test_signatures_of_those_who_are_trusted_come_together_and_others_are_left_out() -> None:
    published, origin = Published(), LOG_.origin(SIGNER.name)
    take(published, 5, since=0)
    published.take(countersigned(5, COSIGNER_, Signer.new("stranger.example", COSIGNER)), [], KEYS)
    published.take(countersigned(5, ROTTERDAM), [], KEYS)
    assert names_below(published.known[origin].note) == {origin, ROTTERDAM.name, COSIGNER_.name}

    take(published, 13, since=5)
    assert names_below(published.known[origin].note) == {origin}
    known = published.known[origin]
    assert names_below(known.countersigned) == {origin, ROTTERDAM.name, COSIGNER_.name}, "an earlier one is kept for its signatures"
    take(published, 20, since=13)
    published.take(countersigned(13, COSIGNER_), [], KEYS)
    assert checkpoint_of(note_of((published.known[origin].countersigned or "").encode()).text).size == 13, "also one that comes late"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"old",
        b"old x\n",
        b"old -1\n",
        b"new 1\n",
        b"old 1\nAAAA\n",
        b"old 1\n*\n",
        b"old 1\n" + b"A" * 43 + b"=\n" * 1 + (b"A" * 43 + b"=\n") * 63,
    ],
)
def test_what_is_no_proof_of_consistency_is_refused(data: bytes) -> None:
    with pytest.raises(NoteError):
        consistency_of(data)
