"""The minimisation check: all that a catalogue may not have, with file, line and key.

A field without purpose and ground, a dienst without retention or controller, and a soort that no dienst uses are refused when the
catalogue is loaded. A field that a bron delivers and no dienst uses is found here.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from schemas.catalogue import PERIODE, Catalogue, feit_fields
from schemas.parts import CatalogueError

_FAULT: Final = re.compile(r"(?P<file>[^\s:]+\.yaml): (?:(?P<row>\d+): )?(?P<key>[A-Za-z_][\w.]*): (?P<why>.*)", re.DOTALL)


class Breach(NamedTuple):
    """Something that the catalogue may not have."""

    file: str  # its name, without the folder
    line: int | None  # from 1; None where the fault has no place
    key: str
    why: str

    def __str__(self) -> str:
        """``file:line: key: why``, as compilers say it."""
        return ": ".join(part for part in (self.file if self.line is None else f"{self.file}:{self.line}", self.key, self.why) if part)


def breaches_of(root: Path) -> list[Breach]:
    """All breaches of the catalogue in the folder ``root``; of one that cannot be loaded those for which it is refused."""
    try:
        return list(_unused(Catalogue.load(root)))
    except CatalogueError as e:
        return list(_refused(root, str(e)))


def _unused(catalogue: Catalogue) -> Iterator[Breach]:
    used: dict[str, set[str]] = {}
    for dienst in catalogue.diensten.values():
        for part in dienst.delen:
            used.setdefault(part.soort, set(PERIODE)).update(v.veld for v in part.velden)
    for soort, topic in catalogue.mutatie_topics.items():
        schema = catalogue.latest_schema(topic.topic)
        lines = catalogue.bestanden[f"avro/{schema.bestand}"].decode().splitlines()
        for field in feit_fields(schema):
            if field not in used[soort]:
                line = next((n for n, text in enumerate(lines, 1) if re.search(rf'"name"\s*:\s*"{field}"', text)), None)
                yield Breach(schema.bestand, line, field, f"bron {topic.eigenaar} delivers it and no dienst uses it")


def _refused(root: Path, said: str) -> Iterator[Breach]:
    """What ``Catalogue.load`` says of one file: its name, then for each fault the key and the reason."""
    first = _FAULT.match(said)
    if first is None:
        yield Breach("", None, "", said)
        return
    file = next(iter(sorted(root.rglob(first["file"]))), None)
    head = said[: first.start("key")]
    for part in said[first.start("key") :].split("; "):
        fault = _FAULT.match(head + part)
        if fault is None:
            yield Breach(first["file"], None, "", part)
            continue
        keys = [*([fault["row"]] if fault["row"] else []), *fault["key"].split(".")]
        yield Breach(first["file"], None if file is None else _line_of(file, keys), ".".join(keys), fault["why"])


def _line_of(file: Path, keys: Sequence[str]) -> int | None:
    """The line of the key in a YAML file; where it is missing, that of the part that lacks it."""
    try:
        node = yaml.compose(file.read_text(encoding="utf-8"), yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    line = None
    for key in keys:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == key), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
            node = node.value[int(key)]
            line = node.start_mark.line + 1
        else:
            break
    return line or 1
