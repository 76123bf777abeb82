"""What the second opinion looks at, in SQL: the records that the engine took, what was said, and what can be wrong with either."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

from schemas.catalogue import Catalogue
from schemas.sources import AFHANDELINGEN
from streams.audit import recompute_held
from streams.audit.renumbered import renumber
from streams.audit.tables import GELEZEN, GENOMEN, GEWEIGERD, GEWIST, NUMMERS, OMSLAGEN, OVERGEGAAN, SIGNALEN, TIKKEN

_RECORD: Final = """{"soort": "VARCHAR", "record_id": "VARCHAR", "versie": "BIGINT", "begindatum": "VARCHAR", "einddatum": "VARCHAR",
    "topic": "VARCHAR", "partition": "BIGINT", "offset": "BIGINT"}"""
_SIGNAAL: Final = f"""{{"signaal_id": "VARCHAR", "versie": "BIGINT", "soort": "VARCHAR", "dienst": "VARCHAR", "ontvanger": "VARCHAR",
    "kenmerk": "VARCHAR", "regel": {{"patroon": "VARCHAR", "versie": "BIGINT"}}, "begindatum": "VARCHAR", "einddatum": "VARCHAR",
    "gegevens": "JSON", "basisfeit": {_RECORD}, "feit": {_RECORD}, "feiten": [{_RECORD}], "vervolg": [{_RECORD}],
    "oorzaak": {{"topic": "VARCHAR", "partition": "BIGINT", "offset": "BIGINT"}}}}"""
_PARTS: Final = ("basisfeit", "feit", "oorzaak")
_DAY_MS: Final = 86_400_000
_TURN: Final = """{'beurt': beurt, 'plek': "offset"}"""  # rises in the order in which the engine took records, also of one batch


def make(db: duckdb.DuckDBPyConnection, catalogues: Sequence[Catalogue], work: Path, known_on: int | None) -> None:
    """The tables in ``work`` and what is made of them by the last of ``catalogues``: ``m<nummer>`` of each soort, ``gezegd``, ``geldt``.

    ``known_on``: only what the bronnen had registered by then (milliseconds since the epoch) counts, and signals that cite nothing later.
    """
    catalogue = catalogues[-1]
    for table in (GENOMEN, OMSLAGEN, GELEZEN, GEWEIGERD, SIGNALEN, TIKKEN, AFHANDELINGEN, NUMMERS, OVERGEGAAN, GEWIST):
        db.execute(f"CREATE TABLE {table} AS SELECT * FROM read_parquet('{work / table}/*.parquet')")
    registered = "true" if known_on is None else f"registratietijd <= {known_on}"
    places, moments = [], []
    for topic in catalogue.mutatie_topics.values():
        n = topic.nummer
        db.execute(f"CREATE VIEW alle_{n} AS SELECT * FROM read_parquet('{work / str(n)}/*.parquet')")
        taken = f"(SELECT * FROM {GENOMEN} WHERE topic = '{topic.topic}') g ON g.partitie = m.partitie AND m.\"offset\" >= g.begin"
        db.execute(f'CREATE TABLE t{n} AS SELECT m.*, g.beurt FROM alle_{n} m ASOF JOIN {taken} WHERE m."offset" < g.einde')
    renumber(db, catalogue)
    db.execute(f"CREATE TABLE tk AS {_TICKED}")
    db.execute(f"CREATE TABLE levens AS {_ERASED}")
    for topic in catalogue.mutatie_topics.values():
        n = topic.nummer
        erased = "EXISTS (SELECT 1 FROM levens l WHERE l.persoon = t.persoon AND t.beurt < l.sinds)"
        db.execute(f"CREATE VIEW m{n} AS SELECT * FROM t{n} t WHERE {registered} AND NOT {erased}")
        columns = 'partitie, "offset", persoon, record_id, versie, begindatum, einddatum, registratietijd'
        places.append(f"SELECT '{topic.topic}' AS topic, {columns} FROM alle_{n}")
        turns = f"max({_TURN}) FILTER (WHERE {registered}) AS vroeg, min({_TURN}) FILTER (WHERE NOT ({registered})) AS laat"
        moments.append(f"SELECT '{topic.soort}' AS soort, partitie, persoon, record_id, {turns} FROM t{n} GROUP BY ALL")
    begun = "true" if known_on is None else f"datum * {_DAY_MS} <= {known_on}"
    db.execute(f"CREATE VIEW klokken AS SELECT partitie, max(datum) AS dag FROM tk WHERE {begun} GROUP BY partitie")
    _tell_of_catalogues(db, catalogues, begun)
    db.execute(f"CREATE VIEW adressen AS {_ADDRESSED}")
    db.execute(f"CREATE TABLE dossiers AS {_DOSSIERS}")
    turns = f"max({_TURN}) FILTER (WHERE {begun}) AS vroeg, min({_TURN}) FILTER (WHERE NOT ({begun})) AS laat"
    moments.append(f"SELECT 'klok' AS soort, partitie, NULL AS persoon, NULL AS record_id, {turns} FROM tk GROUP BY ALL")
    places.append(f"""SELECT 'klok' AS topic, partitie, "offset", NULL, NULL, NULL, NULL, NULL, datum * {_DAY_MS} FROM {TIKKEN}""")
    db.execute(f"CREATE VIEW plaatsen AS {' UNION ALL '.join(places)}")
    db.execute(f"CREATE {'VIEW' if known_on is None else 'TABLE'} beurten AS {' UNION ALL '.join(moments)}")
    db.execute(f"CREATE TABLE gezegd AS {_SAID if known_on is None else _known(known_on)}")
    db.execute(_EARLIER)
    db.execute(f"CREATE TABLE geldt AS {_STANDS}")
    db.execute(f"CREATE TABLE afgehandeld AS {_handled(registered)}")


def _tell_of_catalogues(db: duckdb.DuckDBPyConnection, catalogues: Sequence[Catalogue], begun: str) -> None:
    """How long which soorten are held; who ends and has an opvolger, what acts on pairs without being told, and what may go on as one."""
    recompute_held.make(db, catalogues, begun)
    catalogue = catalogues[-1]
    db.execute("CREATE TABLE opvolging (houder VARCHAR, tot INT, opvolger VARCHAR)")
    ended = [(o.id, (o.tot - date(1970, 1, 1)).days, o.opgegaan_in) for o in catalogue.ontvangers.values() if o.tot is not None]
    if ended:
        db.executemany("INSERT INTO opvolging VALUES (?, ?, ?)", ended)
    db.execute("CREATE TABLE verzwegen (dienst VARCHAR, soort VARCHAR)")
    gronden = {d.basisfeit.soort for d in catalogue.diensten.values()}  # whether a feit was kept follows from all of them
    db.executemany(
        "INSERT INTO verzwegen VALUES (?, ?)", [(d.dienst, s) for d in catalogue.diensten.values() for s in gronden.union(d.verzwegen)]
    )
    db.execute("CREATE TABLE gegroepeerd (dienst VARCHAR, soort VARCHAR)")
    grouped = [(d.dienst, f.soort) for d in catalogue.diensten.values() for f in d.feiten if f.groepeer]
    if grouped:
        db.executemany("INSERT INTO gegroepeerd VALUES (?, ?)", grouped)


_ADDRESSED: Final = """
WITH RECURSIVE stappen AS (
    SELECT k.partitie, k.dag, o.houder, o.opvolger FROM klokken k JOIN opvolging o ON o.tot <= k.dag
    UNION ALL
    SELECT s.partitie, s.dag, s.houder, o.opvolger FROM stappen s JOIN opvolging o ON o.houder = s.opvolger AND o.tot <= s.dag
)
SELECT partitie, houder, opvolger FROM stappen s
WHERE NOT EXISTS (SELECT 1 FROM opvolging o WHERE o.houder = s.opvolger AND o.tot <= s.dag)
"""
"""Of each houder that is no more on the day of the klok the ontvanger that is told in its place, step by step; NULL where nobody is."""

_DOSSIERS: Final = """
WITH RECURSIVE stappen AS (
    SELECT houder, opvolger FROM opvolging WHERE opvolger IS NOT NULL
    UNION ALL
    SELECT s.houder, o.opvolger FROM stappen s JOIN opvolging o ON o.houder = s.opvolger WHERE o.opvolger IS NOT NULL
)
SELECT houder, opvolger AS laatste FROM stappen s
WHERE NOT EXISTS (SELECT 1 FROM opvolging o WHERE o.houder = s.opvolger AND o.opvolger IS NOT NULL)
"""
"""Of each houder that ends the last that has its dossiers, on whatever day."""

_TICKED: Final = f"""
SELECT t.*, g.beurt FROM {TIKKEN} t ASOF JOIN (SELECT * FROM {GENOMEN} WHERE topic = 'klok') g
    ON g.partitie = t.partitie AND t."offset" >= g.begin WHERE t."offset" < g.einde
