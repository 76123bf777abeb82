"""``explain`` of a signal above a threshold says which sum it was, on which days, beside which threshold; and why there is none."""

from types import SimpleNamespace
from typing import Any

from samenloop.cited import Cited, cited_at
from samenloop.explanation import Explanation, explanation_text
from samenloop.sums import sums_of
from samenloop.why_not import _pairs
from schemas.catalogue import Catalogue
from schemas.codec import Codec, decode_signaal
from schemas.values import Basissignaal, Mutatie, Place
from streams.core.timeline import timeline_of
from tests.property.basis_worlds import PERSOON, Event, Tick, day_of, delivered, told_by
from tests.property.debtor_worlds import BASIS, INCOMES
from tests.property.kerns import Both
from tests.property.worlds import Told


def told(soort: str, name: str, begin: str, end: str | None, **velden: Any) -> Told:
    """Version 1 of a record."""
    feit = {"begindatum": day_of(begin), "einddatum": None if end is None else day_of(end), **velden}
    return Told(soort, Mutatie(name, 1, 1_760_000_000_000, feit))


def wage(name: str, begin: str, end: str, amount: int, tijdvak: str = "MAAND") -> Told:
    employer = {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "verloonde_uren": None}
    return told(INCOMES[0], name, begin, end, **employer, tijdvak=tijdvak, loon_sv=amount)


RECLAIMED = told(BASIS, "t-1", "2026-01-01", None, houder="gm0363", kenmerk="TV-1", drempelbedrag=120_000)
BENEFIT = told(INCOMES[1], "u-1", "2026-03-16", None, regeling="WW", bruto_bedrag=125_000)
EARNED = [
    RECLAIMED,
    wage("o-1", "2026-03-01", "2026-03-31", 150_050),
    wage("o-2", "2026-03-02", "2026-03-29", -12_550, "VIER_WEKEN"),
    BENEFIT,
    Tick(day_of("2026-04-10")),
]


def last(events: list[Event]) -> tuple[Basissignaal, dict[Place, Cited]]:
    """The last signal, and what the log has of each event."""
    engine, codec, cited = Both(0), Codec(Catalogue.load()), dict[Place, Cited]()
    heard = []
    for event in events:
        one = delivered(event)
        place = Place(one.topic, 3, engine._next.get(one.topic, 70))
        cited[place] = cited_at(codec, place, SimpleNamespace(value=one.value))
        heard += told_by(engine, [[event]])
    signaal = decode_signaal(heard[-1][1])
    assert isinstance(signaal, Basissignaal)
    return signaal, cited


def explained(catalogue: Catalogue, signaal: Basissignaal, cited: dict[Place, Cited]) -> Explanation:
    return Explanation(catalogue.diensten[signaal.dienst], [signaal], cited, [])


def test_each_stretch_of_days_has_its_sum_beside_the_threshold(catalogue: Catalogue) -> None:
    text = explanation_text(explained(catalogue, *last(EARNED)))
    part = text.split("Som van de bedragen, per maand; de drempel is ")[1].split("\n\n")[0]
    assert part.splitlines() == [
        "€ 1.200,00",
        "  1 mrt 2026 t/m 1 mrt 2026: € 1.500,50",
        "  2 mrt 2026 t/m 15 mrt 2026: € 1.364,54",
        "  16 mrt 2026 t/m 29 mrt 2026: € 2.614,54",
        "  30 mrt 2026 t/m 31 mrt 2026: € 2.750,50",
        "  vanaf 1 apr 2026: € 1.250,00",
    ]
    assert "de bedragen van een dag zijn samen per maand hoger dan de drempel van het basisfeit" in text


def test_only_days_of_the_signal_are_added_up_and_told(catalogue: Catalogue) -> None:
    told_ = explained(catalogue, *last([RECLAIMED, BENEFIT, wage("o-1", "2026-03-01", "2026-03-20", 1_000), EARNED[-1]])).as_json()
    assert told_["sommen"] == {
        "grens": 120_000,
        "per_maand": [
            {"begindatum": "2026-03-16", "einddatum": "2026-03-20", "som": 126_000},
            {"begindatum": "2026-03-21", "einddatum": None, "som": 125_000},
        ],
        "weggelaten": 0,
    }


def test_of_more_records_than_a_signal_names_it_is_said_that_the_others_are_not_in_the_sums(catalogue: Catalogue) -> None:
    many = [wage(f"o-{n:02d}", "2026-03-01", "2026-03-31", 5_000) for n in range(42)]
    text = explanation_text(explained(catalogue, *last([RECLAIMED, *many, EARNED[-1]])))
    assert "  1 mrt 2026 t/m 31 mrt 2026: € 2.000,00\n  zonder de 2 oudste gegevens, die het signaal niet noemt" in text


def test_nothing_is_added_up_of_what_the_log_no_longer_has_nor_of_a_signal_that_is_withdrawn(catalogue: Catalogue) -> None:
    signaal, cited = last(EARNED)
    dienst = catalogue.diensten[signaal.dienst]
    gone = {p: Cited(p, present=False) if "uitkering" in p.topic else c for p, c in cited.items()}
    assert sums_of(dienst, signaal, gone) is None
    withdrawn, cited = last([*EARNED, Told(BASIS, Mutatie("t-1", 2, 1_760_000_000_001, None))])
    assert withdrawn.soort == "VERVALLEN"
    assert sums_of(dienst, withdrawn, cited) is None


def test_why_not_says_that_income_never_was_above_the_threshold_and_no_amount() -> None:
    codes = {}
    for amount in (120_000, 120_001):
        engine = Both(0)
        told_by(engine, [[RECLAIMED, wage("o-1", "2026-03-01", "2026-03-31", amount), EARNED[-1]]])
        rulebook, nummer = engine.python.rulebook, engine.python.rulebook.by_topic[f"mutaties.{BASIS}"].nummer
        (pair,) = _pairs(rulebook, timeline_of(PERSOON, engine.store.get), {}, {(nummer, "t-1"): "gm0363"}, EARNED[-1].day)
        codes[pair.code] = pair.signaal
        assert str(amount) not in pair.reden
    assert codes == {"ONDER_DREMPEL": False, "BOVEN_DREMPEL": True}
