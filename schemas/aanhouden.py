"""Which bronnen can have their new records held: those that give nothing but feiten of pairs that count alone, in every dienst."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.catalogue import Catalogue, Dienst


def check(catalogue: "Catalogue") -> None:
    """Raises CatalogueError where something is held that has to be there at once: what is held is as if it were not there."""
    for dienst in catalogue.diensten.values():
        for soort in _at_once(dienst):
            bron = catalogue.bron_of(soort)
            if bron.aanhouden is not None:
                raise bron.fault("aanhouden", f"{dienst.place} needs {soort} at once: only a feit of a pair that counts alone can be held")


def _at_once(dienst: "Dienst") -> Iterator[str]:
    """The soorten of which a missing record would be told as such, or would hold or let go everything else."""
    told = {feit.soort for feit in dienst.feiten if not feit.groepeer} if dienst.over_paren else set()
    return (part.soort for part in dienst.delen if part.soort not in told)
