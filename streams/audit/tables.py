"""An archive as tables: Parquet files of what the engine took, refused and said, for DuckDB to read."""

import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import fastavro
import polars as pl

from schemas.catalogue import Catalogue, Schema, Topic, feit_fields
from schemas.quarantine import QUARANTAINE, Refused, read_headers
from schemas.sources import AFHANDELINGEN, KLOK, NUMMERWIJZIGINGEN, OVERDRACHTEN, overdrachten_topic
from schemas.values import Place
from schemas.verloop import Verloop, decode_verloop, verloop_topic
from streams.audit.archive import Archive
from streams.audit.bodies import UnreadableError, columns_of
from streams.audit.manifest import ArchiveError, RowsFile, read_verified
from streams.audit.rows import Row, frame_in

GENOMEN: Final = "genomen"  # runs of records that the engine took, from its verloop
OMSLAGEN: Final = "omslagen"  # its switches, each with the catalogue that was in force until then
TIKKEN: Final = "tikken"  # of the klok
GELEZEN: Final = "gelezen"  # every record of a source topic
GEWEIGERD: Final = "geweigerd"  # the places of those in quarantine
SIGNALEN: Final = "signalen"
NUMMERS: Final = "nummers"  # nummerwijzigingen
GEWIST: Final = "gewist"  # who was erased, and because of which tick
OVERGEGAAN: Final = "overgegaan"  # what went from one persoon to another, and because of what
_FRAMING: Final = 5  # bytes: a zero, and the schema id
_PLACE: Final = {"topic": pl.String, "partitie": pl.Int64, "offset": pl.Int64}
_SWITCHED: Final = {"partitie": pl.Int64, "beurt": pl.Int64, "van": pl.String}
_TAKEN: Final = {
    "topic": pl.String,
    "partitie": pl.Int64,
    "begin": pl.Int64,
    "einde": pl.Int64,
    "records": pl.Int64,
    "beurt": pl.Int64,  # rises in the order in which the engine took them
}
_TICK: Final[Mapping[str, Any]] = {"partitie": pl.Int64, "offset": pl.Int64, "datum": pl.Int64}  # days since the epoch
_AFHANDELING: Final[Mapping[str, Any]] = {
    "partitie": pl.Int64,
    "offset": pl.Int64,
    "signaal_id": pl.String,
    "versie": pl.Int64,
    "registratietijd": pl.Int64,
}
_NUMMER: Final[Mapping[str, Any]] = {
    "partitie": pl.Int64,
    "offset": pl.Int64,
    "persoon": pl.Binary,
    "versie": pl.Int64,
    "nieuw": pl.String,
}
_OVER: Final = _PLACE | {"persoon": pl.Binary, "deel": pl.Int64, "oorzaak": pl.String, "deling": pl.Int64, "plek": pl.Int64}
_ERASED: Final = {"partitie": pl.Int64, "persoon": pl.Binary, "tik": pl.Int64}  # the offset of the tick
_MUTATIE: Final = {
    "partitie": pl.Int64,
    "offset": pl.Int64,
    "persoon": pl.Binary,
    "record_id": pl.String,
    "versie": pl.Int64,
    "registratietijd": pl.Int64,  # milliseconds since the epoch
    "begindatum": pl.Int64,  # days since the epoch; null: withdrawn
    "einddatum": pl.Int64,
}


class Loaded(NamedTuple):
    """What one file, or all of them, came to."""

    mutaties: int = 0
    signalen: int = 0
    unreadable: tuple[Place, ...] = ()  # mutaties and ticks that are not what their schema says, and not in quarantine either


