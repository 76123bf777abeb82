"""Source topics of the engine beside those of mutaties: they belong to no soort, and are named as they are."""

from typing import Final

KLOK: Final = "klok"
AFHANDELINGEN: Final = "afhandelingen"
NUMMERWIJZIGINGEN: Final = "nummerwijzigingen"
PLAIN: Final = (KLOK, AFHANDELINGEN, NUMMERWIJZIGINGEN)
OVERDRACHTEN: Final = "<toepassing>-overdrachten"


def overdrachten_topic(toepassing: str) -> str:
    """The topic on which an engine hands over to itself what it knows of a persoon who has another number."""
    return OVERDRACHTEN.replace("<toepassing>", toepassing)


def is_overdrachten(topic: str) -> bool:
    """Whether a topic is that of some engine."""
    return topic.endswith("-overdrachten")
