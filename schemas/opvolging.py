"""Which ontvanger takes over the dossiers of one that no longer exists, and from which day: mergers of gemeenten, from a dated table."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple, Protocol


class Gedateerd(Protocol):
    """An ontvanger with the days on which it exists (half-open)."""

    @property
    def soort(self) -> str:
        """What kind of authority it is."""

    @property
    def vanaf(self) -> date | None:
        """The first day; None: there is no telling."""

    @property
    def tot(self) -> date | None:
        """The first day on which it no longer exists."""

    @property
    def opgegaan_in(self) -> str | None:
        """Its opvolger: the ontvanger that has its dossiers from that day on; None when they were divided over several."""


class Fault(NamedTuple):
    """What is wrong with an ontvanger."""

    id: str
    key: str
    tekst: str


class Opvolging(NamedTuple):
    """From a day on an ontvanger is told what another one was told; None: nobody is."""

    vanaf: date
    ontvanger: str | None


def opvolging_of(ontvangers: Mapping[str, Gedateerd]) -> dict[str, tuple[Opvolging, ...]]:
    """Each ontvanger that ends → who is told in its place, day after day: an opvolger may end as well."""
    return {naam: tuple(_opvolgers(ontvangers, naam)) for naam, o in sorted(ontvangers.items()) if o.tot is not None}


def _opvolgers(ontvangers: Mapping[str, Gedateerd], naam: str | None) -> Iterator[Opvolging]:
    while naam is not None and (tot := ontvangers[naam].tot) is not None:
        naam = ontvangers[naam].opgegaan_in
        yield Opvolging(tot, naam)


def faults(ontvangers: Mapping[str, Gedateerd]) -> Iterator[Fault]:
    """What of the table cannot be. An opvolger outlives the day, so that no row of them leads back to where it began."""
    for naam, o in ontvangers.items():
        if o.vanaf is not None and o.tot is not None and o.tot <= o.vanaf:
            yield Fault(naam, "tot", f"{naam} would end before it begins")
        if o.opgegaan_in is not None:
            yield from (Fault(naam, "opgegaan_in", tekst) for tekst in _of_opvolger(o, ontvangers.get(o.opgegaan_in), o.opgegaan_in))


def _of_opvolger(o: Gedateerd, opvolger: Gedateerd | None, naam: str) -> Iterator[str]:
    if o.tot is None:
        yield "only an ontvanger that ends has one: tot is not given"
    elif opvolger is None:
        yield f"there is no ontvanger {naam}"
    elif opvolger.soort != o.soort:
        yield f"{naam} is a {opvolger.soort}, not a {o.soort}"
    elif (opvolger.vanaf is not None and opvolger.vanaf > o.tot) or (opvolger.tot is not None and opvolger.tot <= o.tot):
        yield f"{naam} does not exist on {o.tot}"
