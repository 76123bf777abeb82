"""Feiten that go on as one, as SQL: gaps and islands over the records that stand. Shares no code with the engine's core."""

from typing import Final

from schemas.catalogue import Catalogue, Dienst, Feitsoort

_NEVER: Final = 1_000_000  # a day behind all that can be registered


def feiten_of(catalogue: Catalogue, dienst: Dienst, feit: Feitsoort) -> str:
    """The name of the table with the feiten of a soort as they count for a dienst."""
    nummer = catalogue.mutatie_topics[feit.soort].nummer
    return f"keten_{dienst.nummer}_{nummer}" if feit.groepeer else f"leeft_{nummer}"


def chained(catalogue: Catalogue, dienst: Dienst) -> list[str]:
    """Of each soort that a dienst groups that table: of every island of days the record that is its first, up to its last day."""
    tables = []
    for feit in dienst.feiten:
        if feit.groepeer:
            alike = ", ".join(("persoon", *feit.groepeer))
            order = f"PARTITION BY {alike} ORDER BY begindatum, record_id ROWS BETWEEN UNBOUNDED PRECEDING AND"
            tot = f"coalesce(einddatum, {_NEVER})"
            before = f"SELECT *, max({tot}) OVER ({order} 1 PRECEDING) AS vorige FROM leeft_{catalogue.mutatie_topics[feit.soort].nummer}"
            number = f"SELECT *, count(*) FILTER (coalesce(begindatum > vorige + 1, true)) OVER ({order} CURRENT ROW) AS eiland"
            island = f"PARTITION BY {alike}, eiland"
            tables.append(f"""{feiten_of(catalogue, dienst, feit)} AS (
                SELECT * EXCLUDE (vorige, eiland) REPLACE (nullif(max({tot}) OVER ({island}), {_NEVER}) AS einddatum)
                FROM ({number} FROM ({before})) QUALIFY row_number() OVER ({island} ORDER BY begindatum, record_id) = 1)""")
    return tables
