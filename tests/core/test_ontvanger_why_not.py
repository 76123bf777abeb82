"""``explain --why-not`` without a broker: whose basisfeit may be spoken of, and what of a persoon is in a package."""

import pytest

from samenloop.why_not import _pairs
from schemas.catalogue import Catalogue
from schemas.values import Mutatie
from streams.core.period import Period
from streams.core.record import Record, pack
from streams.core.rulebook import rulebook_of
from streams.core.timeline import Timeline, timeline_of


def test_a_withdrawn_basisfeit_is_told_to_its_own_ontvanger_only(catalogue: Catalogue) -> None:
    rulebook = rulebook_of(catalogue)
    dienst = next(iter(rulebook.diensten.values()))
    feit = next(iter(dienst.feiten))
    timeline = timeline_of(b"", lambda _: None).with_records(
        rulebook.soorten, [(rulebook.soorten[dienst.basis], Record(pack("b-1"), 2, 5, None, ()))]
    )
    log = {(feit, "f-1"): Mutatie("f-1", 1, 0, None)}
    told = _pairs(rulebook, timeline, log, {(dienst.basis, "b-1"): "gm0363"})
    assert [(p.basisfeit, p.ontvanger, p.code) for p in told] == [("b-1", "gm0363", "BASISFEIT_INGETROKKEN")]
    assert _pairs(rulebook, timeline, log, {(dienst.basis, "b-2"): "gm0363"}) == []


@pytest.fixture
def applicant(catalogue: Catalogue) -> Timeline:
    """An application of day 20,000, and of what bronnen delivered: one that counts, one that ended too early, and one that is withdrawn."""
    soorten = {s.naam: s for s in rulebook_of(catalogue).soorten.values()}
    basis, feit = soorten["gemeente.regelingaanvraag"], soorten["uwv.uitkering"]
    records = [
        (basis, Record(pack("a-1"), 1, 5, Period(20_000, 20_030), tuple({"houder": "gm0363"}.get(v, "IIT-1") for v in basis.velden)))
    ]
    for name, period in (("in", Period(19_900, None)), ("before", Period(19_000, 19_100)), ("gone", None)):
        records.append((feit, Record(pack(name), 1, 6, period, ("WW", 1) if period else ())))
    return timeline_of(b"", lambda _: None).with_records(rulebook_of(catalogue).soorten, records)


@pytest.mark.parametrize(
    ("klok", "told"),
    [
        (20_002, ["REGEL_GELDT_NOG_NIET"]),
        (20_003, ["REGEL_GELDT", "BUITEN_PEILPERIODE", "INGETROKKEN", "IN_PAKKET", "NIET_GEVOLGD"]),
        (20_030, ["REGEL_GELDT_NIET"]),
    ],
)
def test_of_a_package_that_stands_it_is_said_what_is_in_it_and_why_other_records_are_not(
    catalogue: Catalogue, applicant: Timeline, klok: int, told: list[str]
) -> None:
    rulebook = rulebook_of(catalogue)
    numbers = {s.naam: n for n, s in rulebook.soorten.items()}
    log = {(numbers["uwv.uitkering"], name): Mutatie(name, 1, 0, None) for name in ("in", "before", "gone", "never-kept")}
    log[numbers["rdw.voertuig"], "car"] = Mutatie("car", 1, 0, None)
    pairs = _pairs(rulebook, applicant, log, {(numbers["gemeente.regelingaanvraag"], "a-1"): "gm0363"}, klok)
    assert [p.code for p in pairs] == told
    assert len({p.signaal_id for p in pairs if p.signaal}) == (1 if "IN_PAKKET" in told else 0)
    assert "car" not in {p.record_id for p in pairs}, "no dienst of this ground uses it"
