"""The published rule of a dienst: its pattern and what may be set of it, a small closed vocabulary. There is no expression language."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Termijn = Annotated[str, Field(pattern=r"^P([0-9]{1,3}M|[0-9]{1,3}D)$")]
"""A number of calendar months or of days."""

BEGINDATUM: Final = "begindatum"

Velden = Mapping[str, Any]  # listed field → its Avro type
Kind = Literal["date", "number", "amount", "tijdvak"]
Fault = tuple[tuple[str | int, ...], str]  # where under ``regel``, and what


class _Deel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Regel(_Deel):
    versie: int = Field(ge=1)


class Samenloop(_Regel):
    """A basisfeit and a feit that share at least one day; a signal a pair."""

    patroon: Literal["samenloop"]


class Leeftijd(_Deel):
    """From the day on which somebody turns ``vanaf`` up to, not including, the day on which somebody turns ``tot``."""

    veld: str  # of the basisfeit: the date of birth
    vanaf: int | None = Field(default=None, ge=0, le=120)
    tot: int | None = Field(default=None, ge=0, le=120)

    @model_validator(mode="after")
    def _is_a_window(self) -> Self:
        if self.vanaf is None and self.tot is None:
            raise ValueError("vanaf or tot is needed")
        if self.vanaf is not None and self.tot is not None and self.vanaf >= self.tot:
            raise ValueError("tot has to be higher than vanaf")
        return self


class Ontbreken(_Regel):
    """None of the feiten on a day of the basisfeit, since ``wachttijd``; a signal a basisfeit while it is so."""

    patroon: Literal["ontbreken"]
    leeftijd: Leeftijd | None = None
    wachttijd: Termijn = "P0D"


class Beeindiging(_Regel):
    """A feit of the soort ``van`` ended, and within the ``termijn`` none of the feiten began; a signal a basisfeit while it is so."""

    patroon: Literal["beeindiging"]
    leeftijd: Leeftijd | None = None
    van: str  # soort of feit
    termijn: Termijn


class Bedragveld(_Deel):
    """A field of a feit that is an amount in eurocent: a month's, or that of the tijdvak which another field of the feit names."""

    veld: str
    tijdvak: str | None = None


class Bedrag(Bedragveld):
    """The amount that counts of a soort."""

    soort: str


class Hoogstens(Bedragveld):
    """The amount of a feit is at most ``grens``, a field of what was declared: an amount a month, in eurocent."""

    grens: str


class Bekend(_Deel):
    """What of a feit makes it that which was declared: some fields are ``gelijk`` in both, and an amount is no higher."""

    gelijk: tuple[str, ...] = Field(min_length=1)
    hoogstens: Hoogstens | None = None


class Drempel(_Regel):
    """On a day of the basisfeit the amounts a month of all feiten together are more than its ``grens``; a signal a basisfeit."""

    patroon: Literal["drempel"]
    grens: str  # field of the basisfeit: an amount a month, in eurocent
    bedragen: tuple[Bedrag, ...] = Field(min_length=1)


class Informatiepakket(_Regel):
    """All feiten of the days of reference, ``terug`` before the peildatum or that day itself; a signal a basisfeit while it lasts."""

    patroon: Literal["informatiepakket"]
    peildatum: str = BEGINDATUM  # that of the basisfeit, or a listed date of it
    terug: Termijn | None = Field(default=None, pattern=r"[1-9]")
    wachttijd: Termijn = "P0D"


Regel = Annotated[Samenloop | Ontbreken | Beeindiging | Drempel | Informatiepakket, Field(discriminator="patroon")]
PATRONEN: Final = tuple(get_args(model.model_fields["patroon"].annotation)[0] for model in get_args(get_args(Regel)[0]))


TIJDVAKKEN: Final[Mapping[str, tuple[int, int] | None]] = {"MAAND": (1, 1), "VIER_WEKEN": (13, 12), "OVERIG": None}
"""Symbol of a tijdvak → what its amount is times to be that of a month; None: as many days of a year as the feit lasts."""


def faults(regel: Regel, basis: Velden, feiten: Mapping[str, Velden]) -> Iterator[Fault]:
    """What of a rule does not fit its dienst: the fields of the basisfeit that it lists, and of the feiten by soort."""
    if isinstance(regel, Ontbreken | Beeindiging) and regel.leeftijd is not None:
        yield from _expected(basis, regel.leeftijd.veld, "date", ("leeftijd", "veld"))
    if isinstance(regel, Beeindiging) and regel.van not in feiten:
        yield ("van",), f"{regel.van} is not among the feiten"
    if isinstance(regel, Drempel):
        yield from _expected(basis, regel.grens, "number", ("grens",))
        yield from _of_bedragen(regel.bedragen, feiten)
    if isinstance(regel, Informatiepakket) and regel.peildatum != BEGINDATUM:
        yield from _expected(basis, regel.peildatum, "date", ("peildatum",))