"""
"""The ticks that the engine took."""

_ERASED: Final = f"""
SELECT persoon, max(beurt) AS sinds FROM {GEWIST} g JOIN tk ON tk.partitie = g.partitie AND tk."offset" = g.tik GROUP BY persoon
"""
"""Of whom nothing was known any more, the last time that it was so: what came before is no longer known, what comes begins anew."""

_EARLIER: Final = """
UPDATE gezegd SET eerder = true WHERE EXISTS (
    SELECT 1 FROM plaatsen p JOIN levens l ON l.persoon = p.persoon
    WHERE p.topic = s.basisfeit.topic AND p.partitie = s.basisfeit.partition AND p."offset" = s.basisfeit."offset"
        AND gezegd.beurt < l.sinds
)
"""
"""What was said of somebody before that: it stands in its topic until that deletes it, and its versions are a row of their own."""

_SAID: Final = f"""
SELECT z.*, coalesce(s.oorzaak."offset" < g.einde, false) AS genomen, true AS bekend, g.beurt, false AS eerder FROM (
    SELECT *, from_json(TRY_CAST(TRY(decode(waarde)) AS JSON), '{_SIGNAAL}') AS s FROM {SIGNALEN}
) z ASOF LEFT JOIN (SELECT topic AS bron, partitie AS deel, begin, einde, beurt FROM {GENOMEN}) g
    ON g.bron = z.s.oorzaak.topic AND g.deel = z.s.oorzaak.partition AND z.s.oorzaak."offset" >= g.begin
