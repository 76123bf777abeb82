"""What a bron corrects within days, as SQL: which records are no longer held. Shares no code with the engine's core.

A record was let go when, under the rules of some time and on the last day of the klok in it, the days since its first registration were
over; rules under which it was never held let go all that they found. What was let go once is held no more.
"""

from collections.abc import Iterator, Sequence

import duckdb

from schemas.catalogue import Catalogue
from streams.audit.tables import GENOMEN, OMSLAGEN


def make(db: duckdb.DuckDBPyConnection, catalogues: Sequence[Catalogue], begun: str) -> None:
    """The tables ``aangehouden``, the soorten that are held, and ``wachttijden``, how long they were until each switch and are since.

    ``begun``: of a tick, whether it counts.
    """
    db.execute("CREATE TABLE aangehouden (soort VARCHAR)")
    db.execute("CREATE TABLE wachten (catalogus VARCHAR, soort VARCHAR, maanden INT, dagen INT)")
    rows = [row for catalogue in catalogues for row in _waits(catalogue)]
    if rows:
        db.executemany("INSERT INTO wachten VALUES (?, ?, ?, ?)", rows)
        db.execute("INSERT INTO aangehouden SELECT DISTINCT soort FROM wachten WHERE dagen IS NOT NULL")
    db.execute(f"CREATE TABLE wachttijden AS {_TIMES.format(begun=begun, last=catalogues[-1].versie)}")


def _waits(catalogue: Catalogue) -> Iterator[tuple[str, str, int | None, int | None]]:
    for soort in catalogue.mutatie_topics:
        wait = catalogue.bron_of(soort).aanhouden
        number = 0 if wait is None else int(wait[1:-1])
        months = number if wait is not None and wait.endswith("M") else 0
        yield catalogue.versie, soort, *((None, None) if wait is None else (months, number - months))


_TIMES = f"""
SELECT soort, partitie, tot, maanden, dagen, max(datum) AS dag
FROM (
    SELECT partitie, van AS catalogus, beurt AS tot FROM {OMSLAGEN}
    UNION ALL SELECT DISTINCT partitie, '{{last}}', {2**62} FROM {GENOMEN}
) JOIN wachten USING (catalogus)
LEFT JOIN (SELECT partitie AS deel, beurt, datum FROM tk WHERE {{begun}}) k ON deel = partitie AND beurt < tot
GROUP BY ALL
"""


def let_go(soort: str, kept: str) -> str:
    """Of the records in the query ``kept`` the persoon and the name of those that are not held any more."""
    first = "(DATE '1970-01-01' + min(floor(registratietijd / 86400000))::INT)"
    over = f"date_diff('day', DATE '1970-01-01', ({first} + to_months(any_value(maanden)) + to_days(any_value(dagen)))::DATE)"
    return f"""SELECT persoon, record_id FROM ({kept}) e JOIN wachttijden w
        ON w.soort = '{soort}' AND w.partitie = e.partitie AND e.beurt < w.tot
        GROUP BY persoon, record_id, tot HAVING any_value(dagen) IS NULL OR {over} <= any_value(dag)"""
