"""What should stand of a basisfeit and all feiten together, as SQL over the days around that of the klok. Shares no code with the core.

The core makes spells of all days and lets the klok choose. Here only the day of the klok is looked at: what is there on it, what ended
last before it, what begins first behind it.
"""

from typing import Final, Literal

from schemas.catalogue import Catalogue, Dienst, Feitsoort, feit_fields
from schemas.regels import Beeindiging, Informatiepakket, Leeftijd, Ontbreken
from streams.audit.recompute_records import basis_of, shown

_MOST: Final = 40  # parts of a signal


def ontbreken(catalogue: Catalogue, dienst: Dienst) -> str:
    """On the day of the klok there is the basisfeit, the age is right, and none of the feiten is there, for as long as the wachttijd."""
    regel = dienst.regel
    assert isinstance(regel, Ontbreken)  # noqa: S101 - the caller chooses by pattern
    begin = "greatest(van, sinds)"
    return f"""SELECT {NAMES.format(dienst=dienst)}, NULL AS feitsoort, NULL AS feit,
        {begin} AS eerste, least(tot, volgende) - 1 AS laatste, gegevens
        FROM ({_around(catalogue, dienst, regel.leeftijd)})
        WHERE NOT er AND van <= dag AND coalesce(dag < tot, true) AND {_after(begin, regel.wachttijd)} <= dag"""


def beeindiging(catalogue: Catalogue, dienst: Dienst) -> str:
    """What ended last before the day of the klok is of one soort, the termijn since then is over, and none of the feiten is there."""
    regel = dienst.regel
    assert isinstance(regel, Beeindiging)  # noqa: S101 - the caller chooses by pattern
    return f"""SELECT {NAMES.format(dienst=dienst)}, NULL AS feitsoort, NULL AS feit,
        sinds AS eerste, least(tot, volgende) - 1 AS laatste, gegevens
        FROM ({_around(catalogue, dienst, regel.leeftijd, regel.van)})
        WHERE NOT er AND van <= dag AND coalesce(dag < tot, true) AND {_after("sinds", regel.termijn)} <= dag AND gegevens <> '[]'"""


def informatiepakket(catalogue: Catalogue, dienst: Dienst) -> str:
    """On the day of the klok the basisfeit lasts and its wachttijd is over: all feiten with a day among those of reference, if any."""
    regel = dienst.regel
    assert isinstance(regel, Informatiepakket)  # noqa: S101 - the caller chooses by pattern
    peil = f"b.{regel.peildatum}"
    begun, open_ = f"{_after('b.begindatum', regel.wachttijd)} <= dag", "coalesce(dag <= b.einddatum, true)"
    first, last = (peil, peil) if regel.terug is None else (_after(peil, regel.terug, "-"), f"{peil} - 1")
    return f"""SELECT {NAMES.format(dienst=dienst)}, NULL AS feitsoort, NULL AS feit, eerste, laatste, gegevens
        FROM (
            SELECT g.*, {parts("f.begindatum <= laatste AND coalesce(f.einddatum >= eerste, true)")} AS gegevens
            FROM (
                SELECT b.persoon, b.record_id, b.houder, b.kenmerk, {first} AS eerste, least({last}, b.slot) AS laatste
                FROM {basis_of(dienst)} b JOIN klokken k USING (partitie)
                WHERE {peil} IS NOT NULL AND coalesce({first} <= b.slot, true) AND {begun} AND {open_}
            ) g LEFT JOIN ({_feiten(catalogue, dienst)}) f ON f.persoon = g.persoon GROUP BY ALL
        )"""


NAMES: Final = "'{dienst.dienst}' AS dienst, houder AS ontvanger, kenmerk, '{dienst.basisfeit.soort}' AS basissoort, record_id AS basisfeit"


