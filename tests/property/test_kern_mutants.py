"""The tests of equality can fail: each of these planted errors in the native core is found by them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from streams.native import build
from tests.property.kerns import Both
from tests.property.merger_worlds import Merging, mergers, told_by
from tests.property.test_kerns import PUBLISHED, population, tell_every_flipped_bit, tell_of_a_heavy_persoon, worlds

Hunt = Callable[[Path], None]


def _in_worlds(diensten: int) -> Hunt:
    def hunt(library: Path) -> None:
        @_quickly
        @given(worlds(diensten))
        def same(transactions) -> None:
            both = Both(diensten, library=library)
            for told in transactions:
                both.take(told)

        same()

    return hunt


def _where_gemeenten_end(library: Path) -> None:
    @_quickly
    @given(mergers())
    def same(told) -> None:
        told_by(Merging(library), ([e] for e in told))

    same()


def _in_a_population(library: Path) -> None:
    both, made = Both(library=library), population(1, 12_000)
    for begin in range(0, len(made), 2_000):
        both.take(sorted(made[begin : begin + 2_000], key=lambda d: d.topic))


def _in_a_heavy_persoon(library: Path) -> None:
    tell_of_a_heavy_persoon(Both(library=library))


def _in_flipped_bits(library: Path) -> None:
    tell_every_flipped_bit(Both(library=library))


def _quickly(test: Callable[[], None]) -> Callable[[], None]:
    hunt = settings(max_examples=1_500, phases=[Phase.generate], database=None, deadline=None, suppress_health_check=list(HealthCheck))
    return seed(1)(hunt(test))


MUTANTS: dict[str, tuple[str, str, str, Hunt]] = {
    "an equal versie counts again": ("step.h", "m.versie <= feit.versie", "m.versie < feit.versie", _in_a_population),
    "facts about anybody are kept": ("step.h", "if (soort.basis || soort.filtert_zelf) return", "return", _in_worlds(PUBLISHED)),
    "a persoon of whom something was left goes on": ("kern.cpp", "if (i.persoon) i.persoon->left = true;", "", _in_worlds(PUBLISHED)),
    "periods that only touch share a day": ("rules.h", "p.start < p.end", "p.start <= p.end", _in_worlds(1)),
    "a quote in a name is not escaped": ("text.h", "c != '\"' && c", "c", _in_worlds(1)),
    "a second dienst is not told": ("step.h", "|| b.told) continue;", "|| b.told || b.feit.sent.size > 1) continue;", _in_worlds(12)),
    "texts are never dropped": ("page.h", "== 0) page.texts", "== -1) page.texts", _in_a_population),
    "a full page is not divided": ("step.h", "if (full) divide(p);", "", _in_a_heavy_persoon),
    "a name in capitals is a UUID": ("text.h", ": -1; }", ": c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }", _in_flipped_bits),
    "who is told does not depend on the klok": ("kern.cpp", "(s.weighed || has_ending(s, g))", "s.weighed", _where_gemeenten_end),
    "days have no bounds": ("mutatie.h", "f.type == Type::LONG ||", "true ||", _in_flipped_bits),
}


@pytest.mark.parametrize("planted", MUTANTS)
def test_a_planted_error_is_found(tmp_path: Path, planted: str) -> None:
    file, right, wrong, hunt = MUTANTS[planted]
    for source in build.sources():
        shutil.copy(source, tmp_path)
    text = (tmp_path / file).read_text()
    assert text.count(right) == 1
    (tmp_path / file).write_text(text.replace(right, wrong))
    library = build.build(tmp_path)
    with pytest.raises(AssertionError):
        hunt(library)
