"""``explain --why-not`` without a broker: whose basisfeit may be spoken of, and what of a persoon is in a package."""

from collections.abc import Callable

import pytest

from samenloop.cited import Cited, cause_of
from samenloop.why_not import _pairs, _told
from schemas.catalogue import Catalogue
from schemas.values import Bronrecord, Mutatie, Oorzaak, Place, Regel, Signaal, Signaalsoort
from streams.core.period import BEFORE, Period
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
        records.append((feit, Record(pack(name), 1, 6, period, ("WW", 1, None) if period else ())))
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


@pytest.fixture
def dossier_of(catalogue: Catalogue) -> Callable[[str], Timeline]:
    """A bijstand of a houder beside a pension, since day 18,500."""
    soorten = {s.naam: s for s in rulebook_of(catalogue).soorten.values()}
    basis, feit = soorten["gemeente.bijstand"], soorten["svb.pensioen"]

    def made(houder: str) -> Timeline:
        records = [
            (basis, Record(pack("b-1"), 1, 5, Period(18_500, None), tuple({"houder": houder}.get(v, "A-1") for v in basis.velden))),
            (feit, Record(pack("p-1"), 1, 6, Period(18_500, None), tuple("AOW" for _ in feit.velden))),
        ]
        return timeline_of(b"", lambda _: None).with_records(rulebook_of(catalogue).soorten, records)

    return made


@pytest.mark.parametrize(
    ("houder", "klok", "told", "code"),
    [
        ("gm0457", None, "gm0457", "SIGNAAL"),
        ("gm0457", 19_074, "gm0457", "SIGNAAL"),
        ("gm0457", 19_075, "gm0363", "SIGNAAL"),
        ("gm0788", 18_627, "gm0788", "SIGNAAL"),
        ("gm0788", 18_628, "gm0788", "GEEN_OPVOLGER"),
    ],
)
def test_of_a_gemeente_that_ended_it_is_said_who_is_told_now(
    catalogue: Catalogue, dossier_of: Callable[[str], Timeline], houder: str, klok: int | None, told: str, code: str
) -> None:
    rulebook = rulebook_of(catalogue)
    numbers = {s.naam: n for n, s in rulebook.soorten.items()}
    bijstand, pensioen = (numbers["gemeente.bijstand"], "b-1"), (numbers["svb.pensioen"], "p-1")
    assert _told(rulebook, bijstand[0], houder, BEFORE if klok is None else klok) == told
    pair, *_ = _pairs(rulebook, dossier_of(houder), {pensioen: Mutatie("p-1", 1, 0, None)}, {bijstand: told}, klok)
    assert (pair.ontvanger, pair.code, pair.signaal) == (told, code, code == "SIGNAAL")


def test_a_signal_that_changed_hands_says_so(catalogue: Catalogue) -> None:
    record = Bronrecord("gemeente", "gemeente.bijstand", "b-1", 1, "mutaties.gemeente.bijstand", 0, 5, None, None)
    tick = Cited(Place("klok", 0, 7), present=True, begindatum="2022-03-25")

    def because(soort: Signaalsoort, ontvanger: str, houder: str) -> tuple[str, str]:
        regel, oorzaak = Regel("samenloop", 1), Oorzaak("klok", 0, 7)
        signaal = Signaal("", 2, soort, "", regel, ontvanger, "A-1", None, None, None, record, record, oorzaak, "")
        cause = cause_of(None, signaal, tick, houder, catalogue.opvolging, catalogue.diensten["rechtmatigheidscontrole-levensonderhoud"])
        return cause.code, cause.tekst

    assert because("VERVALLEN", "gm0457", "gm0457") == (
        "OPGEHEVEN",
        "deze ontvanger bestaat sinds 24 mrt 2022 niet meer: opgegaan in gm0363, die het nu krijgt",
    )
    assert because("VERVALLEN", "gm0788", "gm0788")[1].endswith("haar dossiers zijn verdeeld")
    assert because("NIEUW", "gm0363", "gm0457") == ("OPVOLGER", "deze ontvanger heeft sinds 24 mrt 2022 de dossiers van gm0457")
    held = "de bron legde het eerder vast; het werd aangehouden, en gemeld met de klok van 25 mrt 2022"
    assert because("NIEUW", "gm0363", "gm0363") == ("AANGEHOUDEN", held)
    assert because("VERVALLEN", "gm0363", "gm0363")[0] == "KLOK"


