"""The register of a bron: an agency's records by pseudonym, what the node follows, and what is still to be published.

Everything stands in one SQLite file and changes in one transaction, the outbox with it: a crash loses nothing, and at worst a
mutatie goes out twice, which changes nothing.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from connectors.bronnen.lines import Published
from schemas.catalogue import Catalogue
from schemas.cloudevents import Headers
from schemas.values import Volgverzoek

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS record (
    soort TEXT, persoon TEXT, record_id TEXT, versie INTEGER, reach INTEGER, value BLOB, headers BLOB,
    published INTEGER DEFAULT 0, PRIMARY KEY (persoon, soort, record_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS followed (persoon TEXT PRIMARY KEY, versie INTEGER, vanaf TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (persoon TEXT, soort TEXT, record_id TEXT, PRIMARY KEY (persoon, soort, record_id)) WITHOUT ROWID;
"""


class Outgoing(NamedTuple):
    """A mutatie in the outbox: the newest version of the record."""

    soort: str
    persoon: str
    record_id: str
    versie: int
    value: bytes
    headers: Headers


class Register:
    """The records of one bron."""

    def __init__(self, file: Path | str, catalogue: Catalogue, bron: str) -> None:
        self._db = sqlite3.connect(file, isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _TABLES)
        self._soorten = {d.dienst: {f.soort for f in d.feiten if f.soort.split(".")[0] == bron} for d in catalogue.diensten.values()}

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Make all that is done inside true at once, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def deliver(self, soort: str, mutatie: Published) -> bool:
        """Take a new version of a record; False when the register has it, or a newer one. Call inside ``batch``."""
        row = (soort, mutatie.persoon, mutatie.record_id, mutatie.versie, mutatie.reach, mutatie.value, _pack(mutatie.headers))
        changed = self._db.execute(
            "INSERT INTO record (soort, persoon, record_id, versie, reach, value, headers) VALUES (?,?,?,?,?,?,?) "
            "ON CONFLICT DO UPDATE SET versie=excluded.versie, reach=excluded.reach, value=excluded.value, headers=excluded.headers "
            "WHERE excluded.versie > versie",
            row,
        ).rowcount
        if changed:
            self._queue(mutatie.persoon, self._vanaf(mutatie.persoon), mutatie.record_id)
        return bool(changed)

    def follow(self, persoon: str, asked: Volgverzoek) -> bool:
        """Take a volgverzoek and put the answer into the outbox; False when it is not newer. Call inside ``batch``."""
        vanaf: dict[str, int] = {}
        for volging in asked.volgt:
            for soort in self._soorten.get(volging.dienst, ()):
                vanaf[soort] = min(volging.vanaf, vanaf.get(soort, volging.vanaf))
        changed = self._db.execute(
            "INSERT INTO followed VALUES (?,?,?) ON CONFLICT DO UPDATE SET versie=excluded.versie, vanaf=excluded.vanaf "
            "WHERE excluded.versie > versie",
            (persoon, asked.versie, msgspec.json.encode(vanaf).decode()),
        ).rowcount
        if changed:
            self._queue(persoon, vanaf, None)
        return bool(changed)

    def outgoing(self, most: int) -> list[Outgoing]:
        """What is to be published next."""
        rows = self._db.execute("SELECT soort, persoon, record_id, versie, value, headers FROM outbox NATURAL JOIN record LIMIT ?", (most,))
        return [Outgoing(s, p, r, versie, value, _unpack(headers)) for s, p, r, versie, value, headers in rows]

    def sent(self, mutaties: list[Outgoing]) -> None:
        """Take acknowledged mutaties out of the outbox, unless a newer version came meanwhile."""
        with self.batch():
            self._db.executemany(
                "DELETE FROM outbox WHERE persoon=? AND soort=? AND record_id=? AND EXISTS (SELECT 1 FROM record r "
                "WHERE r.persoon=outbox.persoon AND r.soort=outbox.soort AND r.record_id=outbox.record_id AND r.versie=?)",
                [(m.persoon, m.soort, m.record_id, m.versie) for m in mutaties],
            )

    def _vanaf(self, persoon: str) -> Mapping[str, int]:
        row = self._db.execute("SELECT vanaf FROM followed WHERE persoon=?", (persoon,)).fetchone()
        return {} if row is None else msgspec.json.decode(row[0], type=dict[str, int])

    def _queue(self, persoon: str, vanaf: Mapping[str, int], record_id: str | None) -> None:
        """Records that reach the followed days, and every record that was ever published: the node may still hold it."""
        for soort, day in vanaf.items():
            found = "persoon=? AND soort=? AND (reach>=? OR published) AND (? IS NULL OR record_id=?)"
            which = (persoon, soort, day, record_id, record_id)
            self._db.execute(f"INSERT OR IGNORE INTO outbox SELECT persoon, soort, record_id FROM record WHERE {found}", which)  # noqa: S608
            self._db.execute(f"UPDATE record SET published=1 WHERE {found}", which)  # noqa: S608


_pack = msgspec.msgpack.encode


def _unpack(data: bytes) -> Headers:
    return msgspec.msgpack.decode(data, type=Headers)
