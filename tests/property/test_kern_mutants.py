"""The tests of equality can fail: each of these planted errors in the native core is found by them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from streams.native import build
from tests.property.chain_worlds import working
from tests.property.kerns import Both
from tests.property.merger_worlds import Merging, mergers, told_by
from tests.property.test_chains import job, left_while_it_goes_on, on_another_page
from tests.property.test_death import said
from tests.property.test_kerns import (
    PUBLISHED,
    population,
    tell_every_flipped_bit,
    tell_of_a_heavy_persoon,
    tell_of_many_studies,
    tell_of_names_that_fall_together,
    worlds,
)

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


def _where_jobs_go_on(library: Path) -> None:
    @_quickly
    @given(working())
    def same(told) -> None:
        said(Both(PUBLISHED, library=library), told)

    same()


def _in_a_population(library: Path) -> None:
    both, made = Both(library=library), population(1, 12_000)
    for begin in range(0, len(made), 2_000):
        both.take(sorted(made[begin : begin + 2_000], key=lambda d: d.topic))


def _where_a_job_goes_on(library: Path) -> None:
    left_while_it_goes_on(Both(PUBLISHED, library=library), job(2, 11, 15))


def _in_pages_of_jobs(library: Path) -> None:
    on_another_page(Both(PUBLISHED, library=library))


def _in_a_heavy_persoon(library: Path) -> None:
    tell_of_a_heavy_persoon(Both(library=library))


def _in_many_studies(library: Path) -> None:
    tell_of_many_studies(Both(library=library))


def _in_names_that_fall_together(library: Path) -> None:
    tell_of_names_that_fall_together(Both(library=library))


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
    "half-empty pages are divided": ("step.h", "p.head.pages) return;", "0) return;", _in_names_that_fall_together),
    "of several pages not all are read that are dealt": ("kern.cpp", "else want_rest();", "", _in_many_studies),
    "a name in capitals is a UUID": ("text.h", ": -1; }", ": c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1; }", _in_flipped_bits),
    "a job that goes on the next day is another": ("chains.h", "b.start <= a.end", "b.start < a.end", _where_jobs_go_on),
    "what a job went on from before is forgotten": ("step.h", "go_on(f->key, other, was)", "was.versie < 0", _where_jobs_go_on),
    "a bijstand is laid beside each record": ("step.h", "!each_alone(f, beside)", "!each_alone(f, {})", _where_a_job_goes_on),
    "records of other pages do not go on": ("step.h", "page == own && i64", "page != own || i64", _in_pages_of_jobs),
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
