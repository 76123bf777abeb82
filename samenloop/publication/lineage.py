"""Where each field of a signal comes from: from the field of a bron to the field that an ontvanger sees."""

from collections.abc import Iterator
from typing import NamedTuple

from samenloop.publication.words import inline
from schemas.catalogue import PERIODE, Catalogue, Dienst, Feitsoort, Veld
from schemas.regels import BEGINDATUM, Informatiepakket


class Origin(NamedTuple):
    """One field of a signal."""

    dienst: str
    soort: str
    bronveld: str  # path inside the mutatie
    signaalveld: str  # path inside the signaal
    doel: str
    grondslag: str


def lineage_of(catalogue: Catalogue, dienst: Dienst) -> Iterator[Origin]:
    """All fields of a bron that reach a signal of this dienst, or decide who gets it."""
    basis, topics = dienst.basisfeit, catalogue.mutatie_topics
    told = {"houder": "ontvanger", "kenmerk": "kenmerk"}
    for veld in basis.velden:
        yield _origin(dienst, basis.soort, veld, told.get(veld.veld, "begindatum, einddatum"))
    package = isinstance(dienst.regel, Informatiepakket)
    yield from _application(dienst) if package else _period(dienst, basis.soort, "basisfeit", topics[basis.soort].naam)
    for feit in dienst.feiten:
        for veld in feit.velden:
            yield _origin(dienst, feit.soort, veld, f"gegevens.{veld.veld}" if dienst.over_paren else f"gegevens[].velden.{veld.veld}")
        part = "feit" if dienst.over_paren else "gegevens[]"
        yield from _part(dienst, feit.soort) if package else _period(dienst, feit.soort, part, topics[feit.soort].naam)
        yield from _chain(dienst, feit) if feit.groepeer else ()


def _origin(dienst: Dienst, soort: str, veld: Veld, signaalveld: str) -> Origin:
    return Origin(dienst.dienst, soort, f"feit.{veld.veld}", signaalveld, veld.doel, veld.grondslag)


def _application(dienst: Dienst) -> Iterator[Origin]:
    """Of an informatiepakket: the days of the basisfeit say when it is told, and of which days where no peildatum is listed."""
    of_days = "begindatum, einddatum, " if isinstance(dienst.regel, Informatiepakket) and dienst.regel.peildatum == BEGINDATUM else ""
    for veld, told, doel in (
        (
            BEGINDATUM,
            f"{of_days}basisfeit.begindatum",
            "Bepaalt vanaf wanneer het pakket wordt gegeven, en zonder peildatum over welke dagen.",
        ),
        ("einddatum", "basisfeit.einddatum", "Bepaalt tot wanneer het pakket geldt: daarna is de grond weg."),
    ):
        yield Origin(dienst.dienst, dienst.basisfeit.soort, f"feit.{veld}", told, doel, dienst.grondslag[0])


def _part(dienst: Dienst, soort: str) -> Iterator[Origin]:
    """Of an informatiepakket: the days of a feit say whether it is part of it."""
    for veld in PERIODE:
        doel = "Bepaalt of het gegeven in de peilperiode valt, en laat zien op welke dagen het slaat."
        yield Origin(dienst.dienst, soort, f"feit.{veld}", f"gegevens[].{veld}, feiten[].{veld}", doel, dienst.grondslag[0])


def _chain(dienst: Dienst, feit: Feitsoort) -> Iterator[Origin]:
    """Of feiten that go on as one: the days of those behind the first."""
    for veld in PERIODE:
        doel = "Laat zien welke gegevens zonder een dag ertussen doorgaan op het eerste, en dus als één tellen."
        yield Origin(dienst.dienst, feit.soort, f"feit.{veld}", f"vervolg[].{veld}", doel, feit.grondslag)


def _period(dienst: Dienst, soort: str, part: str, naam: str) -> Iterator[Origin]:
    for veld in PERIODE:
        doel = f"Bepaalt de dagen van het signaal, en laat zien op welk gegeven ({inline(naam)}) het steunt."
        yield Origin(dienst.dienst, soort, f"feit.{veld}", f"{veld}, {part}.{veld}", doel, dienst.grondslag[0])
