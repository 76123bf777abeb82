"""The register of a bron: an agency's records by pseudonym, what the node follows, and what is still to be published.

``reach`` is the last day that any version of a record ever had: when a correction ends a record before the followed days, the
node must hear of it, because an older version may be with it or still under way.

The outbox names records, in the order in which something happened to them; what goes out is the record as it then stands. Being
queued again gives a new place: an answer to a new volgverzoek is never taken for the same mutatie that was on its way before it.

Everything stands in one SQLite file and changes in one transaction, the outbox with it: a crash loses nothing, and at worst a
mutatie goes out twice, which changes nothing.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from connectors.bronnen.lines import Published
from schemas.catalogue import Catalogue
from schemas.cloudevents import Headers
from schemas.codec import MIN_DAY
from schemas.values import Volgverzoek

_FORM: Final = 1  # of the tables below
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (bron TEXT, form INTEGER);
CREATE TABLE IF NOT EXISTS record (
    soort TEXT, persoon TEXT, record_id TEXT, versie INTEGER, reach INTEGER, value BLOB, headers BLOB,
    published INTEGER DEFAULT 0, PRIMARY KEY (persoon, soort, record_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS followed (persoon TEXT PRIMARY KEY, versie INTEGER, vanaf TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    place INTEGER PRIMARY KEY AUTOINCREMENT, persoon TEXT, soort TEXT, record_id TEXT, UNIQUE (persoon, soort, record_id)
);
"""


class RegisterError(Exception):
    """The file cannot be used as this bron's register; the text names it and says why."""


class Outgoing(NamedTuple):
    """A mutatie in the outbox: the newest version of the record."""

    place: int
    soort: str
    persoon: str
    value: bytes
    headers: Headers


