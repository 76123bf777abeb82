"""The native core and the pure Python do the same: rows, messages, headers, counts, byte for byte, whatever comes and however it is cut."""

import random
from collections.abc import Sequence
from functools import cache
from itertools import count, islice, pairwise
from uuid import NAMESPACE_OID, uuid5
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fill import Encoder
from bench.workload import SIZES, synthetic
from streams.core.timeline import timeline_of
from streams.effects import Effects
from streams.encoded import encode_rows, rows_in
from streams.records import SourceRecord, run_of
from tests.contract.odd_bytes import MUTATIE, SCHEMA_OF, frame, number, text
from tests.property.kerns import Both, Delivered, catalogue_with, codec_of
from tests.property.worlds import Told, deliveries

SELF_FILTERING, FOLLOWED = "duo.studiefinanciering", "uwv.inkomstenopgave"
WAGES = "mutaties.uwv.inkomstenopgave"
PERSONEN = [b"A" * 52, b"B" * 51 + b"7", b"C" * 52]
PUBLISHED = 0


@cache
def population(diensten: int, mutaties: int) -> list[Delivered]:
    """The first mutaties of a synthetic population."""
    catalogue = catalogue_with(diensten)
    made = islice(synthetic(catalogue, SIZES["quick"]), mutaties)
    return [Delivered(r.topic, r.key.encode(), r.value) for r in map(Encoder(catalogue).encode, made)]


def delivered(diensten: int, persoon: bytes, told: Told, *, named: bool) -> Delivered:
    """A mutatie of a world on the wire; records have UUIDs as nearly everywhere, or are ``named`` as no bron should."""
    soort, m = told
    schema = catalogue_with(diensten).latest_schema(f"mutaties.{soort}").id
    name = f'"{m.record_id}\\é' if named else str(uuid5(NAMESPACE_OID, m.record_id))
    value = {"record_id": name, "versie": m.versie, "registratietijd": m.registratietijd, "feit": m.feit}
    return Delivered(f"mutaties.{soort}", persoon, codec_of(diensten).encode(schema, value))


@st.composite
def worlds(draw: st.DrawFn, diensten: int) -> list[list[Delivered]]:
    """Transactions of a few personen."""
    told = []
    for persoon in PERSONEN[: draw(st.integers(1, len(PERSONEN)))]:
        odd = draw(st.sampled_from(["", "", "gemeente", "uwv", "e"]))  # names of these
        for soort in draw(st.sampled_from([[SELF_FILTERING], [FOLLOWED], [SELF_FILTERING, FOLLOWED]])):
            told += [delivered(diensten, persoon, one, named=odd != "" and odd in one.soort) for one in draw(deliveries(soort))]
    told = draw(st.permutations(told))
    by_topic = draw(st.booleans())
    ends = sorted(draw(st.lists(st.integers(0, len(told)), max_size=4)))
    transactions = [told[a:b] for a, b in zip([0, *ends], [*ends, len(told)], strict=True)]
    return [sorted(t, key=lambda d: d.topic) if by_topic else t for t in transactions]


@pytest.mark.parametrize("diensten", [PUBLISHED, 1, 12])
def test_both_cores_say_and_keep_the_same(diensten: int) -> None:
    @given(worlds(diensten), st.lists(st.integers(0, 40), max_size=6), st.sampled_from([1, 2_000, 900_000]))
    def same(transactions: list[list[Delivered]], cuts: Sequence[int], chunk_bytes: int) -> None:
        both = Both(diensten, chunk_bytes)
        for told in transactions:
            both.take(told, cuts)

    same()


@pytest.mark.parametrize(("diensten", "most"), [(PUBLISHED, 300), (1, 40), (1, 1_000), (12, 500)])
def test_both_cores_do_the_same_with_a_population(diensten: int, most: int) -> None:
    """Thousands of mutaties with corrections, withdrawals, moves, late and double ones; the native core does the most of it."""
    made = population(diensten, 12_000)
    both = Both(diensten)
    for begin in range(0, len(made), 4 * most):
        part = sorted(made[begin : begin + 4 * most], key=lambda d: d.topic)
        both.take(part, range(0, len(part), most))
    assert both.left < (0.25 if diensten == PUBLISHED else 0.02) * len(made)


