"""What a demo says when it cannot go on."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from samenloop.commands.demo import _why
from samenloop.logs import log_to
from streams.recovery import RecoveryError


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Logs of this test alone go to its file."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_the_cause_that_the_worker_logged_is_said(tmp_path: Path) -> None:
    path = tmp_path / "worker.log"
    with path.open("w") as stream:
        log_to(stream, "info")
        structlog.get_logger().info("partition ready", partition=1)
        assert _why(path) == "it did not say why"
        structlog.get_logger().error("worker failed", error="cannot listen on a:1: 'taken'")
        stream.flush()
        assert _why(path) == "cannot listen on a:1: 'taken'"
        try:
            raise RecoveryError('nothing came of "x" for 60 s')
        except RecoveryError as e:
            structlog.get_logger().exception("worker failed", error=type(e).__name__)
        stream.flush()
        assert _why(path) == 'streams.recovery.RecoveryError: nothing came of "x" for 60 s'
