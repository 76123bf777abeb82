"""``explain`` of what is told to nobody and yet changes a signal: a death, and what was declared. It names the record, and not its days."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from samenloop.cited import Cited, cited_at
from samenloop.explanation import Explanation, explanation_text
from schemas.catalogue import Catalogue
from schemas.codec import Codec, decode_signaal
from schemas.values import ElkSignaal, Mutatie, Place
from tests.property.basis_worlds import day_of, delivered
from tests.property.kerns import Both
from tests.property.test_death import said
from tests.property.worlds import Told


def told(soort: str, name: str, versie: int, begin: str | None, **velden: Any) -> Told:
    """A version that is open-ended, or a withdrawal."""
    feit = None if begin is None else {"begindatum": day_of(begin), "einddatum": None, **velden}
    return Told(soort, Mutatie(name, versie, 1_760_000_000_000, feit))


EMPLOYER = {"loonheffingennummer": "123456789L01"}
GROUND = told("gemeente.bijstand", "b-1", 1, "2026-01-01", houder="gm0363", kenmerk="A-1", wet="IOAW")
JOB = told("uwv.inkomstenverhouding", "ikv-1", 1, "2026-02-01", ikv_nummer=1, soort_inkomstenverhouding="15", **EMPLOYER)


def death(versie: int, day: str | None) -> Told:
    return told("rvig.overlijden", "o-1", versie, day)


def opgave(versie: int, begin: str | None) -> Told:
    return told("gemeente.opgegeveninkomen", "oi-1", versie, begin, houder="gm0363", maandbedrag=45_700, **EMPLOYER)


def explained(catalogue: Catalogue, events: Sequence[Told]) -> Explanation:
    """The one signal after some events, as its topic and the log show it."""
    engine, codec, cited, heard = Both(0), Codec(catalogue), dict[Place, Cited](), list[ElkSignaal]()
    for event in events:
        one = delivered(event)
        place = Place(one.topic, 3, engine._next.get(one.topic, 70))
        cited[place] = cited_at(codec, place, SimpleNamespace(value=one.value))
        heard += [decode_signaal(value) for _, value in said(engine, [event])]
    return Explanation(catalogue.diensten[heard[-1].dienst], heard, cited, [])


def test_a_death_is_named_as_the_cause_without_its_days_and_so_is_its_withdrawal(catalogue: Catalogue) -> None:
    e = explained(catalogue, [GROUND, JOB, death(1, "2026-03-10"), death(2, None)])
    assert [(s.soort, c.code, c.tekst) for s, c in e.causes()][1:] == [
        ("GEWIJZIGD", "GEEINDIGD", "door versie 1 van rvig.overlijden telt het basisfeit na die dag niet meer mee"),
        ("GEWIJZIGD", "INGETROKKEN", "versie 2 van rvig.overlijden is ingetrokken: daardoor eindigt het basisfeit niet"),
    ]
    ended = [c for place, c in e.as_json()["mutaties"].items() if "overlijden" in place]
    assert [c["versie"] for c in ended] == [1, 2]
    assert not any("begindatum" in c for c in ended)
    assert "oorzaak mutaties.rvig.overlijden-3@" in explanation_text(e)


def test_what_was_declared_is_named_as_the_cause_without_its_amount(catalogue: Catalogue) -> None:
    e = explained(catalogue, [GROUND, JOB, opgave(1, "2026-02-01"), opgave(2, "2026-02-02")])
    assert [(s.soort, c.code) for s, c in e.causes()] == [
        ("NIEUW", "GEDEELDE_DAG"),
        ("VERVALLEN", "AL_OPGEGEVEN"),
        ("NIEUW", "NIET_OPGEGEVEN"),
    ]
    gone = explained(catalogue, [GROUND, JOB, opgave(1, "2026-02-01")])
    text = explanation_text(gone)
    assert "Dit signaal geldt niet meer: met versie 1 van gemeente.opgegeveninkomen is het de ontvanger al bekend." in text
    assert "45700" not in text
