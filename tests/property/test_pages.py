"""How state is kept changes nothing in what is said: small pages, any names, texts that are dropped."""

from unittest.mock import patch
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from streams.core import timeline as timeline_module
from streams.core.page import Page, _digest
from streams.core.period import Period
from streams.core.record import Record, Sent, pack
from streams.core.timeline import timeline_of
from tests.property.worlds import Told, deliveries, rules, run

SOORT = next(s for s in rules().soorten.values() if s.naam == "uwv.inkomstenopgave")
names = st.sampled_from([*(str(UUID(int=i)) for i in range(4)), "a", "ab", "b", str(UUID(bytes=_digest(b"a")))]).map(pack)
sents = st.builds(
    Sent, st.integers(1, 2), st.sampled_from(["gm0363", "gm0599"]), st.integers(0, 1), st.integers(1, 300), st.none() | st.binary()
)
periods = st.builds(Period, st.integers(-9, 40_000), st.none() | st.integers(40_001, 50_000))
numbers = st.integers(-(2**62), 2**62)
texts = st.sampled_from(["", "gm0363", "123456789L01", "MAAND", "5"])
values = st.tuples(*(st.none() | (texts if is_text else numbers) for is_text in SOORT.teksten))


@st.composite
def records(draw: st.DrawFn) -> Record:
    period = draw(st.none() | periods)
    sent = tuple(draw(st.lists(sents, max_size=2)))
    numbers = draw(st.integers(0, 2**31)), draw(st.integers(0, 2**40))
    return Record(draw(names), *numbers, period, () if period is None else draw(values), sent)


@given(st.lists(records(), max_size=12))
def test_a_page_holds_the_newest_of_each_name_and_no_text_that_nothing_refers_to(put: list[Record]) -> None:
    page, newest = Page(), {}
    for record in put:
        page = page.put(SOORT, record)
        newest[record.name] = record
    assert list(page.of(SOORT)) == list(newest.values())
    assert [page.find(SOORT, name) for name in newest] == list(newest.values())
    assert page.size == len(newest)
    needed = {v for r in newest.values() for v in r.values if isinstance(v, str)} | {s.ontvanger for r in newest.values() for s in r.sent}
    assert {text for text, uses in zip(page.texts, page.uses, strict=True) if uses} == needed
    assert {text for text, uses in zip(page.texts, page.uses, strict=True) if not uses} <= {""}


@given(deliveries("duo.studiefinanciering") | deliveries("uwv.inkomstenopgave"))
def test_the_same_is_said_and_kept_however_small_the_pages(told: list[Told]) -> None:
    whole = run(told)
    with patch.object(timeline_module, "PAGE", 1):
        paged = run(told)
    assert sorted(paged.bytes) == sorted(whole.bytes)
    assert paged.fates == whole.fates
    assert paged.asked == whole.asked
    for soort in rules().soorten.values():
        assert sorted(paged.timeline.of(soort), key=lambda r: r.name) == sorted(whole.timeline.of(soort), key=lambda r: r.name)


@given(st.lists(records(), min_size=1, max_size=60), st.integers(1, 4))
def test_a_timeline_comes_out_of_its_rows_as_it_went_in(put: list[Record], size: int) -> None:
    rows: dict[bytes, bytes] = {}
    newest = {}
    with patch.object(timeline_module, "PAGE", size):
        for number, record in enumerate(put):
            named = Record(pack(str(UUID(int=number % 40))), *(getattr(record, f) for f in record.__struct_fields__[1:]))
            newest[named.name] = named
            after = timeline_of(b"P", rows.get).with_records(rules().soorten, [(SOORT, named)])
            for key, row in after.rows().items():
                rows.pop(key, None)
                rows |= {} if row is None else {key: row}
        found = timeline_of(b"P", rows.get)
        assert [found.find(SOORT, name) for name in newest] == list(newest.values())
        assert sorted(found.of(SOORT), key=lambda r: r.name) == sorted(newest.values(), key=lambda r: r.name)
