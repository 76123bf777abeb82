"""Compiles the native core with the Zig compiler that PyPI has. Only the standard library is used: the project's own build runs this."""

import os
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
LIBRARY: Final = FOLDER / "libkern.so"
_FLAGS: Final = ("-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti", "-fPIC", "-fvisibility=hidden")
# No platform's headers or C++ library are needed, so that nothing but the sources is compiled; realloc and free are the process's own.
_ALONE: Final = ("-shared", "-nostdlib", "-s", "-mcpu=baseline")  # the library may run on another machine of the same kind
_SECONDS: Final = 300


class BuildError(Exception):
    """There is no native core for this machine; the text says why."""


def sources(folder: Path = FOLDER) -> list[Path]:
    """What the library is made of."""
    return sorted((*folder.glob("*.h"), *folder.glob("*.cpp")))


def digest_of(folder: Path = FOLDER) -> str:
    """Names one state of the sources: the library is told it, so that no other is taken for theirs."""
    return sha256(b"\0".join([part for path in sources(folder) for part in (path.name.encode(), path.read_bytes())])).hexdigest()[:16]


def build(folder: Path = FOLDER) -> Path:
    """Compile the sources in ``folder`` into a library beside them; raises BuildError. What an earlier build left is gone in any case."""
    library = folder / LIBRARY.name
    library.unlink(missing_ok=True)
    if not sys.platform.startswith("linux"):
        raise BuildError(f"it has not been tried on {sys.platform}")
    with tempfile.TemporaryDirectory() as cache:
        told = f'-DKERN_SOURCES="{digest_of(folder)}"'
        command = [sys.executable, "-m", "ziglang", "c++", *_FLAGS, *_ALONE, told, "-o", str(library), str(folder / "kern.cpp")]
        caches = {"ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
        try:
            subprocess.run(command, env={**os.environ, **caches}, check=True, capture_output=True, text=True, timeout=_SECONDS)  # noqa: S603
        except subprocess.CalledProcessError as e:
            library.unlink(missing_ok=True)
            raise BuildError(e.stderr.strip() or f"the compiler ended with {e.returncode}") from None
        except (OSError, subprocess.TimeoutExpired) as e:
            raise BuildError(str(e)) from None
    return library
