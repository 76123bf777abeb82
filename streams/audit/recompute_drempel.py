"""What should stand where amounts pass a threshold, as SQL over the days on which their sum changes. Shares no code with the core.

All numbers are whole: a sum may be too large for 64 bits, and an amount below zero is rounded down as well, which SQL by itself does not.
"""

from typing import Final

from schemas.catalogue import Catalogue, Dienst
from schemas.regels import TIJDVAKKEN, Bedragveld, Drempel
from streams.audit.recompute_basis import NAMES, feit_rows, parts
from streams.audit.recompute_records import basis_of

_NEVER: Final = 1_000_000  # a day behind all that can be registered
_STAND: Final = "f.begindatum < r.tot AND coalesce(f.einddatum >= r.vanaf, true)"


def drempel(catalogue: Catalogue, dienst: Dienst) -> str:
    """Of each basisfeit the newest run of days that has begun by the day of the klok, with the feiten that are there in it."""
    regel = dienst.regel
    assert isinstance(regel, Drempel)  # noqa: S101 - the caller chooses by pattern
    feiten = _bedragen(catalogue, dienst, regel)
    return f"""SELECT {NAMES.format(dienst=dienst)}, NULL AS feitsoort, NULL AS feit,
        vanaf AS eerste, nullif(tot, {_NEVER}) - 1 AS laatste, gegevens
        FROM (
            SELECT r.*, {parts(_STAND)} AS gegevens
            FROM ({_runs(dienst, regel, feiten)}) r JOIN ({feiten}) f ON f.persoon = r.persoon GROUP BY ALL
        )"""


def _runs(dienst: Dienst, regel: Drempel, feiten: str) -> str:
    """The last run of each basisfeit: a stretch that is above and follows one that is not begins one."""
    number = "sum(begint) OVER (PARTITION BY persoon, record_id ORDER BY dag ROWS UNBOUNDED PRECEDING) AS nummer"
    begins = "(NOT coalesce(lag(boven) OVER (PARTITION BY persoon, record_id ORDER BY dag), false))::INT AS begint"
    newest = "QUALIFY row_number() OVER (PARTITION BY persoon, record_id ORDER BY vanaf DESC) = 1"
    return f"""SELECT r.* EXCLUDE (nummer) FROM (
            SELECT persoon, partitie, record_id, houder, kenmerk, nummer, min(dag) AS vanaf, max(volgende) AS tot
            FROM (SELECT *, {number} FROM (SELECT *, {begins} FROM ({_stretches(dienst, regel, feiten)})) WHERE boven)
            GROUP BY ALL
        ) r JOIN klokken k USING (partitie) WHERE vanaf <= k.dag {newest}"""


def _stretches(dienst: Dienst, regel: Drempel, feiten: str) -> str:
    """Each basisfeit cut where the sum of the amounts changes: from ``dag`` up to ``volgende`` it is ``boven`` its threshold, or not."""
    window = "PARTITION BY persoon, record_id ORDER BY dag"
    return f"""SELECT * EXCLUDE (einde, grens, verschil), coalesce(lead(dag) OVER ({window}), einde) AS volgende,
            sum(verschil) OVER ({window} ROWS UNBOUNDED PRECEDING) > greatest(grens, 0) AS boven
        FROM (
            SELECT b.persoon, b.partitie, b.record_id, b.houder, b.kenmerk, b.{regel.grens} AS grens, d.dag, sum(d.verschil) AS verschil,
                coalesce(b.einddatum + 1, {_NEVER}) AS einde
            FROM {basis_of(dienst)} b JOIN (
                SELECT persoon, begindatum AS eerste, coalesce(einddatum, {_NEVER}) AS laatste,
                    unnest([begindatum, coalesce(einddatum + 1, {_NEVER})]) AS op, unnest([bedrag, -bedrag]) AS verschil FROM ({feiten})
            ) m ON m.persoon = b.persoon AND m.laatste >= b.begindatum,
            LATERAL (SELECT greatest(m.op, b.begindatum) AS dag, m.verschil) d
            WHERE d.dag < coalesce(b.einddatum + 1, {_NEVER}) GROUP BY ALL
        )"""


def _bedragen(catalogue: Catalogue, dienst: Dienst, regel: Drempel) -> str:
    """The feiten whose amount a month is known, with that amount."""
    bedragen = {b.soort: b for b in regel.bedragen}
    rows = (feit_rows(catalogue, f, f"{monthly(bedragen[f.soort])} AS bedrag") for f in dienst.feiten)
    return " UNION ALL ".join(f"SELECT * FROM ({one}) WHERE bedrag IS NOT NULL" for one in rows)


def monthly(bedrag: Bedragveld) -> str:
    """The amount of the feit ``f`` as that of a month."""
    amount = f"f.{bedrag.veld}::HUGEINT"
    if bedrag.tijdvak is None:
        return amount
    days = "(f.einddatum - f.begindatum + 1)"
    cases = (
        f"WHEN '{symbol}' THEN {_floor(f'({amount} * {times})', f'({parts_})')}"
        for symbol, factor in TIJDVAKKEN.items()
        for times, parts_ in [factor or (365, f"12 * {days}")]
    )
    return f"CASE f.{bedrag.tijdvak} {' '.join(cases)} END"


def _floor(number: str, by: str) -> str:
    return f"(({number} - (({number} % {by}) + {by}) % {by}) // {by})"