"""
"""Every message of the ontvangers, and whether the verloop that is there reaches to its cause."""


def _known(moment: int) -> str:
    """The messages, and whether they cite nothing that was registered after a moment."""
    joins = " ".join(
        f'LEFT JOIN plaatsen {p} ON {p}.topic = s.{p}.topic AND {p}.partitie = s.{p}.partition AND {p}."offset" = s.{p}."offset"'
        for p in _PARTS
    )
    known = " AND ".join(f"coalesce({p}.registratietijd <= {moment}, true)" for p in _PARTS)
    known += f""" AND NOT EXISTS (SELECT 1 FROM plaatsen p WHERE p.registratietijd > {moment} AND list_contains(
        list_transform(coalesce(s.feiten, s.vervolg), lambda f: (f.topic, f.partition, f."offset")), (p.topic, p.partitie, p."offset")))"""
    return f"SELECT q.* EXCLUDE (bekend), {known} AS bekend FROM ({_SAID}) q {joins}"


_TOLD: Final = """
SELECT s.signaal_id AS signaal_id, s.dienst AS dienst, s.ontvanger AS ontvanger, s.kenmerk AS kenmerk, s.basisfeit.soort AS basissoort,
    s.basisfeit.record_id AS basisfeit, s.feit.soort AS feitsoort, s.feit.record_id AS feit,
    s.begindatum AS begindatum, s.einddatum AS einddatum, s.gegevens::VARCHAR AS gegevens
