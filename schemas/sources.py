"""Source topics of the engine beside those of mutaties: they belong to no soort, and are named as they are."""

from typing import Final

KLOK: Final = "klok"
AFHANDELINGEN: Final = "afhandelingen"
PLAIN: Final = (KLOK, AFHANDELINGEN)
