"""The published rule of a dienst: its pattern and what may be set of it, a small closed vocabulary. There is no expression language."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Termijn = Annotated[str, Field(pattern=r"^P([0-9]{1,3}M|[0-9]{1,3}D)$")]
"""A number of calendar months or of days."""

Velden = Mapping[str, Any]  # listed field → its Avro type
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


Regel = Annotated[Samenloop | Ontbreken | Beeindiging, Field(discriminator="patroon")]
PATRONEN: Final = tuple(get_args(model.model_fields["patroon"].annotation)[0] for model in get_args(get_args(Regel)[0]))


def faults(regel: Regel, basis: Velden, soorten: Collection[str]) -> Iterator[Fault]:
    """What of a rule does not fit its dienst: the fields of the basisfeit that it lists, and the soorten of its feiten."""
    if isinstance(regel, Ontbreken | Beeindiging) and regel.leeftijd is not None:
        yield from _expected(basis, regel.leeftijd.veld, "date", ("leeftijd", "veld"))
    if isinstance(regel, Beeindiging) and regel.van not in soorten:
        yield ("van",), f"{regel.van} is not among the feiten"


def _expected(velden: Velden, naam: str, kind: Literal["date", "number"], key: tuple[str | int, ...]) -> Iterator[Fault]:
    if naam not in velden:
        yield key, f"{naam} is not among the listed velden"
    elif velden[naam] not in _TYPES[kind]:
        yield key, f"{naam} is no {kind} that is always given"


_TYPES: Final[Mapping[str, tuple[object, ...]]] = {"date": ({"type": "int", "logicalType": "date"},), "number": ("int", "long")}
