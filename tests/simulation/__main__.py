"""``./run simulate``: seeds of the simulation, and how a failing one came about."""

import argparse
import sys
from contextlib import nullcontext

from tests.simulation.hunting import Failure, hunt, shorten
from tests.simulation.planted import PLANTED

_CALM_LINES = 20


def main() -> int:
    """Exit code 1 when a seed fails."""
    options = _options()
    plant = PLANTED[options.plant].context() if options.plant else nullcontext()
    with plant:
        found = hunt(range(options.seed, options.seed + options.count), outside_only=bool(options.plant))
        print(f"{found.seeds} interleavings, {found.seeds / found.cpu_seconds:.0f} a CPU-second")
        print(", ".join(f"{name} {number}" for name, number in sorted(found.met.items())))
        if found.failure is None:
            return 0
        _show(found.failure if options.whole else shorten(found.failure), whole=options.whole)
    return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds, one after the other")
    parser.add_argument("--plant", choices=PLANTED, help="with this bug planted")
    parser.add_argument("--whole", action="store_true", help="the whole trace of a failing seed, not shortened")
    return parser.parse_args()


def _show(failure: Failure, *, whole: bool) -> None:
    print(f"\nseed {failure.seed} fails: {failure.message}\n")
    *lines, _ = failure.trace()
    calm = lines.index("calm") + 1 if "calm" in lines else len(lines)
    print(*lines[:calm], sep="\n")
    rest = lines[calm:]
    if not whole and len(rest) > _CALM_LINES:
        print(f"… {len(rest) - _CALM_LINES} more, in which nothing fails …")
        rest = rest[-_CALM_LINES:]
    print(*rest, sep="\n")


if __name__ == "__main__":
    sys.exit(main())
