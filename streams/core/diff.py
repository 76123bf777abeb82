"""The difference between what was sent about a basisfeit, with a feit or alone, and what should stand."""

from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from schemas.values import Signaalsoort
from streams.core.record import Sent
from streams.core.rules import Wanted
from streams.core.spells import Standing

W = TypeVar("W", Wanted, Standing)


class Change(NamedTuple, Generic[W]):
    """One signaal to send, and what is then remembered of it."""

    soort: Signaalsoort
    sent: Sent
    wanted: W | None  # None for VERVALLEN


def diff(sent: tuple[Sent, ...], dienst: int, basis: int, wanted: W | None) -> Iterator[Change[W]]:
    """What to send about a pair or a basisfeit, VERVALLEN first: a benefit that moves ends for one ontvanger and begins for another."""
    mine = [s for s in sent if s.dienst == dienst and s.basis == basis]
    for s in mine:
        if s.content is not None and (wanted is None or s.ontvanger != wanted.ontvanger):
            yield Change("VERVALLEN", Sent(dienst, s.ontvanger, basis, s.versie + 1, None), None)
    if wanted is None:
        return
    content = wanted.digest()
    last = next((s for s in mine if s.ontvanger == wanted.ontvanger), None)
    if last is None:
        yield Change("NIEUW", Sent(dienst, wanted.ontvanger, basis, 1, content), wanted)
    elif last.content is None:
        yield Change("NIEUW", Sent(dienst, wanted.ontvanger, basis, last.versie + 1, content), wanted)
    elif last.content != content:
        yield Change("GEWIJZIGD", Sent(dienst, wanted.ontvanger, basis, last.versie + 1, content), wanted)


def remember(sent: tuple[Sent, ...], changes: Sequence[Change[W]]) -> tuple[Sent, ...]:
    """What is remembered after ``changes`` went out."""
    result = list(sent)
    for change in changes:
        new = change.sent
        for i, old in enumerate(result):
            if (old.dienst, old.ontvanger, old.basis) == (new.dienst, new.ontvanger, new.basis):
                result[i] = new
                break
        else:
            result.append(new)
    return tuple(result)
