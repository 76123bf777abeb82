"""Logs: one line an event on a stream, through structlog, with the libraries' own logging beside it."""

import logging
from typing import TextIO

import structlog


def log_to(stream: TextIO, level: str) -> None:
    """Send the logs of this process to ``stream``; the libraries' own only from warnings on."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    render = structlog.dev.ConsoleRenderer() if stream.isatty() else structlog.processors.LogfmtRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    logging.basicConfig(stream=stream, level=max(number, logging.WARNING), format=form, force=True)
