"""Breaches planted in a copy of the published catalogue."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

PUBLISHED = Path(__file__).parents[2] / "schemas"

Change = Callable[[Any, str | int], None]


def copied(folder: Path) -> Path:
    """The published catalogue in ``folder``, to be spoilt."""
    return Path(shutil.copytree(PUBLISHED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"), dirs_exist_ok=True))


def spoil(folder: Path, file: str, path: tuple[str | int, ...], change: Change) -> None:
    """Change what stands in ``file`` under ``path``; ``change`` gets the container and the last key."""
    found = yaml.safe_load((folder / file).read_text(encoding="utf-8"))
    place = found
    for key in path[:-1]:
        place = place[key]
    change(place, path[-1])
    (folder / file).write_text(yaml.safe_dump(found, sort_keys=False), encoding="utf-8")


def put(value: object) -> Change:
    return lambda place, key: place.__setitem__(key, value)


def drop(place: Any, key: str | int) -> None:
    del place[key]
