"""Runs one program and ends it when the parent goes away, however the parent went: Ctrl-C, an error, or kill -9.

The parent holds the other end of this process's standard input. When the parent is gone the kernel closes it, and the program
is told to stop. Should this process itself be killed, Linux kills the program.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading

STOP_SECONDS = 15
_PR_SET_PDEATHSIG = 1


def _as_a_child() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # what is ignored here would be ignored there
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def end(program: "subprocess.Popen[bytes]", seconds: float = STOP_SECONDS) -> None:
    """Ask ``program`` to stop, and kill it when it does not within ``seconds``."""
    program.terminate()
    try:
        program.wait(seconds)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def main(lock: int, command: list[str]) -> int:
    """Run ``command`` until it ends or standard input is closed; ``lock`` is an open file that it must inherit."""
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_as_a_child, pass_fds=[lock])  # noqa: PLW1509, S603
    threading.Thread(target=_end_with_parent, args=[program], daemon=True).start()
    return program.wait()


def _end_with_parent(program: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 1):  # not sys.stdin: its lock would be held when the interpreter ends
        pass
    end(program)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the parent decides, by closing the pipe
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