def test_of_days_behind_a_death_it_is_said_that_the_basisfeit_had_ended(catalogue: Catalogue) -> None:
    rulebook = rulebook_of(catalogue)
    soorten = {s.naam: s for s in rulebook.soorten.values()}
    basis, feit = soorten["gemeente.bijstand"], soorten["dji.detentie"]
    listed = {"houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
    days = {"both": Period(19_990, None), "behind": Period(20_006, None), "long before": Period(19_000, 19_100)}
    records = [
        (basis, Record(pack("b-1"), 1, 5, Period(20_000, None), tuple(listed[v] for v in basis.velden))),
        (soorten["rvig.overlijden"], Record(pack("o-1"), 1, 5, Period(20_005, None), ())),
        *((feit, Record(pack(name), 1, 6, period, ())) for name, period in days.items()),
    ]
    timeline = timeline_of(b"", lambda _: None).with_records(rulebook.soorten, records)
    log = {(feit.nummer, name): Mutatie(name, 1, 0, None) for name in days}
    told = {p.record_id: p.code for p in _pairs(rulebook, timeline, log, {(basis.nummer, "b-1"): "gm0363"})}
    assert told == {"both": "SIGNAAL", "behind": "GEEINDIGD", "long before": "GEEN_GEDEELDE_DAG"}


def test_of_what_is_held_it_is_said_until_when(catalogue: Catalogue) -> None:
    rulebook = rulebook_of(catalogue)
    soorten = {s.naam: s for s in rulebook.soorten.values()}
    basis, feit = soorten["gemeente.bijstand"], soorten["dji.detentie"]
    listed = {"houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
    days = {"held": Period(20_500, None), "told": Period(20_500, None), "held, and long before": Period(19_000, 19_100)}
    records = [
        (basis, Record(pack("b-1"), 1, 5, Period(20_000, None), tuple(listed[v] for v in basis.velden))),
        *((feit, Record(pack(name), 1, 6, period, ())) for name, period in days.items()),
    ]
    timeline = timeline_of(b"", lambda _: None).with_records(rulebook.soorten, records)
    for name in days:
        timeline = timeline.with_held(feit, pack(name), 20_500) if name.startswith("held") else timeline
    log = {(feit.nummer, name): Mutatie(name, 1, 0, None) for name in days}
    told = {p.record_id: p for p in _pairs(rulebook, timeline, log, {(basis.nummer, "b-1"): "gm0363"}, 20_501)}
    codes = {"held": "AANGEHOUDEN", "told": "SIGNAAL", "held, and long before": "GEEN_GEDEELDE_DAG"}
    assert {name: pair.code for name, pair in told.items()} == codes
    assert [name for name, pair in told.items() if pair.signaal_id] == ["told"]
    assert told["held"].reden == "wordt aangehouden tot 2026-02-19: de bron herstelt in die dagen wat zij net heeft vastgelegd"


def test_what_the_klok_would_bring_without_a_death_is_said_to_have_ended(catalogue: Catalogue) -> None:
    rulebook = rulebook_of(catalogue)
    soorten = {s.naam: s for s in rulebook.soorten.values()}
    basis = soorten["gemeente.jongere"]
    listed = {"houder": "gm0363", "kenmerk": "A-1", "geboortedatum": 11_000}
    records = [
        (basis, Record(pack("j-1"), 1, 5, Period(20_000, None), tuple(listed[v] for v in basis.velden))),
        (soorten["rvig.overlijden"], Record(pack("o-1"), 1, 5, Period(20_005, None), ())),
    ]
    timeline = timeline_of(b"", lambda _: None).with_records(rulebook.soorten, records)
    own = {(basis.nummer, "j-1"): "gm0363"}
    codes = {day: {p.dienst: p.code for p in _pairs(rulebook, timeline, {}, own, day)} for day in (20_005, 20_006)}
    assert [codes[day]["jongeren-zonder-startkwalificatie"] for day in codes] == ["REGEL_GELDT", "GEEINDIGD"]


def test_of_what_was_declared_it_is_said_that_it_was(catalogue: Catalogue) -> None:
    rulebook = rulebook_of(catalogue)
    soorten = {s.naam: s for s in rulebook.soorten.values()}
    basis, feit, opgave = (soorten[s] for s in ("gemeente.bijstand", "uwv.inkomstenverhouding", "gemeente.opgegeveninkomen"))
    listed = {"houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW", "loonheffingennummer": "123456789L01", "maandbedrag": None}
    days, before = Period(20_010, None), Period(20_000, 20_008)
    jobs = {"declared": ("123456789L01", days), "in part": ("123456789L01", before), "another": ("987654321L01", days)}
    records = [
        (basis, Record(pack("b-1"), 1, 5, Period(20_000, None), tuple(listed[v] for v in basis.velden))),
        (opgave, Record(pack("oi-1"), 1, 5, Period(20_005, None), tuple(listed[v] for v in opgave.velden))),
        *(
            (feit, Record(pack(name), 1, 6, period, tuple({"loonheffingennummer": employer}.get(v, 1) for v in feit.velden)))
            for name, (employer, period) in jobs.items()
        ),
    ]
    timeline = timeline_of(b"", lambda _: None).with_records(rulebook.soorten, records)
    log = {(feit.nummer, name): Mutatie(name, 1, 0, None) for name in jobs}
    told = {p.record_id: (p.code, p.signaal) for p in _pairs(rulebook, timeline, log, {(basis.nummer, "b-1"): "gm0363"})}
    assert told == {"declared": ("AL_OPGEGEVEN", False), "in part": ("SIGNAAL", True), "another": ("SIGNAAL", True)}


def test_of_a_job_that_goes_on_from_another_it_is_said_that_it_counts_there(catalogue: Catalogue) -> None:
    rulebook = rulebook_of(catalogue)
    soorten = {s.naam: s for s in rulebook.soorten.values()}
    basis, feit = (soorten[s] for s in ("gemeente.bijstand", "uwv.inkomstenverhouding"))
    listed = {"houder": "gm0363", "kenmerk": "A-1", "wet": "IOAW"}
    jobs = {"first": Period(19_900, 20_010), "next": Period(20_010, 20_020), "later": Period(20_021, None)}
    values = {"loonheffingennummer": "123456789L01", "soort_inkomstenverhouding": "15", "ikv_nummer": 1}
    records = [
        (basis, Record(pack("b-1"), 1, 5, Period(20_005, None), tuple(listed[v] for v in basis.velden))),
        *((feit, Record(pack(name), 1, 6, days, tuple(values[v] for v in feit.velden))) for name, days in jobs.items()),
    ]
    timeline = timeline_of(b"", lambda _: None).with_records(rulebook.soorten, records)
    log = {(feit.nummer, name): Mutatie(name, 1, 0, None) for name in jobs}
    told = {p.record_id: (p.code, p.signaal) for p in _pairs(rulebook, timeline, log, {(basis.nummer, "b-1"): "gm0363"})}
    assert told == {"first": ("SIGNAAL", True), "next": ("VERVOLG", False), "later": ("SIGNAAL", True)}
