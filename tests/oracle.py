"""The truth, recomputed by DuckDB from what was delivered; shares no code with the engine."""

import json
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import yaml

from schemas.catalogue import Catalogue

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:samenloop:signaal")


class Live(NamedTuple):
    """What stands for an ontvanger."""

    signaal_id: str
    ontvanger: str
    kenmerk: str
    basisfeit: str
    feitsoort: str
    feit: str
    begindatum: str
    einddatum: str | None
    gegevens: str


LIVE = """
CREATE TABLE live AS SELECT soort, person, record_id, feit::JSON AS feit, (feit->>'begindatum')::DATE AS b, (feit->>'einddatum')::DATE AS e
FROM (SELECT soort, person, record_id, arg_max(feit, versie) AS feit FROM delivered GROUP BY soort, person, record_id)
WHERE feit <> 'null'
"""
QUERY = """
WITH grounds AS (
    SELECT person, record_id, feit, b, least(e, last) AS e
    FROM live LEFT JOIN (SELECT person, min(b) AS last FROM live WHERE soort = ? GROUP BY person) USING (person)
    WHERE soort = ? AND (last IS NULL OR b <= last)
)
SELECT bij.person, bij.feit->>'houder', bij.feit->>'kenmerk', bij.record_id, f.soort, f.record_id,
       strftime(greatest(bij.b, f.b), '%Y-%m-%d'),
       strftime(CASE WHEN bij.e IS NULL THEN f.e WHEN f.e IS NULL THEN bij.e ELSE least(bij.e, f.e) END, '%Y-%m-%d'),
       f.feit::VARCHAR
FROM grounds bij JOIN live f ON f.person = bij.person
WHERE f.soort IN (SELECT unnest(?))
  AND (f.soort <> ? OR bij.feit->>'houder' <> f.feit->>'houder')
  AND bij.b <= coalesce(f.e, DATE '9999-12-31') AND f.b <= coalesce(bij.e, DATE '9999-12-31')
"""

DECLARED = """
SELECT person, feit FROM (
    SELECT person, record_id, arg_max(feit, versie) AS feit FROM delivered WHERE soort = ? GROUP BY person, record_id
) WHERE feit <> 'null'
"""


def recompute(deliveries: Iterable[tuple[str, Mapping[str, Any]]], work: Path, catalogue: Catalogue) -> set[Live]:
    """The live signals after ``deliveries`` of (soort, line), whatever their order; of ``catalogue`` only its files are read."""
    table = work / "delivered.ndjson"
    deliver(deliveries, table)
    live = standing(table, catalogue)
    table.unlink()
    return live


def deliver(deliveries: Iterable[tuple[str, Mapping[str, Any]]], table: Path) -> None:
    """Add ``deliveries`` to a file of JSON Lines."""
    with table.open("a") as out:
        for soort, line in deliveries:
            row = {
                "soort": soort,
                "person": hash(line["bsn"]),
                "record_id": line["record_id"],
                "versie": line["versie"],
                "feit": json.dumps(line["feit"]),
            }
            out.write(json.dumps(row) + "\n")


def standing(table: Path, catalogue: Catalogue) -> set[Live]:
    """The live signals of all diensten of ``catalogue`` after what ``deliver`` wrote, as long as there was no tick of the klok."""
    columns = "{soort: 'VARCHAR', person: 'BIGINT', record_id: 'VARCHAR', versie: 'INTEGER', feit: 'VARCHAR'}"
    live: set[Live] = set()
    held = {bron["id"] for bron in yaml.safe_load(catalogue.bestanden["bronnen.yaml"]) if "aanhouden" in bron}  # until a tick comes
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE delivered AS SELECT * FROM read_json('{table}', format='newline_delimited', columns={columns})")
        db.execute(LIVE)
        for content in (c for path, c in sorted(catalogue.bestanden.items()) if path.startswith("diensten/")):
            dienst = yaml.safe_load(content)
            if dienst["regel"]["patroon"] != "samenloop":
                continue  # without a tick of the klok nothing of the others stands; tests/property/basis_worlds.py has theirs
            feiten = [f for f in dienst["feiten"] if f["soort"].split(".")[0] not in held]
            listed = {f["soort"]: [v["veld"] for v in f["velden"]] for f in feiten}
            ends = dienst["basisfeit"].get("eindigt_bij", {}).get("soort")
            own = dienst["basisfeit"]["soort"]  # of which a record is told of beside one of another houder only
            rows = db.execute(QUERY, [ends, own, list(listed), own]).fetchall()
            live |= {_live(dienst, listed, row) for _, *row in _unknown(dienst, _chained(dienst, rows), _declared(db, dienst))}
    return live


Row = tuple[Any, ...]


def _chained(dienst: Any, rows: Iterable[Row]) -> Iterator[Row]:
    """Of what is alike in the fields that a dienst groups, and shares days of one basisfeit without one between them, the first for all."""
    fields = {f["soort"]: f["groepeer"] for f in dienst["feiten"] if f.get("groepeer")}
    alike: dict[Row, list[tuple[Row, Row]]] = defaultdict(list)
    for row in rows:
        person, _, _, basisfeit, soort, record_id, *_, content = row
        if soort in fields:
            feit = json.loads(content)
            key = person, basisfeit, soort, *(feit[veld] for veld in fields[soort])
            alike[key].append(((feit["begindatum"], record_id), row))
        else:
            yield row
    for found in alike.values():
        first, last = None, ""
        for _, row in sorted(found, key=lambda f: f[0]):
            begin, end = row[6], row[7] or "9999-12-30"
            if first is not None and begin <= str(date.fromisoformat(last) + timedelta(1)):
                last = max(last, end)
                continue
            if first is not None:
                yield *first[:7], None if last == "9999-12-30" else last, first[8]
            first, last = row, end
        assert first is not None
        yield *first[:7], None if last == "9999-12-30" else last, first[8]


