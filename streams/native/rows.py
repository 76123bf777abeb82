"""Rows through the native core (rows.h): of an archive as records in Kafka's format, digests of records, the newest of a run."""

import ctypes
from array import array
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from aiokafka.errors import CorruptRecordException

from streams.native.build import LIBRARY
from streams.native.kern import NoKernError, library_of, numbers_at

DIGEST: Final = 16  # bytes
_SPANS: Final = 4  # numbers a record: where its key and its value begin and end


class _Packed(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_uint64),
        ("offsets", ctypes.c_void_p),
        ("ends", ctypes.c_void_p),
        ("contents", ctypes.c_void_p),
        ("count", ctypes.c_uint64),
        ("digests", ctypes.c_void_p),
    )


class PackedRows(NamedTuple):
    """Records one behind another, their offsets counted from that of the first."""

    data: bytes
    offsets: "array[int]"
    ends: "array[int]"  # where each ends
    spans: "array[int]"  # where in ``data`` each key begins and ends, and each value; -1 where there is none


class NativeRows:
    """The native core's part of reading an archive; for one thread."""

    def __init__(self, library: Path = LIBRARY) -> None:
        """Raises NoKernError when there is no core for this machine."""
        self._lib = _load(library)
        self._rows = self._lib.rows_new()
        self._packed = _Packed.from_address(self._lib.rows_packed(self._rows))

    def __del__(self) -> None:
        if getattr(self, "_rows", None) is not None:
            self._lib.rows_free(self._rows)

    def pack(self, blocks: Iterable[tuple[bytes, int]], *, headers: bool) -> PackedRows | None:
        """The rows in blocks of an object container file, decompressed, each with their number; None when they are no rows in order."""
        self._lib.rows_clear(self._rows)
        for block, count in blocks:
            if not self._lib.rows_add(self._rows, block, len(block), count, headers):
                return None
        found = self._packed
        data = ctypes.string_at(found.data, found.size) if found.size else b""
        numbers = [numbers_at(a, n * found.count) for a, n in ((found.offsets, 1), (found.ends, 1), (found.contents, _SPANS))]
        return PackedRows(data, *numbers)

    def newest(self, records: bytes, count: int) -> list[tuple[bytes, bytes | None]]:
        """Each key of the records, b"" where there is none, and the value of the last one that has it; raises CorruptRecordException."""
        if not self._lib.rows_newest(self._rows, records, len(records), count):
            raise CorruptRecordException("a record of a batch is cut off")
        spans = iter(numbers_at(self._packed.contents, _SPANS * self._packed.count))
        four = zip(spans, spans, spans, spans, strict=True)
        return [(records[a:b], None if c < 0 else records[c:d]) for a, b, c, d in four]

    def digests(self, records: bytes, count: int) -> bytes | None:
        """A digest of what each record says; None when these are no records."""
        if not self._lib.rows_digest(self._rows, records, len(records), count):
            return None
        return ctypes.string_at(self._packed.digests, DIGEST * count) if count else b""


@cache
def native_rows() -> NativeRows | None:
    """The native core's part of reading rows, if there is one here; for one thread."""
    try:
        return NativeRows()
    except NoKernError:
        return None


def _load(library: Path) -> Any:  # noqa: ANN401 - what a library has is known to ctypes only once it is asked
    lib = library_of(library)
    number, pointer, signed = ctypes.c_uint64, ctypes.c_void_p, ctypes.c_int64
    lib.rows_new.argtypes, lib.rows_new.restype = [], pointer
    lib.rows_packed.argtypes, lib.rows_packed.restype = [pointer], pointer
    lib.rows_add.argtypes, lib.rows_add.restype = [pointer, ctypes.c_char_p, number, signed, ctypes.c_bool], ctypes.c_bool
    for name in ("rows_digest", "rows_newest"):
        function = getattr(lib, name)
        function.argtypes, function.restype = [pointer, ctypes.c_char_p, number, signed], ctypes.c_bool
    for name in ("rows_free", "rows_clear"):
        function = getattr(lib, name)
        function.argtypes, function.restype = [pointer], None
    return lib
