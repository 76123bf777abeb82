"""The trees of the logs are those of RFC 6962: against published vectors, another implementation, and every change of a proof."""

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from streams.proof.entry import Entry
from streams.proof.merkle import (
    EMPTY,
    Frontier,
    HashOf,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from streams.proof.tiles import Tiles, TilesWriter

# The leaves and roots with which Certificate Transparency's own implementations are tested.
LEAVES = [bytes.fromhex(x) for x in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
MOST = 300


def hashes_above(leaves: list[bytes]) -> HashOf:
    @cache
    def hash_of(level: int, index: int) -> bytes:
        return node_hash(hash_of(level - 1, 2 * index), hash_of(level - 1, 2 * index + 1)) if level else leaf_hash(leaves[index])

    return hash_of


DATA = [b"entry %d" % i for i in range(MOST)]
HASH_OF = hashes_above(DATA)
ORACLE = InmemoryTree(algorithm="sha256")
for _entry in DATA:
    ORACLE.append_entry(_entry)

sizes = st.integers(1, MOST)


def test_roots_are_those_of_certificate_transparency() -> None:
    hash_of, grown = hashes_above(LEAVES), Frontier()
    for size, root in enumerate(ROOTS):
        assert root_of(size, hash_of).hex() == root
        assert grown.root.hex() == root
        if size < len(LEAVES):
            grown.add(leaf_hash(LEAVES[size]))


@given(sizes)
def test_roots_are_those_of_another_implementation_however_they_are_computed(size: int) -> None:
    grown = Frontier()
    for entry in DATA[:size]:
        grown.add(leaf_hash(entry))
    assert root_of(size, HASH_OF) == grown.root == ORACLE.get_root(size)


@given(sizes.flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))))
def test_the_proof_of_any_leaf_in_any_tree_is_that_of_another_implementation_and_holds(case: tuple[int, int]) -> None:
    index, size = case
    proof = inclusion_proof(index, size, HASH_OF)
    assert [h.hex() for h in proof] == ORACLE.prove_inclusion(index + 1, size).serialize()["path"][1:]
    assert verify_inclusion(leaf_hash(DATA[index]), index, size, root_of(size, HASH_OF), proof)


@given(sizes.flatmap(lambda new: st.tuples(st.integers(0, new), st.just(new))))
def test_the_proof_between_any_two_trees_holds(case: tuple[int, int]) -> None:
    old, new = case
    proof = consistency_proof(old, new, HASH_OF)
    assert verify_consistency(old, new, root_of(old, HASH_OF), root_of(new, HASH_OF), proof)
    if old:
        theirs = ORACLE.prove_consistency(old, new)  # of another form, about the same roots
        theirs.verify(root_of(old, HASH_OF), root_of(new, HASH_OF), prior_size=old, later_size=new)


def test_the_proofs_of_the_example_in_rfc_6962() -> None:
    """Section 2.1.3: seven leaves, whose hashes are a to f and j; g, h and i are above pairs, k and l above those."""
    a, b, c, d, e, f, j = (HASH_OF(0, i) for i in range(7))
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l_ = node_hash(g, h), node_hash(i, j)
    assert [inclusion_proof(n, 7, HASH_OF) for n in (0, 3, 4, 6)] == [[b, h, l_], [c, g, l_], [f, j, k], [i, k]]
    assert [consistency_proof(n, 7, HASH_OF) for n in (3, 4, 6)] == [[c, d, g, l_], [l_], [i, j, k]]


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8 % len(data)] ^= 1 << bit % 8
    return bytes(changed)


bits = st.integers(0, 255)
Changed = Callable[[bytes, int], bytes]


@given(sizes.flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size))), bits, st.data())
def test_one_changed_bit_of_leaf_proof_root_or_place_and_an_inclusion_does_not_hold(
    case: tuple[int, int], bit: int, data: st.DataObject
) -> None:
    index, size = case
    leaf, root, proof = leaf_hash(DATA[index]), root_of(size, HASH_OF), inclusion_proof(index, size, HASH_OF)
    assert not verify_inclusion(flipped(leaf, bit), index, size, root, proof)
    assert not verify_inclusion(leaf, index, size, flipped(root, bit), proof)
    other = data.draw(st.integers(0, MOST).filter(lambda i: i != index))
    assert not verify_inclusion(leaf, other, size, root, proof)
    assert not verify_inclusion(leaf, index, size, root, [*proof, bytes(32)])
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_inclusion(leaf, index, size, root, [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]])
        assert not verify_inclusion(leaf, index, size, root, proof[:at] + proof[at + 1 :])


