"""Faults of workers: killed, frozen, stopped under load, coming and going, with a wrong clock or without their directory."""

import asyncio
import shutil
import signal
from pathlib import Path
from typing import get_args

from streams.crash_points import Point
from tests.faults.field import SESSION, Fault, Run

CLOCK = Path(__file__).parent / "clock"
DAY = 86_400


async def killed_at_every_point(run: Run) -> None:
    """Each worker takes up what the one before left behind, and is killed at the next point."""
    points = [p for p in get_args(Point) if p != "during-revoke"]
    points = run.rnd.sample(points, len(run.often(4, len(points))))
    await run.deliver(0.1)
    (first,) = await run.start_ready()
    await run.node.until_idle()
    await run.dismiss(first)  # from here on there is something to restore
    await run.deliver(0.05)
    for point in points:
        hit = run.rnd.randint(1, 20 if point == "after-some-batches" else 3)
        worker = run.start(f"{point}:{hit}", supervised=False)
        ending = asyncio.create_task(run.end_of(worker))
        while not ending.done():
            if "partition ready" in run.log_of(worker):
                await run.deliver(0.01)
            await asyncio.sleep(0.1)
        assert await ending == -signal.SIGKILL, f"not killed {point}"


async def killed_when_told_to_give_up(run: Run) -> None:
    """A second worker comes, and the first is killed while it gives its partitions up."""
    first = run.start("during-revoke:2", supervised=False)  # Faust revokes once before the first assignment
    await run.node.until_ready(first)
    async with run.load(6):
        await run.start_ready()
        assert await run.end_of(first) == -signal.SIGKILL


async def killed_at_random(run: Run) -> None:
    """Two workers; one of them is killed at any moment, again and again."""
    await run.start_ready(2)
    async with run.load(5):
        for _ in run.often(2, 6):
            await asyncio.sleep(run.moment(0.2, 3))
            run.rnd.choice([w for w in run.node.workers if w.poll() is None]).kill()


async def woken_zombie(run: Run) -> None:
    """A worker is frozen past its session, another takes over, and the first wakes and goes on where it was."""
    zombie = run.start(supervised=False)
    await run.node.until_ready(zombie)
    async with run.load(4 * SESSION):
        await asyncio.sleep(run.moment(0.2, 3))
        zombie.send_signal(signal.SIGSTOP)
        await run.start_ready()
        await asyncio.sleep(SESSION)
        zombie.send_signal(signal.SIGCONT)
    assert zombie.poll() in {None, 2}, "a woken worker goes on with what is its own now, or ends and says so"


async def frozen_inside_a_transaction(run: Run) -> None:
    """A worker is frozen between its batches and the end of its transaction until Kafka has ended that; nobody else is there."""
    point = run.rnd.choice(["after-begin", "after-all-batches", "after-offsets", "before-commit"])
    worker = run.start(f"{point}:{run.rnd.randint(1, 4)}:STOP", SAMENLOOP_TRANSACTION_TIMEOUT="2", SAMENLOOP_SESSION_TIMEOUT="20")
    await run.node.until_ready(worker)
    async with run.load(3):
        await until_frozen(worker.pid)
        await asyncio.sleep(14)  # Kafka looks for such transactions every ten seconds
        worker.send_signal(signal.SIGCONT)


async def until_frozen(pid: int) -> None:
    """Wait until a process has stopped itself."""
    while "State:\tT" not in Path(f"/proc/{pid}/status").read_text():  # noqa: ASYNC110, ASYNC240 - the kernel tells nobody
        await asyncio.sleep(0.05)


async def stopped_under_load(run: Run) -> None:
    """SIGTERM while there is work: the worker ends in time, and another goes on."""
    async with run.load(8):
        for _ in run.often(2, 6):
            (worker,) = await run.start_ready()
            await asyncio.sleep(run.moment(0, 1.5))
            await run.dismiss(worker)


async def rebalance_storm(run: Run) -> None:
    """Every few seconds a worker joins, leaves or is killed."""
    run.start()
    async with run.load(8):
        for _ in run.often(4, 12):
            await asyncio.sleep(run.moment(0.5, 3))
            living = [w for w in run.node.workers if w.poll() is None]
            match run.rnd.choice(["join", "join", "leave", "kill"]):
                case "leave" if len(living) > 1:
                    await run.dismiss(run.rnd.choice(living))
                case "kill" if living:
                    run.rnd.choice(living).kill()
                case _:
                    run.start()


async def directory_wiped_and_clock_off(run: Run) -> None:
    """Between two workers all local files go; the next one's clock is a day off."""
    first = run.start(supervised=False)
    await run.node.until_ready(first)
    await run.deliver(0.5)
    first.kill()
    await run.end_of(first)
    shutil.rmtree(run.node.data / "faust", ignore_errors=True)
    shift = run.rnd.choice([-DAY, DAY])
    worker = run.start(PYTHONPATH=str(CLOCK), TEST_CLOCK_SHIFT=str(shift))
    await run.node.until_ready(worker)
    await run.deliver()


FAULTS = [
    Fault("killed at every named point", killed_at_every_point),
    Fault("killed while it gives partitions up", killed_when_told_to_give_up),
    Fault("killed at random", killed_at_random, fast=False),
    Fault("frozen past its session, and woken", woken_zombie),
    Fault("frozen inside a transaction", frozen_inside_a_transaction),
    Fault("SIGTERM under load", stopped_under_load),
    Fault("rebalance storm", rebalance_storm),
    Fault("local files gone, clock a day off", directory_wiped_and_clock_off),
]
