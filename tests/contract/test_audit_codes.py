"""Every code that `explain` gives stands in docs/audit.md, with what it means."""

import re
from pathlib import Path

from samenloop import cited, why_not

ROOT = Path(__file__).parents[2]


def codes_in(heading: str) -> set[str]:
    """The codes in the first column of the table under a heading."""
    _, _, rest = (ROOT / "docs" / "audit.md").read_text().partition(f"\n## {heading}\n")
    section = rest.partition("\n## ")[0]
    return {code for row in re.findall(r"^\|((?: *`[A-Z_]+`,?)+) *\|", section, re.MULTILINE) for code in re.findall(r"`([A-Z_]+)`", row)}


def test_why_there_is_no_signal() -> None:
    assert codes_in("Why there is none") == set(why_not._REASONS)


def test_why_a_version_was_sent() -> None:
    source = Path(cited.__file__).read_text()
    given = set(re.findall(r"Cause\(\s*\"([A-Z_]+)\"", source)) | {code for code, _ in (*cited._PAIR, *cited._ALONE)}
    assert given <= codes_in("Prove this signal")