"""
_STANDS: Final = f"""{_TOLD}
FROM (
    SELECT s FROM gezegd WHERE genomen AND bekend AND NOT eerder
    QUALIFY row_number() OVER (PARTITION BY s.signaal_id ORDER BY s.versie DESC, topic, "offset") = 1
)
WHERE s.soort <> 'VERVALLEN'
"""


def _handled(registered: str) -> str:
    """What signals said in the versions that the engine took as handled."""
    taken = f"(SELECT * FROM {GENOMEN} WHERE topic = '{AFHANDELINGEN}') g ON g.partitie = a.partitie AND a.\"offset\" >= g.begin"
    mine = f'SELECT a.* FROM {AFHANDELINGEN} a ASOF JOIN {taken} WHERE a."offset" < g.einde AND {registered}'
    return f"""SELECT DISTINCT * FROM ({_TOLD} FROM gezegd JOIN ({mine}) a ON a.signaal_id = s.signaal_id AND a.versie = s.versie
        WHERE genomen AND bekend AND NOT eerder AND s.soort <> 'VERVALLEN')"""


NOT_TAKEN: Final = f"""
SELECT count(*) FROM {GELEZEN} r
LEFT JOIN (SELECT topic, partitie, max(einde) AS einde FROM {GENOMEN} GROUP BY ALL) g USING (topic, partitie)
WHERE r."offset" >= coalesce(g.einde, 0)
"""
HOLES: Final = f"""
SELECT topic, partitie, lag(einde) OVER (PARTITION BY topic, partitie ORDER BY beurt) AS vorige, begin FROM {GENOMEN}
QUALIFY vorige <> begin ORDER BY ALL
"""
COUNTS: Final = f"""
SELECT g.topic, g.partitie, g.begin, any_value(g.einde), any_value(g.records) AS zijn, count(r."offset") AS er
FROM {GENOMEN} g LEFT JOIN (
    SELECT r.*, g.begin FROM {GELEZEN} r ASOF JOIN {GENOMEN} g ON r.topic = g.topic AND r.partitie = g.partitie AND r."offset" >= g.begin
) r ON r.topic = g.topic AND r.partitie = g.partitie AND r.begin = g.begin AND r."offset" < g.einde
GROUP BY g.topic, g.partitie, g.begin HAVING zijn <> er ORDER BY ALL
"""
NO_SIGNALS: Final = (
    "SELECT topic || '-' || partitie || '@' || \"offset\" FROM gezegd WHERE s.signaal_id IS NULL OR s.versie IS NULL ORDER BY ALL"
)
ASTRAY: Final = """
SELECT topic || '-' || partitie || '@' || "offset", s.signaal_id, s.ontvanger FROM gezegd
WHERE topic <> 'signalen.' || s.ontvanger ORDER BY ALL
"""
DOUBLE: Final = f"""
WITH dubbel AS (
    SELECT s.signaal_id AS naam, s.versie AS versie FROM gezegd WHERE NOT eerder GROUP BY ALL HAVING count(DISTINCT waarde) > 1
),
gewisseld AS (SELECT persoon FROM {NUMMERS} UNION SELECT encode(nieuw) FROM {NUMMERS})
SELECT DISTINCT naam, versie FROM (
    SELECT d.naam, d.versie, w.persoon FROM dubbel d JOIN gezegd g ON g.s.signaal_id = d.naam AND g.s.versie = d.versie AND NOT g.eerder
    LEFT JOIN plaatsen p ON p.topic = g.s.basisfeit.topic AND p.partitie = g.s.basisfeit.partition AND p."offset" = g.s.basisfeit."offset"
    LEFT JOIN gewisseld w ON w.persoon = p.persoon
    GROUP BY ALL HAVING count(DISTINCT g.waarde) > 1
) ORDER BY ALL
"""
"""Versions with two contents.

