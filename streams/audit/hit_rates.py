"""How often signals hit: what was sent and what ontvangers reported of it, per dienst, bron and year, and nothing below that.

For the yearly report. It counts signals and tells no persoon, kenmerk or ontvanger. A count below ``SMALL`` is not told, and of a row
in which that holds of any outcome no outcome is: they add up to what was handled, so that one would follow from the others.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final, get_args

import msgspec

from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError, decode_signaal
from schemas.values import ElkSignaal, Signaal, Stand, Terugmelding, Uitkomst

SMALL: Final = 5
STANDEN: Final[tuple[Stand, ...]] = get_args(Stand)  # each includes those before it
UITKOMSTEN: Final[tuple[Uitkomst, ...]] = get_args(Uitkomst)
_NOT_JUDGED: Final = "NIET_ONDERZOCHT"


class Row(msgspec.Struct, frozen=True):
    """One line of the report; None: fewer than ``SMALL``, and more than none."""

    dienst: str
    bron: str  # of the feit; where a rule judges all feiten together, all bronnen that it asks
    jaar: int  # in which the signal was first sent
    verstuurd: int | None
    bezorgd: int | None
    geaccepteerd: int | None
    afgehandeld: int | None
    uitkomsten: Mapping[str, int | None]
    trefkans: float | None  # the part JUIST of those of which the ontvanger judged; None where that is not told, or of none


class Report(msgspec.Struct, frozen=True):
    """The whole report."""

    rijen: tuple[Row, ...]
    onbekend: int  # terugmeldingen of a signal or version that was not sent to who reports it: they count nowhere
    onleesbaar: int  # records that are no signaal or terugmelding


class Sent(msgspec.Struct):
    """A signal, and how far it came."""

    group: tuple[str, str, int]  # dienst, bron, jaar
    ontvanger: str
    first: int  # versions
    last: int
    stand: int = 0  # how many of STANDEN
    uitkomst: Uitkomst | None = None


class Tally:
    """Counts: all signals first, then all terugmeldingen, each topic in its order."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._codec = Codec(catalogue)
        self._asked = {d.dienst: "+".join(sorted({catalogue.bron_of(f.soort).id for f in d.feiten})) for d in catalogue.diensten.values()}
        self._sent: dict[str, Sent] = {}
        self._onbekend = self._onleesbaar = 0

    def signaal(self, value: bytes | None) -> None:
        """Take a record of a topic of signals; one that came before changes nothing."""
        try:
            signaal = decode_signaal(value)
        except WireError:
            self._onleesbaar += 1
            return
        group = signaal.dienst, self._bron(signaal), int(signaal.registratietijd[:4])
        known = self._sent.setdefault(signaal.signaal_id, Sent(group, signaal.ontvanger, signaal.versie, signaal.versie))
        known.last = max(known.last, signaal.versie)
        if signaal.versie < known.first:
            known.first, known.group = signaal.versie, group

    def terugmelding(self, ontvanger: str, value: bytes | None) -> None:
        """Take a record of what ``ontvanger`` reports: the furthest stand counts, and the last uitkomst."""
        try:
            found = self._codec.decode_terugmelding(value)
        except WireError:
            self._onleesbaar += 1
            return
        sent = self._sent.get(found.signaal_id)
        if sent is None or sent.ontvanger != ontvanger or found.versie > sent.last:
            self._onbekend += 1
        else:
            _advance(sent, found)

    def report(self, jaar: int | None = None) -> Report:
        """What was counted, of one year or of all."""
        groups: dict[tuple[str, str, int], list[Sent]] = {}
        for sent in self._sent.values():
            if jaar in {None, sent.group[2]}:
                groups.setdefault(sent.group, []).append(sent)
        return Report(tuple(_row(group, groups[group]) for group in sorted(groups)), self._onbekend, self._onleesbaar)

    def _bron(self, signaal: ElkSignaal) -> str:
        if isinstance(signaal, Signaal):
            return signaal.feit.bron
        return self._asked.get(signaal.dienst) or "+".join(sorted({f.bron for f in signaal.feiten}))


def _advance(sent: Sent, found: Terugmelding) -> None:
    sent.stand = max(sent.stand, STANDEN.index(found.stand) + 1)
    sent.uitkomst = found.uitkomst or sent.uitkomst


def _row(group: tuple[str, str, int], signals: list[Sent]) -> Row:
    bezorgd, geaccepteerd, afgehandeld = (_told(sum(s.stand > i for s in signals)) for i in range(len(STANDEN)))
    found = Counter(s.uitkomst for s in signals if s.uitkomst is not None)
    uitkomsten: dict[str, int | None] = {u: found[u] for u in UITKOMSTEN}
    judged = sum(found[u] for u in UITKOMSTEN if u != _NOT_JUDGED)
    trefkans = round(found["JUIST"] / judged, 3) if judged else None
    if any(_told(n) is None for n in found.values()) or len(signals) < SMALL:
        uitkomsten, trefkans = dict.fromkeys(UITKOMSTEN), None
    return Row(*group, _told(len(signals)), bezorgd, geaccepteerd, afgehandeld, uitkomsten, trefkans)


def _told(number: int) -> int | None:
    return None if 0 < number < SMALL else number