def bekend_faults(bekend: Bekend, feit: Velden, opgave: Velden) -> Iterator[Fault]:
    """What of it does not fit: the fields of the feit that the dienst lists, and of what is declared."""
    for i, name in enumerate(bekend.gelijk):
        if name not in feit or name not in opgave:
            yield ("gelijk", i), f"{name} is not among the listed velden of both"
        elif feit[name] != opgave[name]:
            yield ("gelijk", i), f"{name} is not of the same type in both"
    if bekend.hoogstens is not None:
        yield from _expected(feit, bekend.hoogstens.veld, "amount", ("hoogstens", "veld"))
        yield from _expected(opgave, bekend.hoogstens.grens, "amount", ("hoogstens", "grens"))
        if bekend.hoogstens.tijdvak is not None:
            yield from _expected(feit, bekend.hoogstens.tijdvak, "tijdvak", ("hoogstens", "tijdvak"))


def groepeer_faults(regel: Regel, groepeer: Sequence[str], bekend: Bekend | None, feit: Velden) -> Iterator[Fault]:
    """What of the fields in which feiten have to be equal to go on as one does not fit: those of the feit that the dienst lists."""
    if groepeer and regel.patroon != "samenloop":
        yield (), "a rule of the patroon samenloop is needed"
    if groepeer and "onzeker" in feit:
        yield (), "a chain tells the fields of its first record, and would not tell that a date of another one is onzeker"
    for i, name in enumerate(groepeer):
        if name not in feit:
            yield (i,), f"{name} is not among the listed velden"
        elif isinstance(feit[name], list):
            yield (i,), f"{name} is not always given"
        if name in groepeer[:i]:
            yield (i,), f"{name} is named twice"
    if groepeer and bekend is not None and (bekend.hoogstens is not None or not set(bekend.gelijk) <= set(groepeer)):
        yield (
            (),
            "bekend has to be the same for all records of a chain: gelijk is among these fields, and there is no hoogstens",
        )


def _of_bedragen(bedragen: Sequence[Bedrag], feiten: Mapping[str, Velden]) -> Iterator[Fault]:
    """Each soort of feit gives one amount; that it may not be known yet is no fault."""
    soorten = [b.soort for b in bedragen]
    for i, bedrag in enumerate(bedragen):
        key = ("bedragen", i)
        if bedrag.soort not in feiten:
            yield (*key, "soort"), f"{bedrag.soort} is not among the feiten"
            continue
        if bedrag.soort in soorten[:i]:
            yield (*key, "soort"), f"{bedrag.soort} is named twice"
        yield from _expected(feiten[bedrag.soort], bedrag.veld, "amount", (*key, "veld"))
        if bedrag.tijdvak is not None:
            yield from _expected(feiten[bedrag.soort], bedrag.tijdvak, "tijdvak", (*key, "tijdvak"))
    for soort in (s for s in feiten if s not in soorten):
        yield ("bedragen",), f"{soort} is among the feiten and has no amount"


def _expected(velden: Velden, naam: str, kind: Kind, key: tuple[str | int, ...]) -> Iterator[Fault]:
    if naam not in velden:
        yield key, f"{naam} is not among the listed velden"
    elif not _IS[kind](velden[naam]):
        yield key, f"{naam} is no {_NAMES[kind]}"


_NUMBERS: Final = ("int", "long")
_IS: Final[Mapping[Kind, Callable[[Any], bool]]] = {
    "date": lambda avro: avro == {"type": "int", "logicalType": "date"},
    "number": lambda avro: avro in _NUMBERS,
    "amount": lambda avro: avro in _NUMBERS or avro in [["null", n] for n in _NUMBERS],
    "tijdvak": lambda avro: isinstance(avro, dict) and set(avro.get("symbols", ["?"])) <= TIJDVAKKEN.keys(),
}
_NAMES: Final[Mapping[Kind, str]] = {
    "date": "date that is always given",
    "number": "number that is always given",
    "amount": "number",
    "tijdvak": f"tijdvak: one of {', '.join(TIJDVAKKEN)}",
}
