"""The engine's own Folder, watched: which frames each fold took, so that a fresh fold can be laid beside what was committed.

What is costly to make, and tells nothing of one engine apart from another, is made once for all: a Folder and the metrics.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import structlog

from streams import engine
from streams.effects import Effects
from streams.fold import Folder, Frame, State
from streams.metrics import Held, Metrics
from tests.simulation.world import catalogue


@cache
def folder() -> Folder:
    """A Folder keeps nothing between folds."""
    return Folder(catalogue(), "sim", kern="python")  # errors are planted in its parts


@cache
def _metrics() -> Metrics:
    return Metrics(folder().topics, catalogue().diensten, lambda: Held({}, 0, 0, {}))


class Watched:
    """A Folder that remembers what it was given."""

    def __init__(self, *_: object) -> None:
        self._folder = folder()
        self._taken: dict[int, list[Frame]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._folder, name)

    def fold(self, state: State, partition: int, frames: Iterable[Frame]) -> Effects:
        """What the Folder makes of the frames."""
        frames = list(frames)
        effects = self._folder.fold(state, partition, frames)
        self._taken[partition] = frames
        return effects

    def taken(self, partition: int) -> list[Frame]:
        """The frames that were folded last of a partition."""
        return self._taken.get(partition, [])


@contextmanager
def watching() -> Iterator[None]:
    """While it lasts every engine folds through a watched Folder, and logs nothing."""
    config = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        with patch.object(engine, "Folder", Watched), patch.object(engine, "Metrics", lambda *_: _metrics()):
            yield
    finally:
        structlog.configure(**config)
