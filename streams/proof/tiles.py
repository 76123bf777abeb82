"""The tree of one log on the disk, in the form of C2SP tlog-tiles: hashes by 256 in tiles, and the entries that they hash in bundles.

https://c2sp.org/tlog-tiles: any of its clients can read the folder, or a web server in front of it. A tile that is whole never changes.
The narrower one at the right edge stays until a checkpoint names the tree that has a wider one: a crash leaves the last checkpoint whole.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from streams.proof.entry import ENTRY_BYTES, Entry
from streams.proof.merkle import leaf_hash, node_hash, root_of

_WIDTH: Final = 256
_HEIGHT: Final = 8  # levels of the tree in a tile
_HASH: Final = 32
_KEPT: Final = 64  # tiles that a reader remembers
_PREFIX: Final = ENTRY_BYTES.to_bytes(2)
_ENTRIES: Final = "entries"


class TilesError(Exception):
    """The tree on the disk is not whole; the text names the file."""


class Tiles:
    """Reads the tree of a log."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[tuple[int, int], bytes] = {}

    def hash_of(self, level: int, index: int) -> bytes:
        """The hash of a whole subtree; raises TilesError when the tree does not reach so far."""
        tile_level, rest = divmod(level, _HEIGHT)
        first, number = index << rest, 1 << rest
        tile, at = divmod(first, _WIDTH)
        data = self._tile(tile_level, tile, at + number)
        return _folded([data[i : i + _HASH] for i in range(at * _HASH, (at + number) * _HASH, _HASH)])

    def root(self, size: int) -> bytes:
        """The root of the tree of the first ``size`` leaves; raises TilesError."""
        return root_of(size, self.hash_of)

    def entries(self, begin: int, end: int) -> Iterator[Entry]:
        """The entries from index ``begin`` until before ``end``; raises TilesError."""
        for bundle in range(begin // _WIDTH, -(-end // _WIDTH)):
            first = bundle * _WIDTH
            wanted = min(end - first, _WIDTH)
            step = len(_PREFIX) + ENTRY_BYTES
            data = read_tile(self.folder, _ENTRIES, bundle, wanted, step)
            for i in range(max(begin - first, 0), wanted):
                prefix, entry = data[i * step : i * step + len(_PREFIX)], data[i * step + len(_PREFIX) : (i + 1) * step]
                if prefix != _PREFIX:
                    raise TilesError(f"{self.folder / tile_path(_ENTRIES, bundle)}: entry {i} is not {ENTRY_BYTES} bytes long")
                yield Entry.of(entry)

    def index_of(self, offset: int, size: int) -> int | None:
        """Where among the first ``size`` entries that of ``offset`` stands, or None; raises TilesError."""
        low, high = 0, size
        while low < high:
            middle = (low + high) // 2
            found = self.entry(middle).offset
            if found == offset:
                return middle
            low, high = (middle + 1, high) if found < offset else (low, middle)
        return None

    def entry(self, index: int) -> Entry:
        """The entry at an index; raises TilesError."""
        return next(self.entries(index, index + 1))

    def _tile(self, level: int, tile: int, width: int) -> bytes:
        data = self._read.get((level, tile), b"")
        if len(data) < width * _HASH:
            data = read_tile(self.folder, str(level), tile, width, _HASH)
            if len(self._read) >= _KEPT:
                del self._read[next(iter(self._read))]
            self._read[level, tile] = data
        return data


class TilesWriter:
    """Lets the tree of a log grow behind its first ``size`` leaves; what stood behind them is written again. For one writer at a time."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        self.last_offset = -1
        self._edge: list[list[bytes]] = []  # of each level the hashes in the tile that is not whole
        self._entries: list[bytes] = []
        if size:
            self._resume()

    def _resume(self) -> None:
        tiles = Tiles(self.folder)
        number, level = self.size, 0
        while number:
            tile, width = divmod(number, _WIDTH)
            data = read_tile(self.folder, str(level), tile, width, _HASH) if width else b""
            self._edge.append([data[i : i + _HASH] for i in range(0, width * _HASH, _HASH)])
            number, level = tile, level + 1
        self._entries = [e.data for e in tiles.entries(self.size - self.size % _WIDTH, self.size)]
        self.last_offset = tiles.entry(self.size - 1).offset

    def add(self, entry: Entry) -> None:
        """One leaf more."""
        data = entry.data
        self._entries.append(data)
        if len(self._entries) == _WIDTH:
            self._write(_ENTRIES, self.size // _WIDTH, b"".join(_PREFIX + e for e in self._entries))
            self._entries = []
        self.size += 1
        self.last_offset = entry.offset
        self._add_hash(0, leaf_hash(data))

    def _add_hash(self, level: int, found: bytes) -> None:
        if level == len(self._edge):
            self._edge.append([])
        edge = self._edge[level]
        edge.append(found)
        if len(edge) == _WIDTH:
            self._write(str(level), (self.size >> _HEIGHT * (level + 1)) - 1, b"".join(edge))
            self._edge[level] = []
            self._add_hash(level + 1, _folded(edge))

    def write_edge(self) -> None:
        """Bring what is not a whole tile onto the disk beside what stood there; after this the tree can be read to its end."""
        if self._entries:
            self._write(_ENTRIES, self.size // _WIDTH, b"".join(_PREFIX + e for e in self._entries), len(self._entries))
        for level, edge in enumerate(self._edge):
            if edge:
                self._write(str(level), self.size >> _HEIGHT * (level + 1), b"".join(edge), len(edge))

    def forget_narrow(self, size: int) -> None:
        """Take away what was the edge of the tree of ``size`` leaves, or was left there by a crash, and is not the edge now."""
        heights = [(_ENTRIES, 0), *((str(level), level) for level in range(len(self._edge)))]
        for level, height in heights:
            tile = (size >> _HEIGHT * height) // _WIDTH
            now, width = divmod(self.size >> _HEIGHT * height, _WIDTH)
            narrow = (self.folder / tile_path(level, tile, 1)).parent
            if narrow.is_dir():
                for path in narrow.iterdir():
                    if (tile, path.name) != (now, str(width)):
                        path.unlink()
                if not any(narrow.iterdir()):
                    narrow.rmdir()

    def _write(self, level: str, tile: int, data: bytes, width: int = _WIDTH) -> None:
        path = self.folder / tile_path(level, tile, width)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        part.write_bytes(data)
        part.replace(path)


def tile_path(level: str, tile: int, width: int = _WIDTH) -> str:
    """Where a tile, or a bundle of the ``level`` entries, stands below the folder of its log."""
    digits = f"{tile:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    *above, last = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    parts = [*(f"x{a}" for a in above), last]
    return f"tile/{level}/{'/'.join(parts)}{'' if width == _WIDTH else f'.p/{width}'}"


def read_tile(folder: Path, level: str, tile: int, width: int, step: int) -> bytes:
    """At least the first ``width`` parts, of ``step`` bytes, of a tile: from the narrowest file that has them. Raises TilesError."""
    whole = folder / tile_path(level, tile)
    narrow = whole.with_name(f"{whole.name}.p")
    widths = sorted(int(p.name) for p in narrow.iterdir() if p.name.isdigit()) if narrow.is_dir() else []
    path = next((narrow / str(w) for w in widths if w >= width), whole)
    try:
        data = path.read_bytes()
    except OSError as e:
        raise TilesError(f"{path}: {e.strerror}") from e
    if len(data) < width * step or len(data) % step:
        raise TilesError(f"{path}: it is {len(data)} bytes long, {width} parts of {step} bytes are needed")
    return data


def _folded(hashes: Sequence[bytes]) -> bytes:
    """The hash above a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
    return hashes[0]
