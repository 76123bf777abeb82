"""The files of a bron on the command line: read line by line in bounded memory, with a progress bar."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from connectors.bronnen.checks import MAX_LINE
from connectors.bronnen.publish import Verdict
from samenloop.errors import NotDoneError

_STEP: Final = 262_144  # bytes between two updates of the bar: each one costs as much as a line


def open_source(stack: ExitStack, file: str) -> BinaryIO:
    """``file``, or standard input for ``-``; raises NotDoneError when it is missing or empty."""
    if file == "-":
        return sys.stdin.buffer
    try:
        source = stack.enter_context(Path(file).open("rb"))  # noqa: SIM115 - the stack closes it
        empty = not source.peek(1)
    except OSError as e:
        raise NotDoneError(f"{file}: {e.strerror}") from e
    if empty:
        raise NotDoneError(f"{file}: the file is empty")
    return source


def lines_of(source: BinaryIO) -> Iterator[bytes]:
    """Lines, never more than a bit over MAX_LINE bytes of each in memory; the rest of a longer one is skipped."""
    while line := source.readline(MAX_LINE + 2):
        if not line.endswith(b"\n") and len(line) > MAX_LINE:
            while (rest := source.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
        yield line


def progress_of(stack: ExitStack, file: str, what: str, *, quiet: bool) -> Callable[[int], None]:
    """A bar on stderr that is told the bytes of each line; none where nobody looks, or where the size is not known."""
    if quiet or file == "-" or not sys.stderr.isatty():
        return lambda _: None
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    bar = stack.enter_context(Progress(*columns, console=Console(stderr=True)))
    task = bar.add_task(what, total=Path(file).stat().st_size)
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        if (done + size) // _STEP > done // _STEP:
            bar.update(task, completed=done + size)
        done += size

    stack.callback(lambda: bar.update(task, completed=done))
    return advance


def reporter_of(stack: ExitStack, report: Path | None, file: str) -> Callable[[Verdict], None]:
    """Writes the verwerkingsverslag of ``file`` to ``report``, or nowhere; raises NotDoneError."""
    if report is None:
        return lambda _: None
    try:
        if file != "-" and report.exists() and report.samefile(file):
            raise NotDoneError(f"{report}: the verwerkingsverslag would overwrite the file that is read")
        out = stack.enter_context(report.open("wb"))
    except OSError as e:
        raise NotDoneError(f"{report}: {e.strerror}") from e
    encode = msgspec.json.encode

    def write(verdict: Verdict) -> None:
        out.write(encode({k: v for k, v in zip(verdict._fields, verdict, strict=True) if v is not None}) + b"\n")

    return write