class Tables:
    """Makes the tables of an archive in a folder: one of each soort, by its nummer, and those above."""

    def __init__(self, archive: Archive, catalogue: Catalogue, toepassing: str, work: Path) -> None:
        self._archive = archive
        self._catalogue = catalogue
        self._toepassing = toepassing
        self._work = work
        self._refused: dict[tuple[str, int], list[int]] = {}
        self._switches: list[tuple[int, int, str]] = []

    def load(self, told: Callable[[int, int], None] = lambda _done, _of: None) -> Loaded:
        """Read everything; ``told`` hears how many files are done, and of how many. Raises ArchiveError."""
        refused = list(self._refusals())
        for place in refused:
            self._refused.setdefault((place.topic, place.partition), []).append(place.offset)
        self._write(GEWEIGERD, "", pl.DataFrame(refused, _PLACE, orient="row"))
        self._write(GENOMEN, "", pl.DataFrame(list(self._taken()), _TAKEN, orient="row"))
        self._write(OMSLAGEN, "", pl.DataFrame(self._switches, _SWITCHED, orient="row"))
        self._write(GELEZEN, "", pl.DataFrame(schema=_PLACE))
        self._write(SIGNALEN, "", pl.DataFrame(schema=_PLACE | {"waarde": pl.Binary}))
        jobs = [partial(self._signalen, f) for name in self._archive.topics if name.startswith("signalen.") for f in self._files(name)]
        self._write(TIKKEN, "", pl.DataFrame(schema=_TICK))
        jobs += [partial(self._plain, f, TIKKEN, _TICK) for f in self._files(KLOK)]
        self._write(AFHANDELINGEN, "", pl.DataFrame(schema=_AFHANDELING))
        jobs += [partial(self._plain, f, AFHANDELINGEN, _AFHANDELING) for f in self._files(AFHANDELINGEN)]
        self._write(NUMMERS, "", pl.DataFrame(schema=_NUMMER))
        jobs += [partial(self._plain, f, NUMMERS, _NUMMER) for f in self._files(NUMMERWIJZIGINGEN)]
        self._write(OVERGEGAAN, "", pl.DataFrame(schema=_OVER))
        jobs += [partial(self._handed_over, f) for f in self._files(overdrachten_topic(self._toepassing))]
        self._write(GEWIST, "", pl.DataFrame(schema=_ERASED))
        jobs += [partial(self._erased, f) for name in self._archive.topics if name.startswith("volgverzoeken.") for f in self._files(name)]
        for topic in self._catalogue.mutatie_topics.values():
            self._write(str(topic.nummer), "", pl.DataFrame(schema=_MUTATIE | self._kept(topic)))
            jobs += [partial(self._mutaties, topic, f) for f in self._files(topic.topic)]
        done: list[Loaded] = []
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for one in pool.map(lambda job: job(), jobs):
                done.append(one)
                told(len(done), len(jobs))
        return Loaded(sum(d.mutaties for d in done), sum(d.signalen for d in done), tuple(p for d in done for p in d.unreadable))

    def _files(self, topic: str) -> list[RowsFile]:
        return [f for p in self._archive.partitions(topic) for f in self._archive.files_of(topic, p)]

    def _refusals(self) -> Iterator[Place]:
        for partition in self._archive.partitions(QUARANTAINE):
            for row in self._archive.rows(QUARANTAINE, partition):
                said = read_headers(row.headers)
                if isinstance(said, Refused):
                    yield said.place

    def _taken(self) -> Iterator[tuple[Any, ...]]:
        topic = verloop_topic(self._toepassing)
        for partition in self._archive.partitions(topic):
            beurt = switched = 0
            for row in self._archive.rows(topic, partition):
                verloop = _verloop(topic, partition, row)
                for t in verloop.genomen:
                    yield t.topic, partition, t.begin, t.end, t.records, beurt
                    beurt += 2 * max(1, t.end - t.begin)  # room for a place of its own for each record, and behind it
                if verloop.omslag is not None:  # signals name that row as their cause
                    yield topic, partition, switched, row.offset + 1, 0, beurt
                    self._switches.append((partition, beurt, verloop.omslag.van))
                    switched = row.offset + 1
                    beurt += 1

    def _write(self, table: str, name: str, rows: pl.DataFrame) -> None:
        folder = self._work / table
        folder.mkdir(exist_ok=True)
        rows.write_parquet(folder / f"{name}.parquet", compression="uncompressed")

    def _read(self, file: RowsFile, columns: Sequence[str]) -> pl.DataFrame:
        return frame_in(read_verified(self._archive.folder, file), file, list(columns))

    def _signalen(self, file: RowsFile) -> Loaded:
        rows = self._read(file, ["offset", "value"])
        self._write(SIGNALEN, _name(file), _placed(file, rows).with_columns(waarde=rows["value"]))
        return Loaded(signalen=rows.height)

    def _erased(self, file: RowsFile) -> Loaded:
        """The nulls among volgverzoeken: each is named after the tick that made it."""
        nulls = self._read(file, ["key", "value", "headers"]).filter(pl.col("value").is_null())
        headers = [{h["key"]: h["value"] for h in found} for found in nulls["headers"].to_list()]
        ticks = [(h.get("ce_id") or b"").rpartition(b":")[2] for h in headers]
        rows = [(file.partition, key, int(tick)) for key, tick in zip(nulls["key"], ticks, strict=True) if tick.isdigit()]
        self._write(GEWIST, _name(file), pl.DataFrame(rows, _ERASED, orient="row"))
        return Loaded()

    def _plain(self, file: RowsFile, table: str, columns: Mapping[str, Any]) -> Loaded:
        """The records of a topic with one schema, whose fields are the columns."""
        rows = self._read(file, ["offset", "key", "value"])
        self._write(GELEZEN, _name(file), _placed(file, rows))
        schema = self._catalogue.latest_schema(file.topic)
        taken = rows.filter(~pl.col("offset").is_in(self._refused.get((file.topic, file.partition), [])))
        good = [v is not None and v[:_FRAMING] == _framing(schema.id) and _readable(schema, v) for v in taken["value"]]
        plain = taken.filter(pl.Series(good, dtype=pl.Boolean))
        if plain.height:
            fields = columns_of(schema.definitie, plain["value"].bin.slice(_FRAMING).to_list())
            self._write(
                table,
                _name(file),
                _placed(file, plain)
                .drop("topic")
                .with_columns(persoon=plain["key"])
                .hstack(fields)
                .select(list(columns))
                .cast(pl.Schema(columns)),
            )
        unreadable = [offset for offset, fits in zip(taken["offset"], good, strict=True) if not fits]
        return Loaded(unreadable=tuple(Place(file.topic, file.partition, o) for o in unreadable))

    def _handed_over(self, file: RowsFile) -> Loaded:
        """What went over; there is little of it."""
        rows = self._read(file, ["offset", "key", "value"])
        self._write(GELEZEN, _name(file), _placed(file, rows))
        schemas = [self._catalogue.schemas[ref.id] for ref in self._catalogue.topics[OVERDRACHTEN].schemas]
        refused, found, unreadable = self._refused.get((file.topic, file.partition), []), list[tuple[Any, ...]](), list[Place]()
        for offset, key, value in rows.filter(~pl.col("offset").is_in(refused)).iter_rows():
            schema = next((s for s in schemas if value is not None and value[:_FRAMING] == _framing(s.id)), None)
            if schema is None or not _readable(schema, value):
                unreadable.append(Place(file.topic, file.partition, offset))
                continue
            said: Any = fastavro.schemaless_reader(io.BytesIO(value[_FRAMING:]), fastavro.parse_schema(dict(schema.definitie)), None)
            cause = said["oorzaak"]
            found.append((file.topic, file.partition, offset, key, said["deel"], cause["topic"], cause["partition"], cause["offset"]))
        self._write(OVERGEGAAN, _name(file), pl.DataFrame(found, _OVER, orient="row"))
        return Loaded(unreadable=tuple(unreadable))

    def _mutaties(self, topic: Topic, file: RowsFile) -> Loaded:
        rows = self._read(file, ["offset", "key", "value"])
        self._write(GELEZEN, _name(file), _placed(file, rows))
        taken = rows.filter(~pl.col("offset").is_in(self._refused.get((file.topic, file.partition), [])))
        framing = pl.col("value").bin.head(_FRAMING)
        known = pl.any_horizontal([framing == pl.lit(_framing(ref.id)) for ref in topic.schemas])
        unreadable = taken.filter(~known.fill_null(value=False))["offset"].to_list()
        for ref in topic.schemas:
            mine = taken.filter(framing == pl.lit(_framing(ref.id)))
            if mine.height:
                unreadable += self._decoded(self._catalogue.schemas[ref.id], topic, file, mine)
        return Loaded(mutaties=rows.height, unreadable=tuple(Place(file.topic, file.partition, o) for o in sorted(unreadable)))

    def _decoded(self, schema: Schema, topic: Topic, file: RowsFile, rows: pl.DataFrame) -> list[int]:
        """Write the mutaties of one schema; the offsets of those that cannot be read."""
        bad: list[int] = []
        try:
            columns = columns_of(schema.definitie, rows["value"].bin.slice(_FRAMING).to_list())
        except UnreadableError:
            bad = [offset for offset, value in zip(rows["offset"], rows["value"], strict=True) if not _readable(schema, value)]
            rows = rows.filter(~pl.col("offset").is_in(bad))
            columns = columns_of(schema.definitie, rows["value"].bin.slice(_FRAMING).to_list())
        if not rows.height:
            return bad
        feit = columns["feit"].struct.unnest()
        table = pl.DataFrame({"offset": rows["offset"], "persoon": rows["key"]}).hstack(columns.drop("feit")).hstack(feit)
        kept = self._kept(topic)
        table = table.with_columns(pl.lit(file.partition).alias("partitie"), *_symbols(schema, kept))
        missing = [pl.lit(None).alias(n) for n in kept if n not in table.columns]  # in an older schema
        types = _MUTATIE | kept
        self._write(str(topic.nummer), f"{_name(file)}.{schema.id}", table.with_columns(missing).select(list(types)).cast(types))
        return bad

    def _kept(self, topic: Topic) -> dict[str, Any]:
        """The fields of the feit that some dienst lists, and their types."""
        diensten = self._catalogue.diensten.values()
        listed = {v.veld for d in diensten for part in d.delen if part.soort == topic.soort for v in part.velden}
        fields = feit_fields(self._catalogue.latest_schema(topic.topic))
        return {n: _type(f["type"]) for n, f in fields.items() if n in listed and n not in _MUTATIE}


