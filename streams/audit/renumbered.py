"""Records of personen who became other ones, as records of these: where the engine took each over, worked out from the topics alone.

Of whom became another one, what was kept when that happened counts from the moment that it was taken over, and what came later from the
moment that it was handed on. Both moments are read from the engine's topic; what goes over follows from the mutaties. Shares no code with
the engine's core.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import duckdb

from schemas.catalogue import Catalogue
from schemas.sources import NUMMERWIJZIGINGEN
from streams.audit.tables import GENOMEN, NUMMERS, OVERGEGAAN

Spot = tuple[str, int, int]  # topic, partition and offset of what the engine took


class _Record(NamedTuple):
    """A mutatie as one persoon has it."""

    soort: int
    columns: tuple[Any, ...]  # of the table of that soort
    taken: Spot
    turn: tuple[int, int]  # rises in the order in which the engine took things of a partition


class _Change(NamedTuple):
    nieuw: bytes
    taken: Spot
    turn: tuple[int, int]


def renumber(db: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> None:
    """Give the rows of the tables ``t<nummer>`` to the personen who have them now."""
    changes = dict(_changes(db))
    if not changes:
        return
    over, of = _over(db), _Kept(catalogue)
    db.execute("CREATE TEMP TABLE gewijzigd (persoon BLOB)")
    db.executemany("INSERT INTO gewijzigd VALUES (?)", [[p] for p in changes])
    records = dict[bytes, list[_Record]]()
    for topic in catalogue.mutatie_topics.values():
        for record in _taken_out(db, topic.nummer, topic.topic):
            records.setdefault(record.columns[_PERSOON], []).append(record)
    final = [r for persoon in _in_order(changes) for r in _passed(changes, over, of, records, persoon)]
    for record in final:
        marks = ", ".join("?" * len(record.columns))
        db.execute(f"INSERT INTO t{record.soort} VALUES ({marks})", list(record.columns))


_PARTITIE, _OFFSET, _PERSOON, _RECORD_ID, _VERSIE, _TIME, _BEGIN, _BEURT = 0, 1, 2, 3, 4, 5, 6, -1  # among the columns


def _changes(db: duckdb.DuckDBPyConnection) -> Iterator[tuple[bytes, _Change]]:
    """Who became whom in the end, and when."""
    found = dict[bytes, tuple[int, _Change | None]]()
    query = f"""SELECT n.persoon, n.versie, n.nieuw, n.partitie, n."offset", g.beurt FROM {NUMMERS} n ASOF JOIN
        (SELECT * FROM {GENOMEN} WHERE topic = '{NUMMERWIJZIGINGEN}') g ON g.partitie = n.partitie AND n."offset" >= g.begin
        WHERE n."offset" < g.einde ORDER BY g.beurt, n."offset" """
    for persoon, versie, nieuw, partitie, offset, beurt in db.execute(query).fetchall():
        last, before = found.get(persoon, (0, None))
        if versie > last:
            same = before is not None and nieuw is not None and before.nieuw == nieuw.encode()
            now = None if nieuw is None else _Change(nieuw.encode(), (NUMMERWIJZIGINGEN, partitie, offset), (beurt, offset))
            found[persoon] = versie, before if same else now
    for persoon, (_, change) in found.items():
        if change is not None:
            yield persoon, change


def _over(db: duckdb.DuckDBPyConnection) -> Mapping[tuple[Spot, bytes], tuple[Spot, int]]:
    """By cause and persoon, what went over: where it stands, and its turn."""
    query = f"""SELECT o.persoon, o.oorzaak, o.deling, o.plek, o.topic, o.partitie, o."offset", g.beurt + 2 * (o."offset" - g.begin)
        FROM {OVERGEGAAN} o ASOF JOIN {GENOMEN} g ON g.topic = o.topic AND g.partitie = o.partitie AND o."offset" >= g.begin
        WHERE o."offset" < g.einde AND o.deel = 1 ORDER BY 8 DESC"""
    return {
        ((oorzaak, deling, plek), persoon): ((topic, partitie, offset), turn)
        for persoon, oorzaak, deling, plek, topic, partitie, offset, turn in db.execute(query).fetchall()
    }  # of duplicates the first one


def _taken_out(db: duckdb.DuckDBPyConnection, nummer: int, topic: str) -> list[_Record]:
    """The records of personen who became other ones, which the table no longer holds afterwards."""
    rows = db.execute(f"SELECT * FROM t{nummer} WHERE persoon IN (SELECT persoon FROM gewijzigd)").fetchall()
    db.execute(f"DELETE FROM t{nummer} WHERE persoon IN (SELECT persoon FROM gewijzigd)")
    return [_Record(nummer, r, (topic, r[_PARTITIE], r[_OFFSET]), (r[_BEURT], r[_OFFSET])) for r in rows]


def _in_order(changes: Mapping[bytes, _Change]) -> list[bytes]:
    """Each persoon before the one that it became; of a circle, of which all but one was refused, in any order."""
    done = list[bytes]()
    for persoon in changes:
        chain, at = list[bytes](), persoon
        while at in changes and at not in chain:
            chain.append(at)
            at = changes[at].nieuw
        done += chain
    return list(dict.fromkeys(reversed(done)))[::-1]


def _passed(
    changes: Mapping[bytes, _Change],
    over: Mapping[tuple[Spot, bytes], tuple[Spot, int]],
    kept: "_Kept",
    records: dict[bytes, list[_Record]],
    persoon: bytes,
) -> Iterator[_Record]:
    """What goes from a persoon to the one that it became: to ``records`` of that one, or out when that is the last."""
    change = changes[persoon]
    mine = sorted(records.pop(persoon, []), key=lambda r: r.turn)
    before = [r for r in mine if r.turn < change.turn]
    going = [(r, change.taken) for r in kept.of(before)] + [(r, r.taken) for r in mine if r.turn > change.turn]
    for record, cause in going:
        found = over.get((cause, change.nieuw))
        if found is None:  # it is on its way
            continue
        (topic, partitie, offset), turn = found
        turn += record.soort not in kept.gronden  # a feit counts beside the basisfeit that came with it
        columns = list(record.columns)
        columns[_PARTITIE], columns[_OFFSET], columns[_PERSOON], columns[_BEURT] = partitie, offset, change.nieuw, turn
        passed = _Record(record.soort, tuple(columns), (topic, partitie, offset), (turn, offset))
        if change.nieuw in changes:
            records.setdefault(change.nieuw, []).append(passed)
        else:
            yield passed


class _Kept:
    """What may be kept of a persoon."""

    def __init__(self, catalogue: Catalogue) -> None:
        numbers = {soort: topic.nummer for soort, topic in catalogue.mutatie_topics.items()}
        self.gronden: Final = {numbers[d.basisfeit.soort] for d in catalogue.diensten.values()}
        self._beside: dict[int, set[int]] = {}  # soort → the basisfeiten beside which it may be kept
        for dienst in catalogue.diensten.values():
            for soort in dienst.gevraagd:
                self._beside.setdefault(numbers[soort], set()).add(numbers[dienst.basisfeit.soort])
        known = {numbers[d.opgaven.soort] for d in catalogue.diensten.values() if d.opgaven is not None}
        self._held = {numbers[s] for s in numbers if catalogue.bron_of(s).aanhouden is not None}
        self._always = self.gronden | known | {numbers[s] for s in numbers if catalogue.bron_of(s).filtert_zelf}

    def of(self, records: Iterable[_Record]) -> list[_Record]:
        """The newest versions that are kept after these came; of what is held also the one that was registered first."""
        found, first = dict[tuple[int, str], _Record](), dict[tuple[int, str], _Record]()
        for record in records:
            if not self._may(found, record.soort):
                continue
            name = record.soort, record.columns[_RECORD_ID]
            if record.soort in self._held:
                first[name] = min(first.get(name, record), record, key=lambda r: r.columns[_TIME])
            if name not in found or record.columns[_VERSIE] > found[name].columns[_VERSIE]:
                found[name] = record
            if record.soort in self.gronden:
                found = {n: r for n, r in found.items() if self._may(found, n[0])}
                first = {n: r for n, r in first.items() if n in found}
        return [*found.values(), *(r for n, r in first.items() if r is not found[n])]

    def _may(self, found: Mapping[tuple[int, str], _Record], soort: int) -> bool:
        beside = self._beside.get(soort, set())
        return soort in self._always or any(n in beside and r.columns[_BEGIN] is not None for (n, _), r in found.items())
