"""Named points at which a test can kill or freeze this process from within; without the test setting nothing stands there."""

import os
import signal
from collections.abc import Callable, Mapping
from typing import Final, Literal, get_args

SETTING: Final = "SAMENLOOP_TEST_CRASH_POINT"  # "<point>[:<hit>[:KILL|STOP]]": at the n-th time that the point is passed

Point = Literal[
    "after-fold",
    "after-begin",  # of the transaction
    "after-some-batches",
    "after-all-batches",
    "after-offsets",
    "before-commit",  # all is acknowledged, and not yet true
    "before-group",  # what the consumer group was not told goes to it, in a transaction of its own
    "after-commit",  # true on the log, not yet in the store
    "during-recovery",  # behind one batch of rows of the changelog
    "during-revoke",  # told to give partitions up, none is closed yet
]


def _nothing(point: Point) -> None:
    """Without the setting."""


def armed(environment: Mapping[str, str]) -> Callable[[Point], None]:
    """The function that stands at every point under ``environment``; raises ValueError when the setting names none of them."""
    setting = environment.get(SETTING)
    if setting is None:
        return _nothing
    wanted, _, rest = setting.partition(":")
    hit, _, ending = rest.partition(":")
    if wanted not in get_args(Point):
        raise ValueError(f"{SETTING}: there is no point {wanted}; there are: {', '.join(get_args(Point))}")
    left, number = int(hit or 1), signal.Signals[f"SIG{ending or 'KILL'}"]

    def crash(point: Point) -> None:
        nonlocal left
        if point == wanted:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), number)

    return crash


crash_point: Final = armed(os.environ)