Before a number changes, a persoon may be told of under both: each number then sends versions of its own, about a basisfeit of its own.
"""
GAPS: Final = """
SELECT s.signaal_id AS naam, max(s.versie) AS laatste, count(DISTINCT s.versie) AS er FROM gezegd WHERE NOT eerder GROUP BY ALL
HAVING laatste <> er ORDER BY ALL
"""
RULES: Final = """
SELECT s.dienst, s.regel.patroon, s.regel.versie, min(s.signaal_id) FROM gezegd WHERE s.signaal_id IS NOT NULL GROUP BY ALL ORDER BY ALL
"""
_CITATIONS: Final = """
SELECT s.signaal_id, s.versie, s.soort, 'basisfeit' AS deel, s.basisfeit AS r FROM gezegd UNION ALL
SELECT s.signaal_id, s.versie, s.soort, 'feit', s.feit FROM gezegd WHERE s.feiten IS NULL UNION ALL
SELECT s.signaal_id, s.versie, s.soort, 'feit', unnest(coalesce(s.feiten, s.vervolg)) FROM gezegd
"""
CITED: Final = f"""
SELECT DISTINCT signaal_id, c.versie, deel, r.topic || '-' || r.partition || '@' || r."offset" FROM ({_CITATIONS}) c
LEFT JOIN plaatsen p ON p.topic = r.topic AND p.partitie = r.partition AND p."offset" = r."offset"
WHERE signaal_id IS NOT NULL AND (p.record_id IS DISTINCT FROM r.record_id OR p.versie IS DISTINCT FROM r.versie
    OR c.soort <> 'VERVALLEN' AND ((DATE '1970-01-01' + p.begindatum::INT)::VARCHAR IS DISTINCT FROM r.begindatum
        OR (DATE '1970-01-01' + p.einddatum::INT)::VARCHAR IS DISTINCT FROM r.einddatum))
ORDER BY ALL
"""
LATE: Final = """
coalesce((SELECT max(vroeg) > min(laat) FROM beurten t
    WHERE (t.soort = coalesce(v.basissoort, g.basissoort) AND t.record_id = coalesce(v.basisfeit, g.basisfeit))
        OR (t.soort = coalesce(v.feitsoort, g.feitsoort) AND t.record_id = coalesce(v.feit, g.feit))
        OR (t.soort IN (SELECT soort FROM verzwegen w WHERE w.dienst = coalesce(v.dienst, g.dienst))
            AND EXISTS (SELECT 1 FROM beurten b WHERE b.soort = coalesce(v.basissoort, g.basissoort)
                AND b.record_id = coalesce(v.basisfeit, g.basisfeit) AND t.persoon = b.persoon))
        OR (t.soort IN (SELECT soort FROM gegroepeerd w WHERE w.dienst = coalesce(v.dienst, g.dienst)
                AND w.soort = coalesce(v.feitsoort, g.feitsoort))
            AND EXISTS (SELECT 1 FROM beurten b WHERE b.soort = coalesce(v.basissoort, g.basissoort)
                AND b.record_id = coalesce(v.basisfeit, g.basisfeit) AND t.persoon = b.persoon))
        OR (coalesce(v.feit, g.feit) IS NULL AND EXISTS (SELECT 1 FROM beurten b WHERE b.soort = coalesce(v.basissoort, g.basissoort)
            AND b.record_id = coalesce(v.basisfeit, g.basisfeit)
            AND (t.persoon = b.persoon OR t.soort = 'klok' AND t.partitie = b.partitie)))
        OR (t.soort = 'klok' AND (coalesce(v.feitsoort, g.feitsoort) = coalesce(v.basissoort, g.basissoort)
                OR coalesce(v.feitsoort, g.feitsoort) IN (FROM aangehouden)
                OR coalesce(v.ontvanger, g.ontvanger) IN (SELECT unnest([houder, opvolger]) FROM opvolging))
            AND EXISTS (SELECT 1 FROM beurten b WHERE b.soort = coalesce(v.basissoort, g.basissoort)
                AND b.record_id = coalesce(v.basisfeit, g.basisfeit) AND t.partitie = b.partitie))), false)
"""
"""Whether the engine took a version of a record that was registered by the moment after one that was registered later.

Of a signal about a pair count its two records, those of a soort that may go on as one with its feit, and what nobody is told of the
persoon: deaths, what was declared, and other basisfeiten, for which its feit was kept or not. Of one about a basisfeit count all of the
persoon, and the klok; this counts for a pair as well where an ontvanger ends or takes over, the feit has a houder who may, or is held.
"""
