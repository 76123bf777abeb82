"""The native core through ctypes: where its library stands, and one frame of records through it."""

import ctypes
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka.errors import CorruptRecordException

from streams.core.period import BEFORE
from streams.core.step import Fate
from streams.core.timeline import Read
from streams.effects import Effects, Encoded, Row
from streams.encoded import fields_of
from streams.native.build import LIBRARY, digest_of
from streams.native.program import Program
from streams.records import Run, SourceRecord, record_at

CHUNK_BYTES: Final = 900_000  # of messages that become one batch

_FATES: Final = (Fate.OPGESLAGEN, Fate.BEKEND, Fate.NIET_BEWAARD)  # as in step.h
_CHANGES: Final = ("NIEUW", "GEWIJZIGD", "VERVALLEN")  # Change in rules.h
_DECODER: Final = msgspec.msgpack.Decoder(list[bytes])
_READ: Final = 0x100  # PyBUF_READ
_view: Final = ctypes.pythonapi.PyMemoryView_FromMemory
_view.argtypes, _view.restype = [ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int], ctypes.py_object


class NoKernError(Exception):
    """The native core cannot run here; the text says why."""


class _Strings(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_uint64), ("count", ctypes.c_uint64))


class _Batch(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_char_p),
        ("size", ctypes.c_uint64),
        ("base_offset", ctypes.c_int64),
        ("count", ctypes.c_int64),
    )


class _Result(ctypes.Structure):
    _fields_ = (
        ("wanted", _Strings),
        ("keys", _Strings),
        ("rows", _Strings),
        ("due_keys", _Strings),
        ("due_rows", _Strings),
        ("left", ctypes.c_void_p),
        ("lefts", ctypes.c_uint64),
        ("announced", ctypes.c_void_p),
        ("announcements", ctypes.c_uint64),
        ("fates", ctypes.c_uint64 * 3),
        ("ontvangers", _Strings),
        ("chunk_counts", ctypes.c_void_p),
        ("counts", ctypes.c_void_p),
        ("chunks", _Strings),
    )


class Kern:
    """A native core with its memory; for one thread."""

    def __init__(self, program: Program, library: Path = LIBRARY, chunk_bytes: int = CHUNK_BYTES) -> None:
        """Raises NoKernError when there is no core for this machine."""
        self._lib = _load(library)
        self._program = program
        self._kern: int | None = self._lib.kern_new(program.data, len(program.data), chunk_bytes)
        if self._kern is None:
            raise NoKernError("the native core does not know this form of program")
        self._result = _Result.from_address(self._lib.kern_result(self._kern))

    def __del__(self) -> None:
        if getattr(self, "_kern", None) is not None:
            self._lib.kern_free(self._kern)

    def fold(self, effects: Effects, read: Read, topic: str, partition: int, run: Run) -> list[SourceRecord]:
        """The records of a topic into ``effects``, but for the messages; ``read`` gives rows of state. Returns those for the reference.

        Raises CorruptRecordException.
        """
        result, batches = self._result, run.batches
        frame = (_Batch * len(batches))(*[_Batch(b.data, len(b.data), b.base_offset, b.count) for b in batches])
        klok = BEFORE if effects.klok is None else effects.klok, effects.klok is not None
        if not self._lib.kern_open(self._kern, self._program.soorten[topic], partition, run.start, *klok, frame, len(batches)):
            raise CorruptRecordException(f"a record of {topic} behind offset {run.start} is cut off")
        held = []
        while result.wanted.count:
            rows = list(map(read, _strings(result.wanted)))
            held.append(b"".join(filter(None, rows)))
            self._lib.kern_give(self._kern, held[-1], _sizes(rows))
        self._lib.kern_fold(self._kern)
        effects.changes.update(zip(_strings(result.keys), [row or None for row in _strings(result.rows)], strict=True))
        due = zip(_strings(result.due_keys), _strings(result.due_rows), strict=True)
        effects.changes.update((key, row) for key, row in due if row != read(key))
        for fate, number in zip(_FATES, result.fates, strict=True):
            if number:
                effects.count(topic, fate, number)
        self._announce(effects)
        left = numbers_at(result.left, 2 * result.lefts)
        return [record_at(batches[b], at) for b, at in zip(left[::2], left[1::2], strict=True)]

    def put(self, ontvanger: str, row: Row) -> None:
        """A signaal of the reference, behind those that the core has for the same ontvanger."""
        name, fields = ontvanger.encode(), fields_of(*row)
        self._lib.kern_put(self._kern, name, len(name), fields, len(fields))

    def send(self, effects: Effects) -> None:
        """Put the messages of all frames since the last time into ``effects``."""
        self._lib.kern_messages(self._kern)
        chunks = iter(self._encoded())
        for ontvanger, number in zip(
            _strings(self._result.ontvangers), numbers_at(self._result.chunk_counts, self._result.ontvangers.count), strict=True
        ):
            messages = effects.messages.setdefault((f"signalen.{ontvanger.decode()}", 0), [])
            messages += [next(chunks) for _ in range(number)]
        self.forget()

    def forget(self) -> None:
        """Drop messages that were not taken."""
        self._lib.kern_forget_messages(self._kern)

    def encode(self, rows: Mapping[bytes, bytes | None], chunk_bytes: int = CHUNK_BYTES) -> list[Encoded]:
        """Rows as finished records without headers, in chunks of at most so many bytes, one record at the least."""
        keys, values = list(rows), list(rows.values())
        held = b"".join(keys), b"".join(filter(None, values))
        self._lib.kern_encode(self._kern, held[0], _sizes(keys), held[1], _sizes(values), len(rows), chunk_bytes)
        return self._encoded()

    def _encoded(self) -> list[Encoded]:
        chunks = self._result.chunks
        return [Encoded(n, data) for n, data in zip(numbers_at(self._result.counts, chunks.count), _strings(chunks), strict=True)]

    def _announce(self, effects: Effects) -> None:
        told = numbers_at(self._result.announced, 3 * self._result.announcements)
        diensten = self._program.diensten
        effects.announced += [(diensten[d], _CHANGES[c], time) for d, c, time in zip(told[::3], told[1::3], told[2::3], strict=True)]