class Register:
    """The records of one bron in ``file``, which is made when absent, for its owner only. Raises RegisterError."""

    def __init__(self, file: Path, catalogue: Catalogue, bron: str) -> None:
        diensten = catalogue.diensten.values()
        self._asked = {d.dienst: {soort for soort in d.gevraagd if soort.split(".")[0] == bron} for d in diensten}
        # Nobody asks for what is a ground itself, nor a bron that filters itself: all of that goes out.
        self._unasked = {s for s in catalogue.mutatie_topics if catalogue.bron_of(s).filtert_zelf} | {
            soort for d in diensten for soort in (d.basisfeit.soort, *d.verzwegen) if soort not in d.gevraagd
        }
        try:
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(file, isolation_level=None)
            self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")  # FULL: a power cut loses nothing either
            self._prepare(file, bron)
        except (OSError, sqlite3.Error) as e:
            raise RegisterError(f"{file}: {getattr(e, 'strerror', None) or e}") from e

    def _prepare(self, file: Path, bron: str) -> None:
        self._db.executescript(_TABLES)
        with self.batch():
            self._db.execute("INSERT INTO meta SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM meta)", (bron, _FORM))
            owner, form = self._db.execute("SELECT bron, form FROM meta").fetchone()
        if (owner, form) != (bron, _FORM):
            self._db.close()
            raise RegisterError(f"{file}: holds the register of {owner} in form {form}; that of {bron} in form {_FORM} is needed")

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
        newer = self._db.execute(
            "INSERT INTO record (soort, persoon, record_id, versie, reach, value, headers) VALUES (?,?,?,?,?,?,?) "
            "ON CONFLICT DO UPDATE SET versie=excluded.versie, value=excluded.value, headers=excluded.headers, "
            "reach=max(reach, excluded.reach) WHERE excluded.versie > versie",
            row,
        ).rowcount
        further = self._db.execute(
            "UPDATE record SET reach=? WHERE persoon=? AND soort=? AND record_id=? AND reach<?",
            (mutatie.reach, mutatie.persoon, soort, mutatie.record_id, mutatie.reach),
        ).rowcount
        day = self._since(soort, mutatie.persoon)
        if day is not None and (newer or further):
            self._queue(mutatie.persoon, soort, day, mutatie.record_id)
        return bool(newer)

    def follow(self, persoon: str, asked: Volgverzoek) -> bool:
        """Take a volgverzoek and put the answer into the outbox; False when it is not newer. Call inside ``batch``."""
        vanaf: dict[str, int] = {}
        for volging in asked.volgt:
            for soort in self._asked.get(volging.dienst, ()):
                vanaf[soort] = min(volging.vanaf, vanaf.get(soort, volging.vanaf))
        changed = self._db.execute(
            "INSERT INTO followed VALUES (?,?,?) ON CONFLICT DO UPDATE SET versie=excluded.versie, vanaf=excluded.vanaf "
            "WHERE excluded.versie > versie",
            (persoon, asked.versie, msgspec.json.encode(vanaf).decode()),
        ).rowcount
        if changed:
            kept = msgspec.json.encode([*vanaf, *self._unasked]).decode()
            self._db.execute("DELETE FROM outbox WHERE persoon=? AND soort NOT IN (SELECT value FROM json_each(?))", (persoon, kept))
            for soort, day in vanaf.items():
                self._queue(persoon, soort, day, None)
        return bool(changed)

    def forget(self, persoon: str) -> bool:
        """Take that the node has erased a persoon: it asks for nothing, and holds nothing that was published. Call inside ``batch``."""
        followed = self._db.execute("DELETE FROM followed WHERE persoon=?", (persoon,)).rowcount
        if followed:
            kept = msgspec.json.encode([*self._unasked]).decode()
            self._db.execute("DELETE FROM outbox WHERE persoon=? AND soort NOT IN (SELECT value FROM json_each(?))", (persoon, kept))
            self._db.execute("UPDATE record SET published=0 WHERE persoon=?", (persoon,))
        return bool(followed)

    def compare(self, standing: Mapping[str, Volgverzoek | None]) -> None:
        """Take what the topic holds as a whole: who is not there was erased, and who is there in a lower versie. Call inside ``batch``."""
        for persoon, versie in self._db.execute("SELECT persoon, versie FROM followed").fetchall():
            asked = standing.get(persoon)
            if asked is None or asked.versie < versie:
                self.forget(persoon)
                if asked is not None:
                    self.follow(persoon, asked)

    def outgoing(self, most: int) -> list[Outgoing]:
        """What is to be published next, in the order of the outbox."""
        rows = self._db.execute(
            "SELECT place, soort, persoon, value, headers FROM outbox JOIN record USING (persoon, soort, record_id) ORDER BY place LIMIT ?",
            (most,),
        )
        return [Outgoing(place, soort, persoon, value, _unpack(headers)) for place, soort, persoon, value, headers in rows]

    def sent(self, mutaties: Sequence[Outgoing]) -> None:
        """Take what ``outgoing`` gave out of the outbox, now that it is acknowledged; what was queued again meanwhile stays."""
        with self.batch():
            self._db.execute("DELETE FROM outbox WHERE place <= ?", (mutaties[-1].place,))

    def waiting(self) -> int:
        """How many mutaties the outbox holds."""
        return int(self._db.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def _since(self, soort: str, persoon: str) -> int | None:
        """The first day that counts for the node; None when it does not follow the persoon in this soort."""
        if soort in self._unasked:
            return MIN_DAY - 1
        row = self._db.execute("SELECT vanaf FROM followed WHERE persoon=?", (persoon,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=dict[str, int]).get(soort)

    def _queue(self, persoon: str, soort: str, day: int, record_id: str | None) -> None:
        """Records that reach the followed days, and every record that was ever published: the node may still hold it."""
        found = "persoon=? AND soort=? AND (reach>=? OR published) AND (? IS NULL OR record_id=?)"
        which = (persoon, soort, day, record_id, record_id)
        self._db.execute(
            f"INSERT OR REPLACE INTO outbox (persoon, soort, record_id) SELECT persoon, soort, record_id FROM record WHERE {found}",  # noqa: S608
            which,
        )
        self._db.execute(f"UPDATE record SET published=1 WHERE {found}", which)  # noqa: S608


_pack = msgspec.msgpack.encode


def _unpack(data: bytes) -> Headers:
    return msgspec.msgpack.decode(data, type=Headers)
