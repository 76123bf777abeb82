"""Nothing lost, nothing wrong: a seeded selection of all faults on the real broker, each with the same assertion in the end."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.faults.field import Fault, Surroundings, survive
from tests.faults.selection import FAST_SEED, FAULTS

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    """One broker for all faults, also for those that hit it."""
    with closing(Surroundings(tmp_path_factory.mktemp("faults"))) as place:
        yield place


@pytest.mark.parametrize("fault", [f for f in FAULTS if f.fast], ids=lambda f: f.name)
async def test_all_is_exact_in_the_end(fault: Fault, place: Surroundings) -> None:
    await survive(fault, place, FAST_SEED, mutations=3_000, thorough=False)