Declared = Mapping[tuple[int, str], list[dict[str, Any]]]  # (person, houder) → what was declared


def _declared(db: duckdb.DuckDBPyConnection, dienst: Any) -> Declared:
    found: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for person, feit in db.execute(DECLARED, [dienst.get("opgaven", {}).get("soort")]).fetchall():
        declared = json.loads(feit)
        found.setdefault((person, declared["houder"]), []).append(declared)
    return found


def _unknown(dienst: Any, rows: Iterable[Row], declared: Declared) -> Iterator[Row]:
    """Those pairs of which the houder does not know each day from what was declared to it."""
    bekend = {f["soort"]: f.get("bekend") for f in dienst["feiten"]}
    for row in rows:
        person, houder, _, _, soort, _, begin, end, feit = row
        of = declared.get((person, houder), []) if bekend[soort] else []
        if not (of and known(begin, end, [d for d in of if _fits(bekend[soort], json.loads(feit), d)])):
            yield row


def known(begin: str, end: str | None, declared: Sequence[Mapping[str, Any]]) -> bool:
    """Whether each day is one of what was declared, walking from day to day; what is open has the day behind all that ends."""
    days = [(date.fromisoformat(d["begindatum"]), date.fromisoformat(d["einddatum"] or "9999-12-31")) for d in declared]
    closed = [last + timedelta(1) for _, last in days if last.year < 9999]
    day = date.fromisoformat(begin)
    last = date.fromisoformat(end) if end else max([day, *closed])
    while day <= last:
        if not any(first <= day <= until for first, until in days):
            return False
        day += timedelta(1)
    return True


def _fits(bekend: Any, feit: Mapping[str, Any], declared: Mapping[str, Any]) -> bool:
    if any(feit[veld] != declared[veld] for veld in bekend["gelijk"]):
        return False
    most = bekend.get("hoogstens")
    return most is None or _at_most(feit, feit[most["veld"]], feit[most["tijdvak"]], declared[most["grens"]])


def _at_most(feit: Mapping[str, Any], amount: int, tijdvak: str, most: int | None) -> bool:
    """Whether an amount is at most so much a month: a year has 365 days and twelve months, and thirteen times four weeks."""
    if most is None or (tijdvak == "OVERIG" and feit["einddatum"] is None):
        return False
    times = {"MAAND": Fraction(1), "VIER_WEKEN": Fraction(13, 12)}.get(tijdvak)
    if times is None:
        days = date.fromisoformat(feit["einddatum"]) - date.fromisoformat(feit["begindatum"])
        times = Fraction(365, 12) / (days.days + 1)
    return floor(amount * times) <= most


def _live(dienst: Any, listed: Any, row: Sequence[Any]) -> Live:
    houder, kenmerk, basisfeit, soort, record_id, begin, end, feit = row
    name = "\x1f".join((dienst["dienst"], houder, dienst["basisfeit"]["soort"], basisfeit, soort, record_id))
    fields = json.loads(feit)
    gegevens = json.dumps({v: fields.get(v) for v in listed[soort]}, sort_keys=True)
    return Live(str(uuid.uuid5(NAMESPACE, name)), houder, kenmerk, basisfeit, soort, record_id, begin, end, gegevens)


@dataclass
class Folded:
    """What the topics of the ontvangers say, and what is wrong with them."""

    live: set[Live]
    messages: int
    duplicates: int = 0
    conflicts: list[str] = field(default_factory=list)  # same signaal_id and versie, other bytes
    gaps: list[str] = field(default_factory=list)  # versions that do not run 1, 2, 3 …
    wrong_topic: list[str] = field(default_factory=list)


class Folding:
    """Folds signals as they come; of a version that is not the newest it keeps no more than a digest."""

    def __init__(self) -> None:
        self._digests: dict[str, dict[int, int]] = defaultdict(dict)
        self._newest: dict[str, tuple[int, bytes]] = {}
        self._folded = Folded(set(), 0)

    def add(self, topic: str, value: bytes) -> None:
        """Take the next (topic, JSON value), in the order of each topic."""
        signaal = json.loads(value)
        self._folded.messages += 1
        name, versie = signaal["signaal_id"], signaal["versie"]
        if topic != f"signalen.{signaal['ontvanger']}":
            self._folded.wrong_topic.append(name)
        if versie in self._digests[name]:
            self._folded.duplicates += 1
            if self._digests[name][versie] != hash(value):
                self._folded.conflicts.append(name)
        self._digests[name][versie] = hash(value)
        self._newest[name] = max(self._newest.get(name, (0, b"")), (versie, value))

    def result(self) -> Folded:
        """What stands after all that was added."""
        gaps = [name for name, versions in self._digests.items() if max(versions) != len(versions)]
        last = (json.loads(value) for _, value in self._newest.values())
        return replace(self._folded, gaps=gaps, live={_said(s) for s in last if s["soort"] != "VERVALLEN"})


def fold(messages: Iterable[tuple[str, bytes]]) -> Folded:
    """Fold (topic, JSON value) in the order of each topic to what stands."""
    folding = Folding()
    for topic, value in messages:
        folding.add(topic, value)
    return folding.result()


def _said(s: dict[str, Any]) -> Live:
    gegevens = json.dumps(s["gegevens"], sort_keys=True)
    basis, feit = s["basisfeit"]["record_id"], s["feit"]
    return Live(
        s["signaal_id"], s["ontvanger"], s["kenmerk"], basis, feit["soort"], feit["record_id"], s["begindatum"], s["einddatum"], gegevens
    )
