"""Bijstand beside bijstand, as it is explained: why there is a signal or none, and which mutatie caused it."""

from typing import Any

import pytest

from samenloop.cited import Cited, cause_of
from samenloop.why_not import _pairs
from schemas.catalogue import Catalogue
from schemas.values import Bronrecord, Mutatie, Oorzaak, Place, Regel, Signaal, Signaalsoort
from streams.core.period import Period
from streams.core.record import Record, pack
from streams.core.rulebook import rulebook_of
from streams.core.timeline import timeline_of

BIJSTAND, DIENST = "gemeente.bijstand", "rechtmatigheidscontrole-levensonderhoud"
SINCE = 18_500


@pytest.mark.parametrize(
    ("houder", "period", "klok", "code"),
    [
        ("gm0599", Period(SINCE + 9, None), None, "SIGNAAL"),
        ("gm0363", Period(SINCE + 9, None), None, "GEEN_ANDERE_HOUDER"),
        ("gm0599", Period(SINCE - 9, SINCE), None, "GEEN_GEDEELDE_DAG"),
        ("gm0599", None, None, "INGETROKKEN"),
        ("gm0457", Period(SINCE, None), 19_074, "SIGNAAL"),
        ("gm0457", Period(SINCE, None), 19_075, "GEEN_ANDERE_HOUDER"),  # on 24 March 2022 Weesp went into Amsterdam
        ("gm0788", Period(SINCE, None), 18_627, "SIGNAAL"),
        ("gm0788", Period(SINCE, None), 18_628, "GEEN_ANDERE_HOUDER"),  # on 1 January 2021 Haaren was divided
    ],
)
def test_why_there_is_a_signal_about_a_second_bijstand_or_none(
    catalogue: Catalogue, houder: str, period: Period | None, klok: int | None, code: str
) -> None:
    rulebook = rulebook_of(catalogue)
    soort = next(s for s in rulebook.soorten.values() if s.naam == BIJSTAND)

    def record(name: str, wie: str, days: Period | None) -> tuple[Any, Record]:
        values = tuple({"houder": wie, "kenmerk": f"{wie}/1"}.get(v, "IOAW") for v in soort.velden)
        return soort, Record(pack(name), 1, 5, days, values if days else ())

    timeline = timeline_of(b"", lambda _: None).with_records(
        rulebook.soorten, [record("b-1", "gm0363", Period(SINCE, None)), record("b-2", houder, period)]
    )
    log = {(soort.nummer, name): Mutatie(name, 1, 0, None) for name in ("b-1", "b-2")}
    told = _pairs(rulebook, timeline, log, {(soort.nummer, "b-1"): "gm0363"}, klok)
    assert [(p.basisfeit, p.record_id, p.code, p.signaal) for p in told] == [("b-1", "b-2", code, code == "SIGNAAL")], "b-1 beside itself"


OWN, OTHER = 5, 8  # where the two stand


@pytest.mark.parametrize(
    ("soort", "at", "houder", "withdrawn", "code"),
    [
        ("NIEUW", OWN, "gm0363", False, "GEDEELDE_DAG"),
        ("NIEUW", OTHER, "gm0599", False, "GEDEELDE_DAG"),
        ("VERVALLEN", OWN, "gm0363", False, "GEEN_GEDEELDE_DAG"),
        ("VERVALLEN", OWN, "gm0599", False, "VERHUISD"),
        ("VERVALLEN", OTHER, "gm0599", False, "GEEN_GEDEELDE_DAG"),
        ("VERVALLEN", OTHER, "gm0363", False, "EIGEN"),
        ("VERVALLEN", OTHER, None, True, "INGETROKKEN"),
    ],
)
def test_the_record_of_the_other_gemeente_is_called_the_feit_in_what_caused_a_version(
    catalogue: Catalogue, soort: Signaalsoort, at: int, houder: str | None, withdrawn: bool, code: str
) -> None:
    topic = f"mutaties.{BIJSTAND}"
    basis, feit = (
        Bronrecord("gemeente", BIJSTAND, name, 1, topic, 0, offset, None, None) for name, offset in (("b-1", OWN), ("b-2", OTHER))
    )
    regel, oorzaak = Regel("samenloop", 1), Oorzaak(topic, 0, at)
    signaal = Signaal("", 2, soort, DIENST, regel, "gm0363", "A-1", None, None, None, basis, feit, oorzaak, "")
    cited = Cited(Place(topic, 0, at), present=True, versie=2, withdrawn=withdrawn, begindatum="2026-01-01", houder=houder)
    cause = cause_of(None, signaal, cited, "gm0363", catalogue.opvolging, catalogue.diensten[DIENST])
    assert cause.code == code
    assert ("het basisfeit" if at == OWN else "het feit") in cause.tekst