def _around(catalogue: Catalogue, dienst: Dienst, leeftijd: Leeftijd | None, van: str | None = None) -> str:
    """Each basisfeit with the days ``[van, tot)`` on which it counts, and the feiten around the klok's ``dag``.

    ``er``: whether one is there; ``sinds``: the day after the last that ended before; ``volgende``: the first day of the next.
    ``gegevens`` are those that ended last, of the soort ``van`` if it is given.
    """
    of_soort = "true" if van is None else f"f.nummer = {catalogue.mutatie_topics[van].nummer}"
    return f"""SELECT g.*, coalesce(bool_or(f.begindatum <= dag AND coalesce(f.einddatum >= dag, true)), false) AS er,
        max(f.einddatum + 1) FILTER (WHERE f.einddatum < dag) AS sinds, min(f.begindatum) FILTER (WHERE f.begindatum > dag) AS volgende,
        {parts(f"f.einddatum < dag AND f.einddatum = laatste AND {of_soort}")} AS gegevens
        FROM (
            SELECT b.persoon, b.record_id, b.houder, b.kenmerk, k.dag, {_window(leeftijd)}
            FROM {basis_of(dienst)} b JOIN klokken k USING (partitie)
        ) g LEFT JOIN (
            SELECT f.*, max(einddatum) FILTER (WHERE einddatum < k.dag) OVER (PARTITION BY f.persoon) AS laatste
            FROM ({_feiten(catalogue, dienst)}) f JOIN klokken k USING (partitie)
        ) f ON f.persoon = g.persoon GROUP BY ALL"""


def _feiten(catalogue: Catalogue, dienst: Dienst) -> str:
    return " UNION ALL ".join(feit_rows(catalogue, f) for f in dienst.feiten)


def feit_rows(catalogue: Catalogue, feit: Feitsoort, column: str = "") -> str:
    """The records of a soort that stand, each with what is told of it as ``deel``; ``column`` is one more, of the record ``f``."""
    topic = catalogue.mutatie_topics[feit.soort]
    fields = feit_fields(catalogue.latest_schema(topic.topic))
    velden = ", ".join(f"'{v.veld}', {shown(v.veld, fields[v.veld]['type'])}" for v in feit.velden)
    return f"""SELECT f.partitie, f.persoon, f.record_id, {topic.nummer} AS nummer, f.begindatum, f.einddatum, json_object(
            'soort', '{feit.soort}', 'begindatum', {_date("f.begindatum")}, 'einddatum', {_date("f.einddatum")},
            'velden', json_object({velden})
        ) AS deel{column and f", {column}"} FROM leeft_{topic.nummer} f"""


def parts(condition: str) -> str:
    """The feiten that are told, in order, the newest where there are too many."""
    order = "ORDER BY f.begindatum, f.einddatum NULLS LAST, f.nummer, f.record_id"
    return f"coalesce(to_json((list(f.deel {order}) FILTER (WHERE {condition}))[-{_MOST}:])::VARCHAR, '[]')"


def _window(leeftijd: Leeftijd | None) -> str:
    born = "" if leeftijd is None else f"b.{leeftijd.veld}"
    begins = ["b.begindatum", *([] if leeftijd is None or leeftijd.vanaf is None else [_birthday(born, leeftijd.vanaf)])]
    ends = ["b.einddatum + 1", *([] if leeftijd is None or leeftijd.tot is None else [_birthday(born, leeftijd.tot)])]
    return f"greatest({', '.join(begins)}) AS van, least({', '.join(ends)}) AS tot"


def _birthday(born: str, age: int) -> str:
    """The day on which somebody turns ``age``: DuckDB gives 28 February where there is no 29th, the law 1 March."""
    day = f"(DATE '1970-01-01' + {born}::INT)"
    then = f"({day} + INTERVAL {age} YEAR)::DATE"
    return f"({_number(then)} + (month({day}) = 2 AND day({day}) = 29 AND day({then}) = 28)::INT)"


def _after(day: str, termijn: str, sign: Literal["+", "-"] = "+") -> str:
    """The day that comes ``termijn`` after another one, or before it."""
    number, unit = termijn[1:-1], termijn[-1]
    if unit == "D":
        return f"({day} {sign} {number})"
    return _number(f"(DATE '1970-01-01' + ({day})::INT {sign} INTERVAL {number} MONTH)::DATE")


def _number(date: str) -> str:
    return f"date_diff('day', DATE '1970-01-01', {date})"


def _date(day: str) -> str:
    return f"(DATE '1970-01-01' + {day}::INT)::VARCHAR"
