"""The records that stand, as SQL: of each soort the newest versions that the engine took and may keep."""

from typing import Final

from schemas.catalogue import Catalogue, Dienst
from streams.audit.recompute_held import let_go


def live(catalogue: Catalogue, soort: str) -> list[str]:
    """The tables ``leeft_<nummer>``, the records that stand, and where it matters ``sinds_<nummer>``, since when a persoon is followed."""
    nummer = catalogue.mutatie_topics[soort].nummer
    newest = 'QUALIFY row_number() OVER (PARTITION BY persoon, record_id ORDER BY versie DESC, beurt, "offset") = 1'
    is_basis = any(d.basisfeit.soort == soort for d in catalogue.diensten.values())
    if is_basis:
        return [f"leeft_{nummer} AS ({_ADDRESSED.format(records=f'SELECT * FROM m{nummer} {newest}')})"]
    is_known = any(d.opgaven is not None and d.opgaven.soort == soort for d in catalogue.diensten.values())
    if is_known or catalogue.bron_of(soort).filtert_zelf:
        return [f"leeft_{nummer} AS ({_standing(catalogue, soort, f'SELECT * FROM m{nummer}', newest)})"]
    bases = sorted({catalogue.mutatie_topics[d.basisfeit.soort].nummer for d in catalogue.diensten.values() if soort in d.gevraagd})
    rows = " UNION ALL ".join(
        f'SELECT {b} AS soort, persoon, record_id, versie, beurt, "offset", begindatum IS NOT NULL AS leeft FROM m{b}' for b in bases
    )
    kept = f"SELECT m.* FROM m{nummer} m JOIN sinds_{nummer} s ON s.persoon = m.persoon WHERE m.beurt > s.beurt"
    return [
        f"sinds_{nummer} AS ({_since(rows)})",
        f"leeft_{nummer} AS ({_standing(catalogue, soort, kept, newest)})",
    ]


def _standing(catalogue: Catalogue, soort: str, kept: str, newest: str) -> str:
    """The newest versions that are no withdrawal; of a bron whose records are held those whose time is over on the day of the klok."""
    standing = f"SELECT * FROM (SELECT * FROM ({kept}) {newest}) WHERE begindatum IS NOT NULL"
    if catalogue.bron_of(soort).aanhouden is None:
        return standing
    return f"{standing} AND (persoon, record_id) IN ({let_go(soort, kept)})"


_ADDRESSED: Final = """
SELECT b.* REPLACE (CASE WHEN a.houder IS NULL THEN b.houder ELSE a.opvolger END AS houder), b.houder AS geregistreerd
FROM ({records}) b LEFT JOIN adressen a ON a.partitie = b.partitie AND a.houder = b.houder
WHERE b.begindatum IS NOT NULL AND (a.houder IS NULL OR a.opvolger IS NOT NULL)
"""
"""The basisfeiten that stand, each with the ontvanger that is told of it on the day of the klok; not those of which nobody is."""


def counts(catalogue: Catalogue, dienst: Dienst) -> str:
    """The table ``telt_<nummer>``: the basisfeiten of a dienst up to and including ``slot``, the first day that ends them."""
    basis = catalogue.mutatie_topics[dienst.basisfeit.soort].nummer
    days = " UNION ALL ".join(f"SELECT persoon, begindatum FROM leeft_{catalogue.mutatie_topics[s].nummer}" for s in dienst.einden)
    if not days:
        return f"{basis_of(dienst)} AS (SELECT *, NULL::BIGINT AS slot FROM leeft_{basis})"
    return f"""{basis_of(dienst)} AS (SELECT b.* REPLACE (least(b.einddatum, e.slot) AS einddatum), e.slot
        FROM leeft_{basis} b LEFT JOIN (SELECT persoon, min(begindatum) AS slot FROM ({days}) GROUP BY persoon) e ON e.persoon = b.persoon
        WHERE coalesce(b.begindatum <= e.slot, true))"""


def basis_of(dienst: Dienst) -> str:
    """The name of that table."""
    return f"telt_{dienst.nummer}"


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


def shown(name: str, avro: object) -> str:
    """A field of the feit ``f`` as an ontvanger is told it."""
    return f"(DATE '1970-01-01' + f.{name}::INT)::VARCHAR" if "date" in str(avro) else f"f.{name}"
