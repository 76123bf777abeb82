"""What stands for an ontvanger: its topic folded to the newest version of each signaal."""

from collections.abc import Iterable

from schemas.values import ElkSignaal


def standing(signalen: Iterable[ElkSignaal]) -> list[ElkSignaal]:
    """The live signals: the highest versie of each signaal_id, unless that is VERVALLEN; in order of kenmerk and first day."""
    newest: dict[str, ElkSignaal] = {}
    for signaal in signalen:
        known = newest.get(signaal.signaal_id)
        if known is None or signaal.versie > known.versie:
            newest[signaal.signaal_id] = signaal
    live = [s for s in newest.values() if s.soort != "VERVALLEN"]
    return sorted(live, key=lambda s: (s.kenmerk, s.begindatum or "", s.bewijs[-1].soort, s.signaal_id))