def catalogues_in_force(archive: Archive, toepassing: str) -> list[Catalogue]:
    """The catalogues under which the engine took records, the last one at the end; raises ArchiveError."""
    topic = verloop_topic(toepassing)
    last: dict[str, int] = {}
    for partition in archive.partitions(topic):
        for row in archive.rows(topic, partition):
            version = _verloop(topic, partition, row).catalogus
            last[version] = max(last.get(version, 0), row.timestamp)
    if not last:
        raise ArchiveError(f"the archive has no {topic}: what the engine took, and in which order, is not known")
    return [archive.catalogue(version) for version in sorted(last, key=lambda v: last[v])]


def _verloop(topic: str, partition: int, row: Row) -> Verloop:
    try:
        return decode_verloop(row.value)
    except ValueError as e:
        raise ArchiveError(f"{topic}-{partition}@{row.offset}: {e}") from e


def _type(avro: Any) -> Any:  # noqa: ANN401 - Avro schemas are plain JSON
    text = str(avro)
    return pl.Boolean if "boolean" in text else pl.String if "string" in text or "enum" in text else pl.Int64


def _symbols(schema: Schema, kept: dict[str, Any]) -> Iterator[pl.Expr]:
    """Enums from the number of their symbol to its name."""
    for name, definition in feit_fields(schema).items():
        types = definition["type"] if isinstance(definition["type"], list) else [definition["type"]]
        for enum in (t for t in types if isinstance(t, dict) and t.get("type") == "enum"):
            if name in kept:
                yield pl.col(name).replace_strict(dict(enumerate(enum["symbols"])), return_dtype=pl.String)


def _name(file: RowsFile) -> str:
    return f"{file.topic}.{file.partition}.{file.first}"


def _placed(file: RowsFile, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.lit(file.topic).alias("topic"), pl.lit(file.partition, pl.Int64).alias("partitie"), "offset")


def _framing(schema_id: int) -> bytes:
    return b"\0" + schema_id.to_bytes(4, "big")


def _readable(schema: Schema, value: bytes) -> bool:
    try:
        source = io.BytesIO(value[_FRAMING:])
        fastavro.schemaless_reader(source, fastavro.parse_schema(dict(schema.definitie)), None)
    except Exception:  # noqa: BLE001 - whatever a hostile body makes of the reader, it is the body's fault
        return False
    return not source.read(1)
