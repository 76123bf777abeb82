"""From a change to the signaal that states it, with its explanation."""

from hashlib import sha1
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec.structs import asdict

from schemas.values import Basissignaal, Bronrecord, Ketensignaal, Onderdeel, Oorzaak, Place, Regel, Signaal, Waarde
from streams.core.diff import Change
from streams.core.period import Period, iso_day
from streams.core.record import Record
from streams.core.rulebook import DienstRule, Rulebook, Soort
from streams.core.rules import Wanted
from streams.core.spells import MOST_PARTS, Deel, Standing

NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:samenloop:signaal").bytes
_VARIANT: Final = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class Cause(msgspec.Struct, frozen=True, gc=False):
    """The mutatie, or the tick of the klok, that makes the node send signalen."""

    registratietijd: int  # milliseconds since the epoch, UTC
    place: Place


def signaal_id(dienst: str, ontvanger: str, basis: tuple[str, str], feit: tuple[str, str] = ("", "")) -> str:
    """One signaal, one name: a UUIDv5; ``basis`` and ``feit`` are (soort, record_id). The uuid module takes three times as long for it.

    A signaal about a basisfeit alone has an empty ``feit``.
    """
    name = "\x1f".join((dienst, ontvanger, *basis, *feit))
    h = sha1(NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    return f"{h[:8]}-{h[8:12]}-5{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:32]}"


def iso_time(milliseconds: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC, e.g. 2026-01-31T09:00:00.000Z."""
    seconds, rest = divmod(milliseconds, 1000)
    day, second = divmod(seconds, 86_400)
    return f"{iso_day(day)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{rest:03d}Z"


def signaal_of(  # noqa: PLR0913, PLR0917 - a signaal names everything that caused it
    rulebook: Rulebook, dienst: DienstRule, soort: Soort, change: Change[Wanted], was: Record, basis: Record, feit: Record, cause: Cause
) -> Signaal:
    """The signaal for ``change``; ``was`` is the basisfeit as it stood before, under whose kenmerk a VERVALLEN is sent."""
    wanted = change.wanted
    grond = rulebook.soorten[dienst.basis]
    kenmerk = str(was.values[dienst.kenmerk]) if wanted is None else wanted.kenmerk
    signaal = Signaal(
        signaal_id=signaal_id(dienst.naam, change.sent.ontvanger, (grond.naam, basis.record_id), (soort.naam, feit.record_id)),
        versie=change.sent.versie,
        soort=change.soort,
        dienst=dienst.naam,
        regel=Regel(dienst.regel.patroon, dienst.regel.versie),
        ontvanger=change.sent.ontvanger,
        kenmerk=kenmerk,
        begindatum=None if wanted is None else iso_day(wanted.shared.start),
        einddatum=None if wanted is None else _last_day(wanted.shared),
        gegevens=None if wanted is None else _gegevens(dienst, soort, wanted),
        basisfeit=_bronrecord(grond, basis, cause.place.partition, wanted),
        feit=_bronrecord(soort, feit, cause.place.partition, wanted),
        oorzaak=Oorzaak(*cause.place),
        registratietijd=iso_time(cause.registratietijd),
    )
    return signaal if wanted is None or not wanted.vervolg else _of_chain(signaal, soort, wanted, cause.place.partition)


def _of_chain(signaal: Signaal, soort: Soort, wanted: Wanted, home: int) -> Ketensignaal:
    """The signaal with the records that go on from its feit."""
    told = wanted.vervolg[-MOST_PARTS:]
    records = tuple(_bronrecord(soort, record, home, wanted) for record in told)
    return Ketensignaal(**asdict(signaal), vervolg=records, weggelaten=len(wanted.vervolg) - len(told))


def basissignaal_of(
    rulebook: Rulebook, dienst: DienstRule, change: Change[Standing], was: Record, basis: Record, cause: Cause
) -> Basissignaal:
    """The signaal about a basisfeit for ``change``; ``was`` is that as it stood before, under whose kenmerk a VERVALLEN is sent."""
    wanted, grond, partition = change.wanted, rulebook.soorten[dienst.basis], cause.place.partition
    bewijs = () if wanted is None else wanted.bewijs[-MOST_PARTS:]
    return Basissignaal(
        signaal_id=signaal_id(dienst.naam, change.sent.ontvanger, (grond.naam, basis.record_id)),
        versie=change.sent.versie,
        soort=change.soort,
        dienst=dienst.naam,
        regel=Regel(dienst.regel.patroon, dienst.regel.versie),
        ontvanger=change.sent.ontvanger,
        kenmerk=str(was.values[dienst.kenmerk]) if wanted is None else wanted.kenmerk,
        begindatum=None if wanted is None else iso_day(wanted.shared.start),
        einddatum=None if wanted is None else _last_day(wanted.shared),
        gegevens=None if wanted is None else tuple(map(_onderdeel, wanted.delen[-MOST_PARTS:])),
        weggelaten=0 if wanted is None else len(wanted.bewijs) - len(bewijs),
        basisfeit=_bronrecord(grond, basis, partition, wanted),
        feiten=tuple(_bronrecord(soort, feit, partition, wanted) for soort, feit in bewijs),
        oorzaak=Oorzaak(*cause.place),
        registratietijd=iso_time(cause.registratietijd),
    )


def _onderdeel(deel: Deel) -> Onderdeel:
    return Onderdeel(deel.soort, iso_day(deel.period.start), _last_day(deel.period), dict(deel.velden))


def _last_day(period: Period) -> str | None:
    return None if period.einddatum is None else iso_day(period.einddatum)


def _gegevens(dienst: DienstRule, soort: Soort, wanted: Wanted) -> dict[str, Waarde]:
    named = zip([name for name, _ in dienst.feiten[soort.nummer]], wanted.values, strict=True)
    return {name: iso_day(int(v)) if name in soort.datums and v is not None else v for name, v in named}


def _bronrecord(soort: Soort, record: Record, home: int, wanted: Wanted | Standing | None) -> Bronrecord:
    """The record as evidence; a VERVALLEN says which record, not what is known of it now: that may be another ontvanger's."""
    period = None if wanted is None else record.period
    place = (home, record.offset) if record.offset >= 0 else record.elsewhere
    begin = None if period is None else iso_day(period.start)
    end = None if period is None else _last_day(period)
    return Bronrecord(soort.bron, soort.naam, record.record_id, record.versie, soort.topic, *place, begin, end)
