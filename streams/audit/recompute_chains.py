"""Feiten that go on as one, as SQL: gaps and islands over the records that stand. Shares no code with the engine's core."""

from typing import Final

from schemas.catalogue import Catalogue, Dienst, Feitsoort
from streams.audit.recompute_records import basis_of

_NEVER: Final = 1_000_000  # a day behind all that can be registered


def feiten_of(catalogue: Catalogue, dienst: Dienst, feit: Feitsoort) -> str:
    """The name of the table with the feiten of a soort as they count for a dienst."""
    nummer = catalogue.mutatie_topics[feit.soort].nummer
    return f"keten_{dienst.nummer}_{nummer}" if feit.groepeer else f"leeft_{nummer}"


def chained(catalogue: Catalogue, dienst: Dienst) -> list[str]:
    """Of each soort that a dienst groups that table: beside each basisfeit, ``grond``, of every island of days the first record.

    It stands there up to the last day of the island. Only records that share a day with the basisfeit are looked at.
    """
    tables = []
    for feit in dienst.feiten:
        if feit.groepeer:
            alike = ", ".join(("persoon", "grond", *feit.groepeer))
            order = f"PARTITION BY {alike} ORDER BY begindatum, record_id ROWS BETWEEN UNBOUNDED PRECEDING AND"
            tot = f"coalesce(einddatum, {_NEVER})"
            shared = f"""SELECT f.*, b.record_id AS grond FROM {basis_of(dienst)} b
                JOIN leeft_{catalogue.mutatie_topics[feit.soort].nummer} f ON f.persoon = b.persoon
                WHERE b.begindatum <= coalesce(f.einddatum, b.begindatum) AND f.begindatum <= coalesce(b.einddatum, f.begindatum)"""
            before = f"SELECT *, max({tot}) OVER ({order} 1 PRECEDING) AS vorige FROM ({shared})"
            number = f"SELECT *, count(*) FILTER (coalesce(begindatum > vorige + 1, true)) OVER ({order} CURRENT ROW) AS eiland"
            island = f"PARTITION BY {alike}, eiland"
            tables.append(f"""{feiten_of(catalogue, dienst, feit)} AS (
                SELECT * EXCLUDE (vorige, eiland) REPLACE (nullif(max({tot}) OVER ({island}), {_NEVER}) AS einddatum)
                FROM ({number} FROM ({before})) QUALIFY row_number() OVER ({island} ORDER BY begindatum, record_id) = 1)""")
    return tables


def beside(feit: Feitsoort) -> str:
    """When a feit ``f`` of that table is looked at beside a basisfeit ``b``."""
    return "f.persoon = b.persoon AND f.grond = b.record_id" if feit.groepeer else "f.persoon = b.persoon"
