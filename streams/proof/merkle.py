"""The Merkle tree of RFC 6962, section 2.1: roots, and proofs of inclusion and consistency, from the hashes of whole subtrees.

A subtree is named by its level and its index: the one at (3, 5) has the leaves 40 to 47. The checks of proofs follow RFC 9162, sections
2.1.3.2 and 2.1.4.2, and use nothing but the hashes that they are given.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

EMPTY: Final = sha256(b"").digest()  # the root of a tree without leaves

HashOf = Callable[[int, int], bytes]  # level, index → the hash of a whole subtree


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a leaf."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node above two others."""
    return sha256(b"\x01" + left + right).digest()


def root_of(size: int, hash_of: HashOf) -> bytes:
    """The root of the tree of the first ``size`` leaves."""
    return _subtree(0, size, hash_of) if size else EMPTY


def inclusion_proof(index: int, size: int, hash_of: HashOf) -> list[bytes]:
    """That the leaf at ``index`` is in the tree of the first ``size``: the hashes beside its way to the root, from below."""
    begin, end = 0, size
    beside: list[bytes] = []
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            beside.append(_subtree(middle, end, hash_of))
            end = middle
        else:
            beside.append(_subtree(begin, middle, hash_of))
            begin = middle
    return beside[::-1]


def consistency_proof(old: int, new: int, hash_of: HashOf) -> list[bytes]:
    """That the tree of the first ``old`` leaves is the beginning of the one of the first ``new``; empty when either is the whole answer."""
    if old in {0, new}:
        return []
    begin, end = 0, new
    beside: list[bytes] = []
    while end != old:
        middle = begin + _split(end - begin)
        if old <= middle:
            beside.append(_subtree(middle, end, hash_of))
            end = middle
        else:
            beside.append(_subtree(begin, middle, hash_of))
            begin = middle
    return [*([] if begin == 0 else [_subtree(begin, end, hash_of)]), *reversed(beside)]


def verify_inclusion(leaf: bytes, index: int, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the leaf with this hash stands at ``index`` in the tree with ``root``."""
    if not 0 <= index < size:
        return False
    fn, sn, found = index, size - 1, leaf
    for beside in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            found = node_hash(beside, found)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            found = node_hash(found, beside)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and found == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether ``proof`` shows that the tree with ``old_root`` is the beginning of the one with ``new_root``."""
    if not 0 <= old <= new:
        return False
    if old in {0, new}:
        return not proof and old_root == (EMPTY if old == 0 else new_root)
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    before = after = path[0]
    for beside in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            before, after = node_hash(beside, before), node_hash(beside, after)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            after = node_hash(after, beside)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and before == old_root and after == new_root


class Frontier:
    """A tree that only grows, as the few whole subtrees that it consists of: its root at any size, without its leaves."""

    def __init__(self) -> None:
        self.size = 0
        self._whole: list[tuple[int, bytes]] = []  # levels fall

    def add(self, leaf: bytes) -> None:
        """One leaf more, by its hash."""
        level, found = 0, leaf
        while self._whole and self._whole[-1][0] == level:
            found = node_hash(self._whole.pop()[1], found)
            level += 1
        self._whole.append((level, found))
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self._whole:
            return EMPTY
        found = self._whole[-1][1]
        for _, left in reversed(self._whole[:-1]):
            found = node_hash(left, found)
        return found

    def copy(self) -> "Frontier":
        """The same tree, to grow otherwise."""
        made = Frontier()
        made.size, made._whole = self.size, list(self._whole)
        return made


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1


def _subtree(begin: int, end: int, hash_of: HashOf) -> bytes:
    """The hash over the leaves from ``begin`` until before ``end``, as RFC 6962 divides them."""
    size = end - begin
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return hash_of(level, begin >> level)
    middle = begin + _split(size)
    return node_hash(_subtree(begin, middle, hash_of), _subtree(middle, end, hash_of))
