"""What must be on the disk before anything relies on it."""

import os
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder onto the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(file: Path, data: bytes) -> None:
    """Give a file this content, on the disk when this returns: whoever reads it finds the old one or the new one, whole."""
    part = file.with_name(f"{file.name}.part")
    with part.open("wb") as f:
        f.write(data)
        f.flush()
        os.fsync(f.fileno())
    part.replace(file)
    sync_folder(file.parent)
