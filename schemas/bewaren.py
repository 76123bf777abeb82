"""How long the node keeps anything: a bewaartermijn in days, and whether those of a dienst and its topics fit."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

SIGNALEN: Final = "signalen.<ontvanger>"
MAAND: Final = 31  # days, so that nothing goes before its time
_FORM: Final = re.compile(r"P([0-9]+)([MD])").fullmatch


class Kept(Protocol):
    """A topic, or a family of them."""

    @property
    def bewaartermijn(self) -> str | None:
        """None: for ever."""


def bewaardagen(termijn: str) -> int:
    """``P15M`` or ``P30D`` in days."""
    found = _FORM(termijn)
    if found is None:
        raise ValueError("a bewaartermijn is P, a number and M or D")
    return int(found[1]) * (MAAND if found[2] == "M" else 1)


def too_short(termijn: str, topics: Mapping[str, Kept], soorten: Iterable[str]) -> str | None:
    """What is wrong when the topic of one of ``soorten``, or that of signals, is kept for less than ``termijn``."""
    for naam in (*(f"mutaties.{soort}" for soort in soorten), SIGNALEN):
        for_long = topics[naam].bewaartermijn if naam in topics else None
        if for_long is not None and bewaardagen(for_long) < bewaardagen(termijn):
            return f"{naam} is kept for {for_long} only"
    return None
