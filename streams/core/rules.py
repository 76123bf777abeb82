"""The rule for a pair: what should stand between a basisfeit and a feit. Published, versioned, deterministic."""

from hashlib import blake2b

import msgspec

from schemas.values import Waarde
from streams.core.chains import Counts
from streams.core.known import Beside, is_known
from streams.core.period import Period
from streams.core.record import Record
from streams.core.rulebook import DienstRule


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """What an ontvanger should know about one pair of records."""

    ontvanger: str
    kenmerk: str
    shared: Period
    values: tuple[Waarde, ...]  # the listed fields, in the order of the dienst
    vervolg: tuple[Record, ...] = ()  # records that go on from the feit: why its days are these, and nothing that is told

    def digest(self) -> bytes:
        """Six bytes that differ when anything differs that the ontvanger is told."""
        return blake2b(_encode((self.kenmerk, self.shared, self.values)), digest_size=6).digest()


def digest_of(told: object) -> bytes:
    """Six bytes that differ when ``told`` differs."""
    return blake2b(_encode(told), digest_size=6).digest()


_encode = msgspec.msgpack.Encoder().encode


def samenloop(dienst: DienstRule, soort: int, basis: Record, of: Counts, day: int, beside: Beside) -> Wanted | None:
    """A basisfeit and a feit that share at least one day: the ontvanger on the klok's ``day`` is told which days, unless it knows them.

    ``beside`` are the records in the head of the persoon.
    """
    feit, vervolg = of
    if basis.period is None or feit.period is None:
        return None
    shared = basis.period.shared_with(feit.period)
    if shared is None:
        return None
    houder = str(basis.values[dienst.houder])
    ontvanger = ontvanger_on(dienst, houder, day) if houder in dienst.beurten else houder  # who lasts costs no call
    if ontvanger is None or (soort in dienst.bekend and is_known(dienst.bekend[soort], houder, feit, shared, beside)):
        return None
    if soort == dienst.basis and (basis.name == feit.name or not of_another(dienst, ontvanger, feit, day)):
        return None
    values = tuple([feit.values[i] for _, i in dienst.feiten[soort]])
    return Wanted(ontvanger, str(basis.values[dienst.kenmerk]), shared, values, vervolg)


def of_another(dienst: DienstRule, ontvanger: str, feit: Record, day: int) -> bool:
    """Whether somebody else than ``ontvanger`` is told on the klok's ``day`` of a feit that is a basisfeit as well.

    Of one that nobody is told of, since its houder is no more and its dossiers were divided, nobody can say whose it is.
    """
    return ontvanger_on(dienst, str(feit.values[dienst.houder]), day) not in {None, ontvanger}


def ontvanger_on(dienst: DienstRule, houder: str, day: int) -> str | None:
    """Who is told on the klok's ``day`` of a basisfeit of ``houder``; None: it is no more, and nobody has all of its dossiers."""
    beurten = dienst.beurten.get(houder)
    return houder if beurten is None else next((ontvanger for days, ontvanger in beurten if day in days), None)
