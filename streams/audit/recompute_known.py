"""Which pairs an ontvanger knows already, as SQL: what was declared leaves no day of them uncovered. Shares no code with the core."""

from typing import Final

from schemas.catalogue import Catalogue, Dienst, Feitsoort
from streams.audit.recompute_chains import beside, feiten_of
from streams.audit.recompute_drempel import monthly
from streams.audit.recompute_records import basis_of

_NEVER: Final = 1_000_000  # a day behind all that can be registered


def _dossiers(houder: str) -> str:
    return f"coalesce((SELECT laatste FROM dossiers d WHERE d.houder = {houder}), {houder})"


def known_pairs(catalogue: Catalogue, dienst: Dienst, feit: Feitsoort) -> str:
    """(persoon, basisfeit, feit) of the pairs that are known; empty where the dienst knows of none.

    Of each pair what fits and touches its days is laid in order: nothing may be missing before, between and behind.
    """
    if feit.bekend is None or dienst.opgaven is None:
        return ""
    opgave = catalogue.mutatie_topics[dienst.opgaven.soort].nummer
    fits = [f"{_dossiers('o.houder')} = {_dossiers('b.geregistreerd')}"]
    fits += [f"o.{veld} = f.{veld}" for veld in feit.bekend.gelijk]
    if feit.bekend.hoogstens is not None:
        fits.append(f"{monthly(feit.bekend.hoogstens)} <= o.{feit.bekend.hoogstens.grens}")
    window = "PARTITION BY persoon, basisfeit, feit ORDER BY van ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    return f"""SELECT persoon, basisfeit, feit FROM (
            SELECT *, max(tot) OVER ({window}) AS vorige FROM (
                SELECT b.persoon, b.record_id AS basisfeit, f.record_id AS feit, o.begindatum AS van,
                    coalesce(o.einddatum, {_NEVER}) AS tot, greatest(b.begindatum, f.begindatum) AS eerste,
                    coalesce(least(b.einddatum, f.einddatum), {_NEVER}) AS laatste
                FROM {basis_of(dienst)} b JOIN {feiten_of(catalogue, dienst, feit)} f ON {beside(feit)}
                    JOIN leeft_{opgave} o ON o.persoon = b.persoon AND {" AND ".join(fits)}
            ) WHERE van <= laatste AND tot >= eerste
        ) GROUP BY persoon, basisfeit, feit
        HAVING min(van) <= any_value(eerste) AND max(tot) >= any_value(laatste) AND bool_and(coalesce(van <= vorige + 1, true))"""
