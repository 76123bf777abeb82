"""When a basisfeit is told of beside another one of its own soort: where the two are of different houders, and nowhere else."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from schemas.parts import CatalogueError

if TYPE_CHECKING:  # that reads this module
    from schemas.catalogue import Deel, Dienst, Feitsoort

Ander = Literal["houder"]
"""What has to be another one in the feit than in the basisfeit: who is told of it."""


def check(dienst: "Dienst", parts: Sequence[tuple[str, "Deel"]], diensten: Iterable["Dienst"]) -> None:
    """Raises CatalogueError when a soort is used twice in a dienst, by ``parts`` under their keys, or as a basisfeit and a feit of any."""
    for fault in (*_twice(dienst, parts), *_faults(dienst, diensten)):
        raise fault


def _twice(dienst: "Dienst", parts: Sequence[tuple[str, "Deel"]]) -> Iterator[CatalogueError]:
    beside = [part.soort for key, part in parts if key != "basisfeit"]
    for key, part in parts:
        if beside.count(part.soort) > 1:
            yield dienst.fault(f"{key}.soort", f"{part.soort} is named twice")


def _faults(dienst: "Dienst", diensten: Iterable["Dienst"]) -> Iterator[CatalogueError]:
    grounds = {other.basisfeit.soort: other.place for other in diensten}
    for i, feit in enumerate(dienst.feiten):
        if feit.soort == dienst.basisfeit.soort:
            yield from (dienst.fault(f"feiten.{i}.{key}", text) for key, text in _of_own_soort(dienst, feit))
        elif feit.soort in grounds:
            yield dienst.fault(f"feiten.{i}.soort", f"{feit.soort} is a basisfeit in {grounds[feit.soort]}, and none here")
        elif feit.ander is not None:
            yield dienst.fault(f"feiten.{i}.ander", f"only a feit of the soort of the basisfeit has it: {dienst.basisfeit.soort}")


def _of_own_soort(dienst: "Dienst", feit: "Feitsoort") -> Iterator[tuple[str, str]]:
    named = [v.veld for v in feit.velden]
    if not dienst.over_paren:
        yield "soort", f"{feit.soort} is the basisfeit: only a rule of the patroon samenloop lays it beside another one"
    if feit.ander is None:
        yield "ander", f"houder is needed: {feit.soort} is the basisfeit, and is told of only beside one of another houder"
    if feit.groepeer:
        yield "groepeer", f"{feit.soort} is the basisfeit: each record of it is told of alone"
    if "houder" not in named:
        yield "velden", "houder is needed: who is told of it has to know whose it is"
    if "kenmerk" in named:
        yield f"velden.{named.index('kenmerk')}", "kenmerk names the file of one houder, and is told to no other"
