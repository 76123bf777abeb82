"""What stands in a catalogue and serves nobody: a soort, an ontvanger, a bron."""

from typing import TYPE_CHECKING

from schemas.parts import CatalogueError

if TYPE_CHECKING:
    from schemas.catalogue import Catalogue


def check(catalogue: "Catalogue") -> None:
    """Nothing is delivered without a dienst that uses it, and nobody is named who delivers nothing."""
    used = {part.soort for d in catalogue.diensten.values() for part in d.delen}
    for soort, topic in catalogue.mutatie_topics.items():
        if soort not in used:
            raise CatalogueError(f"{topic.place}: topic: no dienst uses {soort}")
    receiving = {soort for d in catalogue.diensten.values() for soort in d.ontvanger.soorten}
    for ontvanger in catalogue.ontvangers.values():
        if ontvanger.soort not in receiving:
            raise CatalogueError(f"{ontvanger.place}: soort: no dienst has signals for a {ontvanger.soort}")
    owners = {t.eigenaar for t in catalogue.topics.values()}
    for bron in catalogue.bronnen.values():
        if bron.id not in owners:
            raise CatalogueError(f"{bron.place}: id: {bron.id} has no topic")
