"""Lines of a bron for the tests of the edge."""

import json
from typing import Any

from hypothesis import strategies as st

KEY = bytes(range(32))
BSN = "999990019"
_WEIGHTS = (9, 8, 7, 6, 5, 4, 3, 2)


def bsn_of(stem: int) -> str | None:
    """The BSN that begins with the eight digits of ``stem``, or None: for one in eleven there is no last digit."""
    digits = f"{stem:08d}"
    last = sum(w * int(d) for w, d in zip(_WEIGHTS, digits, strict=True)) % 11
    return None if last == 10 else f"{digits}{last}"


bsns: st.SearchStrategy[str] = st.integers(1_000_000, 99_999_999).map(bsn_of).filter(bool).map(str)


def opgave(bsn: Any = BSN, *, without: str = "", **changes: Any) -> dict[str, Any]:
    """A good line of uwv.inkomstenopgave; ``changes`` go into the envelope, or into the feit when it has that field."""
    feit: dict[str, Any] = {
        "begindatum": "2026-01-01",
        "einddatum": "2026-01-31",
        "loonheffingennummer": "001234567L01",
        "ikv_nummer": 1,
        "tijdvak": "MAAND",
        "loon_sv": 250_000,
        "verloonde_uren": 120,
    }
    line: dict[str, Any] = {"bsn": bsn, "record_id": "ikv-1", "versie": 1, "registratietijd": "2026-02-02T09:00:00Z", "feit": feit}
    for name, value in changes.items():
        (feit if name in feit else line)[name] = value
    line.pop(without, None)
    feit.pop(without, None)
    return line


def raw(line: Any) -> bytes:
    """The line as it stands in a file, without its end."""
    return json.dumps(line, ensure_ascii=False).encode()
