"""Hit rates against a count by hand, and what they must never tell."""

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import Catalogue
from schemas.codec import Codec, decode_signaal
from schemas.values import Stand, Terugmelding, Uitkomst
from streams.audit.hit_rates import SMALL, STANDEN, UITKOMSTEN, Report, Row, Tally
from tests.contract.examples import SIGNALEN

CATALOGUE = Catalogue.load()
CODEC = Codec(CATALOGUE)
PAIR = json.loads(next(e.raw for e in SIGNALEN if e.name == "signalen.v1.nieuw"))
BASIS = json.loads(next(e.raw for e in SIGNALEN if e.name == "signalen.v2.nieuw"))
PERSONAL = (PAIR["kenmerk"], BASIS["kenmerk"], PAIR["feit"]["record_id"], PAIR["basisfeit"]["record_id"], "gm0363", "gm0599")


class Sent(NamedTuple):
    """A signal, and what is reported of it."""

    number: int
    pair: bool
    bron: str
    jaar: int
    versies: int
    reported: tuple[tuple[Stand, Uitkomst | None], ...]

    @property
    def name(self) -> str:
        return f"14ddccf6-daf5-50d2-a262-{self.number:012x}"

    @property
    def group(self) -> str:
        """The dienst of the golden signal about a basisfeit asks duo."""
        return self.bron if self.pair else "duo"

    @property
    def ontvanger(self) -> str:
        return ("gm0363", "gm0599")[self.number % 2]

    def values(self) -> Iterator[bytes]:
        for versie in range(1, self.versies + 1):
            told = {**(PAIR if self.pair else BASIS), "signaal_id": self.name, "versie": versie, "ontvanger": self.ontvanger}
            told["registratietijd"] = f"{self.jaar + (versie > 1)}-06-01T00:00:00.000Z"
            if self.pair:
                told["feit"] = {**PAIR["feit"], "bron": self.bron}
            yield json.dumps(told).encode()

    def reports(self) -> Iterator[bytes]:
        for stand, uitkomst in self.reported:
            yield CODEC.encode_terugmelding(Terugmelding(self.name, self.versies, stand, uitkomst, 0))


handled = st.tuples(st.just("AFGEHANDELD"), st.sampled_from(UITKOMSTEN))
others = st.tuples(st.sampled_from(STANDEN[:2]), st.none())
signals = st.builds(
    Sent,
    st.integers(0, 10_000),
    st.booleans(),
    st.sampled_from(["uwv", "svb"]),
    st.sampled_from([2025, 2026]),
    st.integers(1, 2),
    st.lists(handled | others, max_size=3).map(tuple),
)
worlds = st.lists(signals, max_size=40, unique_by=lambda s: s.number)


def counted(world: Sequence[Sent], *, twice: bool = False) -> Report:
    tally = Tally(CATALOGUE)
    for sent in world:
        for value in sent.values():
            tally.signaal(value)
            if twice:
                tally.signaal(value)
    for sent in world:
        for value in sent.reports():
            tally.terugmelding(sent.ontvanger, value)
            if twice:
                tally.terugmelding(sent.ontvanger, value)
    return tally.report()


def by_hand(world: Sequence[Sent], row: Row) -> list[int]:
    """Sent, delivered, accepted, handled, and each uitkomst, of the group of a row."""
    group = [s for s in world if (s.group, s.jaar) == (row.bron, row.jaar)]
    reached = [{stand for stand, _ in s.reported} for s in group]
    last = [next((u for _, u in reversed(s.reported) if u is not None), None) for s in group]
    delivered = sum(bool(r) for r in reached)
    accepted = sum(bool(r - {"BEZORGD"}) for r in reached)
    return [len(group), delivered, accepted, sum("AFGEHANDELD" in r for r in reached), *(last.count(u) for u in UITKOMSTEN)]


@given(worlds)
def test_every_count_that_is_told_is_the_count_by_hand_and_no_small_one_is_told(world: list[Sent]) -> None:
    report = counted(world)
    assert {(r.bron, r.jaar) for r in report.rijen} == {(s.group, s.jaar) for s in world}
    for row in report.rijen:
        told = [row.verstuurd, row.bezorgd, row.geaccepteerd, row.afgehandeld, *row.uitkomsten.values()]
        wanted = by_hand(world, row)
        assert all(t in {None, w} for t, w in zip(told, wanted, strict=True))
        assert not [t for t in told if t is not None and 0 < t < SMALL]
        assert [t is None for t in told[:4]] == [0 < w < SMALL for w in wanted[:4]]
        small = any(0 < w < SMALL for w in wanted[4:]) or wanted[0] < SMALL
        assert [t is None for t in told[4:]] == [small] * len(UITKOMSTEN), "one uitkomst would follow from the others"
        juist, onjuist, bekend, _ = wanted[4:]
        judged = juist + onjuist + bekend
        assert row.trefkans == (None if small or not judged else round(juist / judged, 3))


@given(worlds)
def test_what_comes_twice_changes_nothing(world: list[Sent]) -> None:
    assert counted(world, twice=True) == counted(world)


@given(worlds, st.integers(1, 3))
def test_what_is_reported_of_signals_that_were_not_sent_to_who_reports_counts_nowhere_else(world: list[Sent], times: int) -> None:
    tally = Tally(CATALOGUE)
    for sent in world:
        for value in sent.values():
            tally.signaal(value)
    before = tally.report().rijen
    strange = [
        ("gm0363", Sent(20_000, pair=True, bron="uwv", jaar=2026, versies=1, reported=(("AFGEHANDELD", "JUIST"),))),
        *(("gm0034", s._replace(reported=(("BEZORGD", None),))) for s in world),
        *((s.ontvanger, s._replace(versies=3, reported=(("BEZORGD", None),))) for s in world),
    ]
    for _ in range(times):
        for who, sent in strange:
            for value in sent.reports():
                tally.terugmelding(who, value)
    tally.terugmelding("gm0363", b"\x07nonsense")
    after = tally.report()
    assert (after.rijen, after.onbekend, after.onleesbaar) == (before, times * len(strange), 1)


@given(worlds)
def test_nothing_of_a_case_or_an_ontvanger_stands_in_the_report(world: list[Sent]) -> None:
    said = msgspec.json.encode(counted(world)).decode()
    assert not [text for text in (*PERSONAL, *(s.name for s in world)) if text in said]


def test_the_golden_signals_are_counted_under_their_dienst_bron_and_first_year() -> None:
    tally = Tally(CATALOGUE)
    for example in SIGNALEN:
        tally.signaal(example.raw)
    pair = decode_signaal(SIGNALEN[0].raw)
    assert {(r.dienst, r.bron, r.jaar, r.verstuurd) for r in tally.report().rijen} >= {(pair.dienst, "uwv", 2026, None)}
    assert tally.report(2031).rijen == ()
