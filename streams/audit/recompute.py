"""What should stand, as SQL: one query for each pattern, made from the catalogue. Shares no code with the engine's core.

A record counts when the engine took it. The higher versie of a record wins, whatever the order; among equals the first. A persoon is
followed since the last time that it went from no live basisfeit to one: what came before was not kept, or was forgotten, unless its bron
filters itself, and has to come again as the answer to a volgverzoek.
"""

from collections.abc import Callable, Mapping
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from schemas.catalogue import Catalogue, Dienst, Feitsoort, feit_fields
from streams.audit.recompute_basis import beeindiging, informatiepakket, ontbreken
from streams.audit.recompute_chains import beside, chained, feiten_of
from streams.audit.recompute_drempel import drempel
from streams.audit.recompute_known import known_pairs
from streams.audit.recompute_records import basis_of, counts, live, shown

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:samenloop:signaal").hex


def pattern_queries(catalogue: Catalogue) -> Mapping[str, str]:
    """Pattern → query over the views ``m<nummer>``, one of each soort; each gives signaal_id and all that the ontvanger is told."""
    found: dict[str, list[Dienst]] = {}
    for dienst in sorted(catalogue.diensten.values(), key=lambda d: d.nummer):
        found.setdefault(dienst.regel.patroon, []).append(dienst)
    return {pattern: _query(catalogue, diensten, _PATTERNS[pattern]) for pattern, diensten in found.items()}


def _query(catalogue: Catalogue, diensten: list[Dienst], pattern: Callable[[Catalogue, Dienst], str]) -> str:
    used = {part.soort for d in diensten for part in d.delen}
    tables = [table for soort in sorted(used) for table in live(catalogue, soort)]
    tables += [counts(catalogue, d) for d in diensten]
    tables += [table for d in diensten for table in chained(catalogue, d)]
    return f"WITH {', '.join(tables)}, gevonden AS ({' UNION ALL '.join(pattern(catalogue, d) for d in diensten)}) {_NAMED}"


def _samenloop(catalogue: Catalogue, dienst: Dienst) -> str:
    """A basisfeit and a feit of one persoon that share at least one day."""
    return " UNION ALL ".join(_pairs(catalogue, dienst, f) for f in dienst.feiten)


_PATTERNS: Final = {
    "samenloop": _samenloop,
    "ontbreken": ontbreken,
    "beeindiging": beeindiging,
    "drempel": drempel,
    "informatiepakket": informatiepakket,
}


def _pairs(catalogue: Catalogue, dienst: Dienst, feit: Feitsoort) -> str:
    topic = catalogue.mutatie_topics[feit.soort]
    fields, own = feit_fields(catalogue.latest_schema(topic.topic)), feit.soort == dienst.basisfeit.soort
    registered = {"houder": "f.geregistreerd"} if own else {}  # who has the dossier is another one after a merger
    listed = ", ".join(f"'{v.veld}', {registered.get(v.veld) or shown(v.veld, fields[v.veld]['type'])}" for v in feit.velden)
    known = known_pairs(catalogue, dienst, feit)
    return f"""SELECT '{dienst.dienst}' AS dienst,
        b.houder AS ontvanger, b.kenmerk, '{dienst.basisfeit.soort}' AS basissoort, b.record_id AS basisfeit,
        '{feit.soort}' AS feitsoort, f.record_id AS feit, greatest(b.begindatum, f.begindatum) AS eerste,
        least(b.einddatum, f.einddatum) AS laatste, json_object({listed})::VARCHAR AS gegevens
        FROM {basis_of(dienst)} b JOIN {feiten_of(catalogue, dienst, feit)} f ON {beside(feit)}
        WHERE b.begindatum <= coalesce(f.einddatum, b.begindatum) AND f.begindatum <= coalesce(b.einddatum, f.begindatum)
        {"AND f.houder <> b.houder" if own else ""} {known and f"AND (b.persoon, b.record_id, f.record_id) NOT IN ({known})"}"""


_NAMED: Final = f"""
SELECT h[1:8] || '-' || h[9:12] || '-5' || h[14:16] || '-' || '89ab89ab89ab89ab'[('0x' || h[17])::INT + 1] || h[18:20] || '-' || h[21:32]
    AS signaal_id, * EXCLUDE (h, eerste, laatste),
    (DATE '1970-01-01' + eerste::INT)::VARCHAR AS begindatum, (DATE '1970-01-01' + laatste::INT)::VARCHAR AS einddatum
FROM (SELECT *, sha1(unhex('{_NAMESPACE}')
    || encode(
        concat_ws(chr(31), dienst, ontvanger, basissoort, basisfeit, coalesce(feitsoort, ''), coalesce(feit, '')))) AS h FROM gevonden)
"""