def _sizes(contents: Iterable[bytes | None]) -> Any:  # noqa: ANN401 - an array of ctypes
    sizes = array("q", [-1 if c is None else len(c) for c in contents])
    return (ctypes.c_int64 * len(sizes)).from_buffer(sizes)


def numbers_at(address: int | None, number: int) -> "array[int]":
    """So many numbers of 64 bits that the native core holds at ``address``."""
    found = array("q")
    if number:
        found.frombytes(ctypes.string_at(address or 0, 8 * number))
    return found


def _strings(strings: Any) -> list[bytes]:  # noqa: ANN401 - _Strings, whose fields ctypes does not type
    return _DECODER.decode(_view(strings.data, strings.size, _READ)) if strings.count else []


def library_of(library: Path) -> Any:  # noqa: ANN401 - what a library has is known to ctypes only once it is asked
    """The library there; raises NoKernError when it cannot be loaded, or is not of these sources."""
    try:
        lib = ctypes.CDLL(str(library))
    except OSError as e:
        raise NoKernError(str(e)) from None
    lib.kern_sources.argtypes, lib.kern_sources.restype = [], ctypes.c_char_p
    if lib.kern_sources() != digest_of(library.parent).encode():
        raise NoKernError("it was built from other sources; uv sync builds it anew")
    return lib


def _load(library: Path) -> Any:  # noqa: ANN401
    lib = library_of(library)
    number, pointer = ctypes.c_uint64, ctypes.c_void_p
    lib.kern_new.argtypes, lib.kern_new.restype = [ctypes.c_char_p, number, number], pointer
    lib.kern_result.argtypes, lib.kern_result.restype = [pointer], pointer
    signed = ctypes.c_int64
    lib.kern_open.argtypes, lib.kern_open.restype = [pointer, number, signed, signed, signed, ctypes.c_bool, pointer, number], ctypes.c_bool
    lib.kern_give.argtypes, lib.kern_give.restype = [pointer, ctypes.c_char_p, pointer], None
    lib.kern_put.argtypes, lib.kern_put.restype = [pointer, ctypes.c_char_p, number, ctypes.c_char_p, number], None
    lib.kern_encode.argtypes = [pointer, ctypes.c_char_p, pointer, ctypes.c_char_p, pointer, number, number]
    lib.kern_encode.restype = None
    for name in ("kern_free", "kern_fold", "kern_messages", "kern_forget_messages"):
        function = getattr(lib, name)
        function.argtypes, function.restype = [pointer], None
    return lib
