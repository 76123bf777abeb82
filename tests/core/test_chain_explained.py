"""``explain`` of a job that goes on under another number: every record of it is named, and why its signal was joined, parted or ended."""

from collections.abc import Sequence
from types import SimpleNamespace

import msgspec

from samenloop.cited import Cited, cited_at
from samenloop.explanation import Explanation, explanation_text
from samenloop.rendering import signaal_line
from schemas.catalogue import Catalogue
from schemas.codec import Codec, decode_signaal
from schemas.values import ElkSignaal, Ketensignaal, Mutatie, Place
from tests.property.basis_worlds import day_of, delivered
from tests.property.kerns import Both
from tests.property.test_death import said
from tests.property.worlds import Told

BIJSTAND = {"begindatum": day_of("2026-01-01"), "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
GROUND = Told("gemeente.bijstand", Mutatie("b-1", 1, 1_760_000_000_000, BIJSTAND))


def job(number: int, begin: str | None, end: str | None = None, versie: int = 1) -> Told:
    """A version of an inkomstenverhouding, or its withdrawal."""
    days = {} if begin is None else {"begindatum": day_of(begin), "einddatum": None if end is None else day_of(end)}
    feit = days | {"loonheffingennummer": "123456789L01", "ikv_nummer": number, "soort_inkomstenverhouding": "15"}
    return Told("uwv.inkomstenverhouding", Mutatie(f"ikv-{number}", versie, 1_760_000_000_000, feit if days else None))


def explained(catalogue: Catalogue, events: Sequence[Told], feit: str = "ikv-1") -> Explanation:
    """The signal about one record after some events, as its topic and the log show it."""
    engine, codec, cited, heard = Both(0), Codec(catalogue), dict[Place, Cited](), list[ElkSignaal]()
    for event in [GROUND, *events]:
        one = delivered(event)
        place = Place(one.topic, 3, engine._next.get(one.topic, 70))
        cited[place] = cited_at(codec, place, SimpleNamespace(value=one.value))
        heard += [decode_signaal(value) for _, value in said(engine, [event])]
    history = [s for s in heard if msgspec.to_builtins(s)["feit"]["record_id"] == feit]
    return Explanation(catalogue.diensten[history[-1].dienst], history, cited, [])


def causes(e: Explanation) -> list[tuple[str, str]]:
    return [(s.soort, c.code) for s, c in e.causes()]


def test_every_record_of_a_job_is_named_with_its_days_and_that_they_count_as_one(catalogue: Catalogue) -> None:
    e = explained(catalogue, [job(1, "2026-02-01", "2026-03-31"), job(2, "2026-04-01", "2026-05-31")])
    text = explanation_text(e)
    assert "Gedeelde dagen: 1 feb 2026 t/m 31 mei 2026, want" in text
    assert "uwv.inkomstenverhouding ikv-1, versie 1: 1 feb 2026 t/m 31 mrt 2026" in text
    assert "uwv.inkomstenverhouding ikv-2, versie 1: 1 apr 2026 t/m 31 mei 2026" in text
    assert "Deze records sluiten op elkaar aan en tellen als ikv-1." in text
    assert "ikv_nummer = 1" in text
    assert "een record dat op het feit aansluit of aansloot loopt 1 apr 2026 t/m 31 mei 2026" in text
    assert causes(e) == [("NIEUW", "GEDEELDE_DAG"), ("GEWIJZIGD", "GEWIJZIGD")]
    assert [v["vervolg"][0]["record_id"] for v in e.as_json()["versies"] if "vervolg" in v] == ["ikv-2"]
    assert "uwv.inkomstenverhouding  1 feb 2026 t/m 31 mei 2026" in signaal_line(e.history[-1])


def test_a_signal_that_ends_because_an_earlier_record_came_says_so(catalogue: Catalogue) -> None:
    events = [job(2, "2026-04-01"), job(1, "2026-02-01", "2026-03-31")]
    e = explained(catalogue, events, "ikv-2")
    assert causes(e) == [("NIEUW", "GEDEELDE_DAG"), ("VERVALLEN", "VERVOLG")]
    assert "versie 1 van een record dat op het feit aansluit of aansloot telt het feit mee in een ander signaal" in explanation_text(e)
    assert causes(explained(catalogue, [*events, job(1, None, versie=2)], "ikv-2"))[2:] == [("NIEUW", "INGETROKKEN")]


def test_a_signal_whose_own_record_joins_another_job_or_leaves_the_bijstand_is_told_apart(catalogue: Catalogue) -> None:
    events = [job(1, "2026-02-01", "2026-03-31"), job(2, "2026-04-11", "2026-05-31")]
    joined = explained(catalogue, [*events, job(2, "2026-04-01", "2026-05-31", versie=2)], "ikv-2")
    assert causes(joined)[-1] == ("VERVALLEN", "VERVOLG")
    left = explained(catalogue, [*events, job(2, "2025-04-01", "2025-05-31", versie=2)], "ikv-2")
    assert causes(left)[-1] == ("VERVALLEN", "GEEN_GEDEELDE_DAG")


def test_a_job_of_very_many_records_names_the_newest_and_says_how_many_more(catalogue: Catalogue) -> None:
    first = day_of("2026-02-01")
    many = [job(n, _day(first + 2 * n), _day(first + 2 * n + 1)) for n in range(1, 46)]
    last = explained(catalogue, many).history[-1]
    assert isinstance(last, Ketensignaal)
    assert (len(last.vervolg), last.weggelaten) == (40, 4)
    assert [r.record_id for r in last.vervolg][::39] == ["ikv-6", "ikv-45"]
    assert "en nog 4 waarvoor geen plaats was" in explanation_text(explained(catalogue, many))


def _day(number: int) -> str:
    from streams.core.period import iso_day

    return iso_day(number)
