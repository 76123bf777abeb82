"""Whether the signals that stand are those that the records and the published rules give, worked out by DuckDB from an archive."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import duckdb

from schemas.catalogue import Catalogue
from schemas.sources import overdrachten_topic
from streams.audit import views
from streams.audit.archive import Archive
from streams.audit.manifest import ArchiveError
from streams.audit.recompute import pattern_queries
from streams.audit.tables import GEWEIGERD, Tables

TOLD: Final = (  # what the records must give and the topic must say
    "dienst", "ontvanger", "kenmerk", "basissoort", "basisfeit", "feitsoort", "feit", "begindatum", "einddatum", "gegevens",
)  # fmt: skip


class AsOf(NamedTuple):
    """What is asked for: everything, unless a moment or a day is given."""

    known_on: int | None = None  # only what the bronnen had registered by then, milliseconds since the epoch
    about: str | None = None  # only what holds on this day, ISO 8601


class Finding(NamedTuple):
    """Something that is not as it has to be."""

    soort: str
    waar: str  # signaal_id, or a place in the archive
    tekst: str
    records: dict[str, Any] | None = None  # what follows from the records
    topic: dict[str, Any] | None = None  # what stands on the topic of the ontvanger


@dataclass
class Opinion:
    """The result."""

    mutaties: int
    signalen: int  # messages
    geweigerd: int
    niet_genomen: int  # records that came behind what the engine had taken
    geldend: int  # signals that stand
    seconds: dict[str, float]  # wall-clock time of each stage
    findings: list[Finding] = field(default_factory=list)
    volgorde: list[Finding] = field(default_factory=list)  # as known on a moment: differences that the order of arrival accounts for


def second_opinion(
    archive: Archive,
    catalogues: Sequence[Catalogue],
    toepassing: str,
    as_of: AsOf = AsOf(),  # noqa: B008 - it cannot change
    told: Callable[[int, int], None] = lambda _done, _of: None,
) -> Opinion:
    """Judge ``archive`` by the last of ``catalogues``, those that were in force; ``told`` hears of each file. Raises ArchiveError."""
    catalogue = catalogues[-1]
    if as_of.known_on is not None and archive.partitions(overdrachten_topic(toepassing)):
        raise ArchiveError("personen got another number: what was known on a moment is not followed through that; ask without a moment")
    with TemporaryDirectory(prefix="samenloop-verify-") as work:
        begin = time.monotonic()
        loaded = Tables(archive, catalogue, toepassing, Path(work)).load(told)
        with duckdb.connect() as db:
            views.make(db, catalogues, Path(work), as_of.known_on)
            read = time.monotonic()
            for pattern, query in pattern_queries(catalogue).items():
                db.execute(f"CREATE TABLE volgt_{pattern} AS {query}")
            db.execute("CREATE VIEW volgt AS " + " UNION ALL ".join(f"SELECT * FROM volgt_{p}" for p in pattern_queries(catalogue)))
            worked = time.monotonic()
            opinion = Opinion(
                mutaties=loaded.mutaties,
                signalen=loaded.signalen,
                geweigerd=_number(db, f"SELECT count(*) FROM {GEWEIGERD}"),
                niet_genomen=_number(db, views.NOT_TAKEN),
                geldend=_number(db, f"SELECT count(*) FROM geldt WHERE {_holds(as_of.about)}"),
                seconds={"lezen": read - begin, "rekenen": worked - read},
            )
            unreadable = (Finding("ONLEESBAAR", str(p), "not what its schema says, and not in quarantine") for p in loaded.unreadable)
            opinion.findings += [*unreadable, *_of_the_log(db), *_of_the_topics(db), *_of_the_rules(db, catalogues), *_of_the_citations(db)]
            for finding, late in _of_the_signals(db, as_of):
                (opinion.volgorde if late else opinion.findings).append(finding)
            opinion.seconds["vergelijken"] = time.monotonic() - worked
    return opinion


def _number(db: duckdb.DuckDBPyConnection, query: str) -> int:
    row = db.execute(query).fetchone()
    return 0 if row is None else int(row[0])


def _of_the_log(db: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """Whether all is there that the engine took."""
    for topic, partition, before, begin in db.execute(views.HOLES).fetchall():
        yield Finding("VERLOOP_GAT", f"{topic}-{partition}@{before}", f"the verloop does not say what was taken up to offset {begin}")
    for topic, partition, begin, end, were, are in db.execute(views.COUNTS).fetchall():
        what = "RECORD_ONTBREEKT" if are < were else "RECORD_TE_VEEL"
        yield Finding(what, f"{topic}-{partition}@{begin}", f"the engine took {were} records before offset {end}, the archive has {are}")


def _of_the_topics(db: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    """What can be seen from the topics of the ontvangers alone."""
    for (place,) in db.execute(views.NO_SIGNALS).fetchall():
        yield Finding("ONLEESBAAR", place, "this is no signal")
    for place, name, ontvanger in db.execute(views.ASTRAY).fetchall():
        yield Finding("VERKEERD_TOPIC", name, f"{place} is meant for {ontvanger}")
    for name, versie in db.execute(views.DOUBLE).fetchall():
        yield Finding("TWEE_INHOUDEN", name, f"versie {versie} stands with different contents")
    for name, last, there in db.execute(views.GAPS).fetchall():
        yield Finding("VERSIE_ONTBREEKT", name, f"the last versie is {last}, and there are {there}")


def _of_the_rules(db: duckdb.DuckDBPyConnection, catalogues: Sequence[Catalogue]) -> Iterator[Finding]:
    known = {(d.dienst, d.regel.patroon, d.regel.versie) for c in catalogues for d in c.diensten.values()}
    for dienst, patroon, versie, name in db.execute(views.RULES).fetchall():
        if (dienst, patroon, versie) not in known:
            yield Finding("REGEL_ONBEKEND", name, f"no catalogue that was in force has {patroon} version {versie} for {dienst}")


def _of_the_citations(db: duckdb.DuckDBPyConnection) -> Iterator[Finding]:
    for name, versie, part, place in db.execute(views.CITED).fetchall():
        yield Finding("BEWIJS_ANDERS", name, f"{place} is not the {part} that versie {versie} says")


def _holds(day: str | None) -> str:
    """A condition on a signal: that its days include ``day``, which is a day and nothing else."""
    return "true" if day is None else f"begindatum <= '{day}' AND coalesce(einddatum >= '{day}', true)"


def _of_the_signals(db: duckdb.DuckDBPyConnection, as_of: AsOf) -> Iterator[tuple[Finding, bool]]:
    """What the records give beside what stands, and whether the order of arrival accounts for it.

    What an ontvanger reported as handled need not stand again when it was withdrawn and the records give the same once more.
    """
    holds = _holds(as_of.about)
    late = "false" if as_of.known_on is None else views.LATE
    query = f"""
    WITH anders AS (
        SELECT coalesce(v.signaal_id, g.signaal_id) AS naam, v.signaal_id IS NOT NULL, g.signaal_id IS NOT NULL AS staat, {late},
            {", ".join(f"v.{c} AS v_{c}" for c in TOLD)}, {", ".join(f"g.{c}" for c in TOLD)}
        FROM (SELECT * FROM volgt WHERE {holds}) v FULL JOIN (SELECT * FROM geldt WHERE {holds}) g USING (signaal_id)
        WHERE v.signaal_id IS NULL OR g.signaal_id IS NULL OR {" OR ".join(f"v.{c} IS DISTINCT FROM g.{c}" for c in TOLD)}
    )
    SELECT * FROM anders WHERE staat OR NOT EXISTS (
        SELECT 1 FROM afgehandeld a WHERE a.signaal_id = naam AND {" AND ".join(f"a.{c} IS NOT DISTINCT FROM v_{c}" for c in TOLD)}
    ) ORDER BY ALL
    """
    for name, follows, stands, is_late, *columns in db.execute(query).fetchall():
        records = dict(zip(TOLD, columns[: len(TOLD)], strict=True)) if follows else None
        topic = dict(zip(TOLD, columns[len(TOLD) :], strict=True)) if stands else None
        yield _difference(name, records, topic), is_late


def _difference(name: str, records: dict[str, Any] | None, topic: dict[str, Any] | None) -> Finding:
    if topic is None:
        return Finding("ONTBREEKT", name, "it follows from the records, and does not stand on the topic", records, None)
    if records is None:
        return Finding("ONVERKLAARD", name, "it stands on the topic, and does not follow from the records", None, topic)
    other = ", ".join(c for c in TOLD if records[c] != topic[c])
    return Finding("ANDERS", name, f"the records give another {other}", records, topic)
