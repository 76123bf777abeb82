"""The engine's own Folder, watched: which frames each fold took, so that a fresh fold can be laid beside what was committed."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import structlog

from streams import engine
from streams.effects import Effects, SourceOffsets
from streams.fold import Folder, Frame
from tests.simulation.world import catalogue

Offsets = frozenset[tuple[tuple[str, int], int]]


@cache
def folder() -> Folder:
    """A Folder is costly to make and keeps nothing between folds."""
    return Folder(catalogue(), "sim")


class Watched:
    """A Folder that remembers what it was given."""

    def __init__(self, *_: object) -> None:
        self._folder = folder()
        self._taken: dict[Offsets, list[Frame]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._folder, name)

    def fold(self, read: Callable[[bytes], bytes | None], partition: int, frames: Iterable[Frame]) -> Effects:
        """What the Folder makes of the frames."""
        frames = list(frames)
        effects = self._folder.fold(read, partition, frames)
        self._taken[frozenset(effects.offsets.items())] = frames
        return effects

    def taken(self, offsets: SourceOffsets) -> list[Frame]:
        """The frames whose fold ended at ``offsets``."""
        return self._taken.get(frozenset(offsets.items()), [])


@contextmanager
def watching() -> Iterator[None]:
    """While it lasts every engine folds through a watched Folder, and logs nothing."""
    original, engine.Folder = engine.Folder, Watched  # type: ignore[misc, assignment]
    config = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        engine.Folder = original  # type: ignore[misc]
        structlog.configure(**config)
