"""The golden records: what has gone over the wire once, and has to be readable for ever."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "schemas" / "examples"
HEADER = 5  # bytes of the Confluent framing: a zero byte and the schema id


@dataclass(frozen=True)
class Example:
    """One golden record; ``value`` is the record as people read it, dates and times in ISO 8601."""

    name: str
    topic: str
    schema_id: int
    key: str | None
    headers: dict[str, str]
    raw: bytes
    value: dict[str, Any]

    def __str__(self) -> str:
        return self.name


@cache
def examples() -> tuple[Example, ...]:
    """All golden records, by name."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.json")))


def _read(path: Path) -> Example:
    found = json.loads(path.read_text(encoding="utf-8"))
    return Example(path.stem, **{k: v for k, v in found.items() if k != "value_hex"}, raw=bytes.fromhex(found["value_hex"]))


AVRO = tuple(e for e in examples() if not e.topic.startswith("signalen."))
MUTATIES = tuple(e for e in AVRO if e.topic.startswith("mutaties."))
SIGNALEN = tuple(e for e in examples() if e.topic.startswith("signalen."))
