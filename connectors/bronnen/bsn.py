"""The citizen service number (BSN): its form and its check, the elfproef."""

from functools import lru_cache
from operator import mul
from typing import Final

_WEIGHTS: Final = (9, 8, 7, 6, 5, 4, 3, 2, -1)


@lru_cache(maxsize=4096)  # what a bron has of one persoon stands close together in what it delivers
def normal_bsn(text: str) -> str | None:
    """The nine digits of a BSN, with the leading zero that some systems drop; None when ``text`` is none."""
    digits = text.zfill(9) if len(text) == 8 else text
    if len(digits) != 9 or not (digits.isascii() and digits.isdigit()):
        return None
    total = sum(map(mul, _WEIGHTS, map(int, digits)))
    return digits if total % 11 == 0 and digits != "000000000" else None