def test_a_persoon_with_hundreds_of_feiten_stays_with_the_native_core() -> None:
    both = Both()
    tell_of_a_heavy_persoon(both)
    assert len(both.store.rows) > 32
    assert not both.left


def tell_of_a_heavy_persoon(both: Both) -> None:
    """Wages under one bijstand, then corrections of it and of some of them."""
    basis = {"begindatum": 19_000, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
    wage = {"ikv_nummer": 1, "tijdvak": "MAAND", "verloonde_uren": None}
    wages = [
        wire(
            FOLLOWED,
            i,
            1,
            wage | {"loonheffingennummer": f"{i % 7:09d}L01", "loon_sv": i, "begindatum": 19_000 + i, "einddatum": 19_020 + i},
        )
        for i in range(2, 602)
    ]
    both.take([wire("gemeente.bijstand", 1, 1, basis)])
    for begin in range(0, len(wages), 20):
        both.take(wages[begin : begin + 20])
    both.take([*wages[:50], wire("gemeente.bijstand", 1, 2, basis | {"kenmerk": "A-2", "einddatum": 19_300})])
    both.take([wire("gemeente.bijstand", 1, 3, None), wire(FOLLOWED, 9, 2, None)])


def test_of_a_persoon_with_many_feiten_the_other_pages_are_read_only_where_one_may_be_dealt_over_more() -> None:
    both = Both()
    tell_of_many_studies(both)
    assert timeline_of(PERSONEN[0], both.store.get).head.pages >= 16


def tell_of_many_studies(both: Both) -> None:
    """Feiten that never go on as one: of those that may, all pages are read anyway. The native core does all."""
    basis = {"begindatum": 19_000, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
    study = {"begindatum": 19_000, "einddatum": None, "regeling": "WTOS", "onderwijssoort": "VO", "maandbedrag": 1}
    studies = [wire(SELF_FILTERING, i, 1, study) for i in range(2, 402)]
    both.take([wire("gemeente.bijstand", 1, 1, basis), *studies[:10]])
    for begin in range(10, len(studies), 5):
        both.take(studies[begin : begin + 5])
    assert not both.left


def test_pages_that_are_half_empty_are_not_dealt_over_more() -> None:
    both = Both()
    tell_of_names_that_fall_together(both)
    assert not both.left
    assert timeline_of(PERSONEN[0], both.store.get).head.pages == 4


def tell_of_names_that_fall_together(both: Both) -> None:
    """Forty wages that all stand on the first of two or of four pages, and of eight."""
    basis = {"begindatum": 19_000, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
    wage = {"ikv_nummer": 1, "tijdvak": "MAAND", "verloonde_uren": None, "loonheffingennummer": "000000001L01", "loon_sv": 1}
    together = (i for i in count(2) if crc32(b"\0" + uuid5(NAMESPACE_OID, str(i)).bytes) % 8 == 0)
    wages = [wire(FOLLOWED, i, 1, wage | {"begindatum": 19_000 + 9 * i, "einddatum": 19_001 + 9 * i}) for i in islice(together, 40)]
    both.take([wire("gemeente.bijstand", 1, 1, basis)])
    for begin in range(0, len(wages), 3):
        both.take(wages[begin : begin + 3])


def wire(soort: str, record: int, versie: int, feit: object) -> Delivered:
    """A mutatie of one persoon."""
    schema = catalogue_with(1).latest_schema(f"mutaties.{soort}").id
    value = {
        "record_id": str(uuid5(NAMESPACE_OID, str(record))),
        "versie": versie,
        "registratietijd": 1_760_000_000_000 - record,
        "feit": feit,
    }
    return Delivered(f"mutaties.{soort}", PERSONEN[0], codec_of(1).encode(schema, value))


GOOD = population(1, 400)


NUMBERS = st.sampled_from([0, 1, -1, 2**31 - 1, 2**31, -(2**31), 2**62, 84_005, 84_006, -25_567, -25_568, 7_258_118_399_999])
NAMES = st.sampled_from([MUTATIE[:2], text("0b2c3d4e-0000-4000-8000-00000000000a")])
SCHEMAS = st.sampled_from(sorted(SCHEMA_OF.values()))
made_up = st.builds(frame, SCHEMAS, NAMES, st.lists(NUMBERS.map(number), min_size=2, max_size=5).map(b"".join), st.binary(max_size=30))


def flipped(value: bytes, at: int, byte: int) -> bytes:
    """With another byte somewhere."""
    at %= len(value)
    return value[:at] + bytes([byte]) + value[at + 1 :]


@st.composite
def hostile(draw: st.DrawFn) -> Delivered:
    """Bytes that were a mutatie, or never were one."""
    topic, key, value = draw(st.sampled_from(GOOD))
    assert value is not None
    odd_values = [
        st.integers(0, len(value)).map(lambda n: value[:n]),
        st.builds(flipped, st.just(value), st.integers(0, 500), st.integers(0, 255)),
        st.binary(max_size=5).map(lambda more: value + more),
        st.none() | st.binary(max_size=80),
        made_up,
        st.sampled_from([value[:6] + value[6:42].upper() + value[42:], value[:-1] + b"\x80\x00", b"\0" * 5_000]),
    ]
    odd_keys = st.none() | st.binary(max_size=60) | st.just((key or b"").lower())
    return draw(
        st.one_of([st.builds(Delivered, st.just(topic), st.just(key), v) for v in odd_values])
        | st.builds(Delivered, st.just(topic), odd_keys, st.just(value))
        | st.builds(Delivered, st.sampled_from(GOOD).map(lambda d: d.topic), st.just(key), st.just(value))
    )


@given(st.dictionaries(st.binary(max_size=60), st.none() | st.binary(max_size=300), max_size=80), st.integers(1, 2_000))
def test_rows_of_state_become_finished_records(rows: dict[bytes, bytes | None], chunk_bytes: int) -> None:
    kern = Both().native._kern
    assert kern is not None
    chunks = kern.encode(rows, chunk_bytes)
    assert list(rows_in(chunks)) == [(key, value, []) for key, value in rows.items()]
    assert chunks == [encode_rows(rows_in([c])) for c in chunks]
    assert all(len(c.data) <= chunk_bytes for c in chunks if c.count > 1)
    assert all(len(a.data + b.data) > chunk_bytes - 20 for a, b in pairwise(chunks))


hostile_and_good = st.lists(hostile() | st.sampled_from(GOOD), max_size=30)


@given(hostile_and_good, st.lists(st.integers(0, 30), max_size=3), st.booleans())
def test_hostile_bytes_have_the_same_fate_in_both_cores(told: list[Delivered], cuts: Sequence[int], by_topic: bool) -> None:
    both = Both()
    both.take(GOOD[:200], range(0, 200, 50))
    both.take(sorted(told, key=lambda d: d.topic) if by_topic else told, cuts)


def test_every_flipped_bit_of_a_mutatie_has_the_same_fate_in_both_cores() -> None:
    tell_every_flipped_bit(Both())


def tell_every_flipped_bit(both: Both) -> None:
    """A mutatie of each soort, with each of its bits turned; each in a frame of its own."""
    for topic in sorted({d.topic for d in GOOD}):
        _, key, value = next(d for d in GOOD if d.topic == topic)
        assert value is not None
        told = [flipped(value, at, value[at] ^ 1 << bit) for at in range(len(value)) for bit in range(8)]
        both.take([Delivered(topic, key, wrong) for wrong in told], range(len(told)))


@given(st.binary(max_size=400), st.integers(0, 5), st.randoms(use_true_random=False))
def test_state_that_no_core_wrote_never_hurts(row: bytes, wounds: int, rnd: random.Random) -> None:
    """Rows come from the changelog, which is ours; yet whatever stands there, the native core does not fail over it."""
    both = Both()
    for d in GOOD[:40]:
        both.take([d])
    kern, (key, kept) = both.native._kern, max(both.store.rows.items(), key=lambda r: len(r[1]))
    assert kern is not None
    broken = bytearray(kept)
    for _ in range(wounds):
        broken[rnd.randrange(len(broken))] = rnd.randrange(256)
    for state in (row, bytes(broken), kept[: len(kept) // 2]):
        for d in GOOD[:20]:
            kern.fold(Effects(), {key: state}.get, d.topic, 3, run_of([SourceRecord(key, d.value, 1)]))
            kern.forget()
