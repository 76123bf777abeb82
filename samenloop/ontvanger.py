"""An ontvanger as people name it: by id, by code or by name."""

import difflib

from samenloop.errors import NotDoneError
from schemas.catalogue import Catalogue


def ontvanger_of(catalogue: Catalogue, named: str) -> str:
    """The id of the ontvanger that ``named`` means: gm0363, 0363 or Amsterdam; raises NotDoneError."""
    wanted = named.casefold()
    for ontvanger in catalogue.ontvangers.values():
        if wanted in {ontvanger.id, ontvanger.id.removeprefix("gm"), ontvanger.naam.casefold()}:
            return ontvanger.id
    names = {o.naam: o.id for o in catalogue.ontvangers.values()}
    near = difflib.get_close_matches(named, [*names, *names.values()], n=3)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise NotDoneError(f"there is no ontvanger {named} in the catalogue{hint}")