@given(st.integers(2, MOST).flatmap(lambda new: st.tuples(st.integers(1, new - 1), st.just(new))), bits, st.data())
def test_one_changed_bit_of_either_root_or_proof_and_a_consistency_does_not_hold(
    case: tuple[int, int], bit: int, data: st.DataObject
) -> None:
    old, new = case
    before, after, proof = root_of(old, HASH_OF), root_of(new, HASH_OF), consistency_proof(old, new, HASH_OF)
    assert not verify_consistency(old, new, flipped(before, bit), after, proof)
    assert not verify_consistency(old, new, before, flipped(after, bit), proof)
    assert not verify_consistency(old, new, before, after, [*proof, bytes(32)])
    at = data.draw(st.integers(0, len(proof) - 1))
    assert not verify_consistency(old, new, before, after, [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]])
    assert not verify_consistency(old, new, before, after, proof[:at] + proof[at + 1 :])


def test_a_tree_that_was_rewritten_has_no_proof_to_its_old_self() -> None:
    other = hashes_above([*DATA[:50], b"another", *DATA[51:]])
    for old in range(51, 80):
        assert not verify_consistency(old, 100, root_of(old, HASH_OF), root_of(100, other), consistency_proof(old, 100, other))


def test_nothing_and_too_much_prove_nothing() -> None:
    root = root_of(9, HASH_OF)
    assert verify_consistency(0, 9, EMPTY, root, [])
    assert not verify_consistency(0, 9, root, root, [])
    assert not verify_consistency(9, 9, root_of(8, HASH_OF), root, [])
    assert not verify_consistency(9, 5, root, root_of(5, HASH_OF), [])
    assert not verify_consistency(3, 9, root_of(3, HASH_OF), root, [])
    assert not verify_inclusion(leaf_hash(DATA[0]), 9, 9, root, inclusion_proof(8, 9, HASH_OF))
    assert not verify_inclusion(leaf_hash(DATA[0]), -1, 9, root, inclusion_proof(0, 9, HASH_OF))


def entry(i: int) -> Entry:
    return Entry(3 * i + 1, 1_780_000_000_000 + i, sha256(b"%d" % i).digest())


LARGE = 66_000  # more than a tile of tiles
SIZES = st.one_of(st.integers(0, 1_000), st.sampled_from([255, 256, 257, 511, 512, 513]))


@settings(max_examples=25, deadline=None)
@given(st.lists(SIZES, min_size=1, max_size=4))
def test_a_tree_on_the_disk_grows_in_any_steps_also_after_crashes_to_the_same_hashes(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    grown, size = Frontier(), 0
    for step in steps:
        crashed = TilesWriter(folder, size)  # it wrote all its tiles, and no checkpoint named them
        for i in range(size, size + step + 7):
            crashed.add(entry(i))
        crashed.write_edge()
        writer = TilesWriter(folder, size)
        for i in range(size, size + step):
            writer.add(entry(i))
            grown.add(leaf_hash(entry(i).data))
        writer.write_edge()
        writer.forget_narrow(size)
        size += step
        tiles = Tiles(folder)
        assert tiles.root(size) == grown.root
        assert list(tiles.entries(0, size)) == [entry(i) for i in range(size)]
        assert writer.last_offset == (entry(size - 1).offset if size else -1)


def test_a_large_tree_is_read_through_few_tiles(tmp_path: Path) -> None:
    writer, grown = TilesWriter(tmp_path, 0), Frontier()
    for i in range(LARGE):
        writer.add(entry(i))
        grown.add(leaf_hash(entry(i).data))
    writer.write_edge()
    files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    assert {"tile/2/000.p/1", "tile/1/000", "tile/1/001.p/1", "tile/0/257.p/208", "tile/entries/257.p/208", "tile/0/256"} <= files
    tiles = Tiles(tmp_path)
    assert tiles.root(LARGE) == grown.root
    assert verify_inclusion(
        leaf_hash(entry(65_535).data), 65_535, LARGE, grown.root, inclusion_proof(65_535, LARGE, Tiles(tmp_path).hash_of)
    )
    assert tiles.index_of(entry(40_000).offset, LARGE) == 40_000
    assert tiles.index_of(entry(40_000).offset + 1, LARGE) is None
    assert TilesWriter(tmp_path, LARGE).last_offset == entry(LARGE - 1).offset
