"""The messages that the publication shows: the golden records, and the signals that the engine makes of them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from schemas.catalogue import Catalogue, Dienst
from schemas.regels import Informatiepakket
from schemas.values import Signaalsoort
from streams.encoded import rows_in
from streams.fold import Folder
from streams.records import SourceRecord, run_of
from streams.store import PartitionStore

_TICK = "klok.v1"
_SECOND = ".tweede"  # golden records of another basisfeit of the same persoon
_BASIS, _COURSE = "lopend", ("vastgesteld", "lopend", "ingetrokken")  # golden records of every soort, versions 1, 2 and 3


@dataclass(frozen=True)
class Example:
    """A record as it goes over the wire, and as people read it."""

    name: str
    schema_id: int
    topic: str
    key: str | None
    headers: Mapping[str, str]
    raw: bytes
    value: Mapping[str, Any]


def golden_of(root: Path) -> dict[str, Example]:
    """The golden records beside a catalogue, by name; none when it has none."""
    found = {}
    for path in sorted((root / "examples").glob("*.json")):
        told = json.loads(path.read_text(encoding="utf-8"))
        raw = bytes.fromhex(told.pop("value_hex"))
        found[path.stem] = Example(path.stem, raw=raw, **told)
    return found


def signalen_of(catalogue: Catalogue, golden: Mapping[str, Example]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """(dienst, soort) → the first signal to which the golden records of that soort lead: NIEUW, GEWIJZIGD, VERVALLEN.

    Of a dienst whose signals are about a basisfeit and any number of feiten: its basis soort → those of the first that leads to all three.
    """
    found = dict[tuple[str, str], list[dict[str, Any]]]()
    for dienst in catalogue.diensten.values():
        soorten = [f.soort for f in dienst.feiten]
        if dienst.over_paren:
            found |= {(dienst.dienst, soort): _first(_signalen(catalogue, dienst, [soort], golden)) for soort in soorten}
        else:
            courses = (_each_once(_signalen(catalogue, dienst, one, golden)) for one in (*([s] for s in soorten), soorten))
            told = max(courses, key=len)
            found |= {(dienst.dienst, dienst.basisfeit.soort): told} if told else {}  # the golden person may be of another age
    return found


def _first(signalen: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """All versions of the first of them: of two basisfeiten each houder is told."""
    told = list(signalen)
    return [s for s in told if s["signaal_id"] == told[0]["signaal_id"]]


def _each_once(signalen: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first NIEUW, the first GEWIJZIGD behind it, and the first VERVALLEN behind that."""
    kinds, told = list(get_args(Signaalsoort)), list[dict[str, Any]]()
    for signaal in signalen:
        if kinds and signaal["soort"] == kinds[0]:
            told.append(signaal)
            kinds.pop(0)
    return told


def _signalen(catalogue: Catalogue, dienst: Dienst, soorten: Sequence[str], golden: Mapping[str, Example]) -> Iterator[dict[str, Any]]:
    folder = Folder(catalogue, "samenloop", "python")
    store = PartitionStore(folder.rulebook.layout)
    basis = _newest(catalogue, dienst.basisfeit.soort)
    own = {dienst.basisfeit.soort: _SECOND}
    first, second, last = ([f"{_newest(catalogue, s)}{own.get(s, '')}.{step}" for s in soorten] for step in _COURSE)
    names = [f"{basis}.{_BASIS}", _TICK, *first, *second, *last]
    if isinstance(dienst.regel, Informatiepakket):  # which ends with its ground alone
        names = [f"{basis}.{_BASIS}", *first, _TICK, *second, f"{basis}.{_COURSE[-1]}"]
    for offset, example in enumerate(golden[name] for name in names if name in golden):
        record = SourceRecord(None if example.key is None else example.key.encode(), example.raw, offset)
        effects = folder.fold(store, 0, [(example.topic, run_of([record]))])
        store.apply(effects)
        for (topic, _), rows in effects.messages.items():
            if topic.startswith("signalen."):
                told = (json.loads(value or b"") for _, value, _ in rows_in(rows))
                yield from (s for s in told if s["dienst"] == dienst.dienst)


def _newest(catalogue: Catalogue, soort: str) -> str:
    return catalogue.latest_schema(f"mutaties.{soort}").bestand.removesuffix(".avsc")
