"""What should stand, as SQL: one query for each pattern, made from the catalogue. Shares no code with the engine's core.

A record counts when the engine took it. The higher versie of a record wins, whatever the order; among equals the first. A persoon is
followed since the last time that it went from no live basisfeit to one: what came before was not kept, or was forgotten, unless its bron
filters itself, and has to come again as the answer to a volgverzoek.
"""

from collections.abc import Mapping
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from schemas.catalogue import Catalogue, Dienst, Feitsoort, feit_fields

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:samenloop:signaal").hex


def pattern_queries(catalogue: Catalogue) -> Mapping[str, str]:
    """Pattern → query over the views ``m<nummer>``, one of each soort; each gives signaal_id and all that the ontvanger is told."""
    found: dict[str, list[Dienst]] = {}
    for dienst in sorted(catalogue.diensten.values(), key=lambda d: d.nummer):
        found.setdefault(dienst.regel.patroon, []).append(dienst)
    return {pattern: _PATTERNS[pattern](catalogue, diensten) for pattern, diensten in found.items()}


def _samenloop(catalogue: Catalogue, diensten: list[Dienst]) -> str:
    """A basisfeit and a feit of one persoon that share at least one day."""
    used = {d.basisfeit.soort for d in diensten} | {f.soort for d in diensten for f in d.feiten}
    tables = [table for soort in sorted(used) for table in _live(catalogue, soort)]
    pairs = [_pairs(catalogue, d, f) for d in diensten for f in d.feiten]
    return f"WITH {', '.join(tables)}, paren AS ({' UNION ALL '.join(pairs)}) {_NAMED}"


_PATTERNS: Final = {"samenloop": _samenloop}


def _live(catalogue: Catalogue, soort: str) -> list[str]:
    """The tables ``leeft_<nummer>``, the records that stand, and where it matters ``sinds_<nummer>``, since when a persoon is followed."""
    nummer = catalogue.mutatie_topics[soort].nummer
    newest = 'QUALIFY row_number() OVER (PARTITION BY persoon, record_id ORDER BY versie DESC, beurt, "offset") = 1'
    is_basis = any(d.basisfeit.soort == soort for d in catalogue.diensten.values())
    if is_basis or catalogue.bron_of(soort).filtert_zelf:
        return [f"leeft_{nummer} AS (SELECT * FROM (SELECT * FROM m{nummer} {newest}) WHERE begindatum IS NOT NULL)"]
    bases = sorted({catalogue.mutatie_topics[d.basisfeit.soort].nummer for d in catalogue.diensten.values() if _uses(d, soort)})
    rows = " UNION ALL ".join(
        f'SELECT {b} AS soort, persoon, record_id, versie, beurt, "offset", begindatum IS NOT NULL AS leeft FROM m{b}' for b in bases
    )
    kept = f"SELECT m.* FROM m{nummer} m JOIN sinds_{nummer} s ON s.persoon = m.persoon WHERE m.beurt > s.beurt"
    return [
        f"sinds_{nummer} AS ({_since(rows)})",
        f"leeft_{nummer} AS (SELECT * FROM (SELECT * FROM ({kept}) {newest}) WHERE begindatum IS NOT NULL)",
    ]


def _uses(dienst: Dienst, soort: str) -> bool:
    return any(f.soort == soort for f in dienst.feiten)


def _since(basisfeiten: str) -> str:
    """When each persoon last went from no live basisfeit to one: only versions count that were higher than all before them."""
    record = 'PARTITION BY soort, persoon, record_id ORDER BY beurt, "offset"'
    taken = (
        f"SELECT * FROM ({basisfeiten}) QUALIFY versie > coalesce(max(versie) OVER "
        f"({record} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
    )
    steps = f"SELECT *, leeft::INT - coalesce(lag(leeft::INT) OVER ({record}), 0) AS stap FROM ({taken})"
    number = 'SELECT *, sum(stap) OVER (PARTITION BY persoon ORDER BY beurt, "offset" ROWS UNBOUNDED PRECEDING) AS aantal'
    return f"SELECT persoon, max(beurt) AS beurt FROM ({number} FROM ({steps})) WHERE aantal = 1 AND stap = 1 GROUP BY persoon"


def _pairs(catalogue: Catalogue, dienst: Dienst, feit: Feitsoort) -> str:
    basis = catalogue.mutatie_topics[dienst.basisfeit.soort].nummer
    topic = catalogue.mutatie_topics[feit.soort]
    fields = feit_fields(catalogue.latest_schema(topic.topic))
    listed = ", ".join(f"'{v.veld}', {_shown(v.veld, fields[v.veld]['type'])}" for v in feit.velden)
    return f"""SELECT '{dienst.dienst}' AS dienst,
        b.houder AS ontvanger, b.kenmerk, '{dienst.basisfeit.soort}' AS basissoort, b.record_id AS basisfeit,
        '{feit.soort}' AS feitsoort, f.record_id AS feit, greatest(b.begindatum, f.begindatum) AS eerste,
        least(b.einddatum, f.einddatum) AS laatste, json_object({listed})::VARCHAR AS gegevens
        FROM leeft_{basis} b JOIN leeft_{topic.nummer} f ON f.persoon = b.persoon
        WHERE b.begindatum <= coalesce(f.einddatum, b.begindatum) AND f.begindatum <= coalesce(b.einddatum, f.begindatum)"""


def _shown(name: str, avro: object) -> str:
    return f"(DATE '1970-01-01' + f.{name}::INT)::VARCHAR" if "date" in str(avro) else f"f.{name}"


_NAMED: Final = f"""
SELECT h[1:8] || '-' || h[9:12] || '-5' || h[14:16] || '-' || '89ab89ab89ab89ab'[('0x' || h[17])::INT + 1] || h[18:20] || '-' || h[21:32]
    AS signaal_id, * EXCLUDE (h, eerste, laatste),
    (DATE '1970-01-01' + eerste::INT)::VARCHAR AS begindatum, (DATE '1970-01-01' + laatste::INT)::VARCHAR AS einddatum
FROM (SELECT *, sha1(unhex('{_NAMESPACE}')
    || encode(concat_ws(chr(31), dienst, ontvanger, basissoort, basisfeit, feitsoort, feit))) AS h FROM paren)
"""
