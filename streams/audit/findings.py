"""Findings: what a replay and the log do not agree about, each with what it is, where it stands and what follows from what."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec

from schemas.values import Place
from streams.audit.history import Gap
from streams.audit.sent import TopicIndex

_SHOWN: Final = 20  # offsets of one gap


class Kind(StrEnum):
    """What a finding is."""

    MISSING = "missing"  # a message that follows from the records was not sent
    EXTRA = "extra"  # a message was sent that follows from nothing
    DIFFERENT = "different"  # a message was sent with other content
    MOVED = "moved"  # a version of a signal stands behind a later one
    INPUT = "input"  # what a transaction took is not what the archive holds
    CATALOGUE = "catalogue"  # a version of the catalogue is not there or was changed
    ARCHIVE = "archive"  # a file cannot be read as it was written


class Field(msgspec.Struct, frozen=True):
    """One field that differs; None where there is none."""

    name: str
    sent: Any
    made: Any


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    kind: Kind
    place: str  # topic-partition@offset; of a signal that is missing, the topic and between which offsets it should stand
    why: str
    signaal_id: str | None = None
    versie: int | None = None
    about: str | None = None  # what else than a signaal: the name of a volgverzoek, the place of a refused record
    oorzaak: str | None = None  # the mutatie
    regel: str | None = None  # dienst, pattern and version
    fields: tuple[Field, ...] = ()
    records: tuple[str, ...] = ()  # places of the records that the signal names; of an input, places of which one or more are missing
    follows_from: str | None = None  # place of the finding that is behind this one


def of_gap(gap: Gap, partition: int) -> Finding:
    """A transaction that took something else than the archive holds."""
    taken, at = gap.taken, gap.at
    where = f"{taken.topic}-{partition}@"
    if at < taken.begin:
        return Finding(Kind.INPUT, f"{where}{at}", f"no row of the verloop says what took {at} to {taken.begin - 1}: one was removed")
    if at > taken.begin:
        why = f"two rows of the verloop took {taken.begin} to {min(at, taken.end) - 1}"
        return Finding(Kind.INPUT, f"{where}{taken.begin}", why)
    rows = f"the transaction at {gap.transaction} of the verloop took {taken.records} records from {taken.begin} to {taken.end - 1}"
    lost = taken.records - gap.present
    if lost < 0:
        return Finding(Kind.INPUT, f"{where}{taken.begin}", f"{rows}, the archive has {gap.present}: some were added")
    marks = "" if len(gap.absent) == lost else f" ({lost} of these; the others are marks of Kafka)"
    absent = tuple(f"{where}{offset}" for offset in gap.absent)
    return Finding(Kind.INPUT, absent[0], f"{rows}; missing is {_offsets(gap.absent)}{marks}", records=absent)


def _offsets(offsets: tuple[int, ...]) -> str:
    more = f" and {len(offsets) - _SHOWN} more" if len(offsets) > _SHOWN else ""
    return ", ".join(map(str, offsets[:_SHOWN])) + more


def of_stray(index: TopicIndex) -> Iterator[Finding]:
    """Messages of a topic that no replay can have made where they stand."""
    for kind, strays in ((Kind.EXTRA, index.stray), (Kind.MOVED, index.late)):
        for stray in strays:
            yield Finding(kind, str(Place(stray.topic, stray.partition, stray.offset)), stray.why)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Each signaal's findings by version; what follows from a record that is missing, or from an earlier version, says so."""
    by_signal: dict[str | None, list[Finding]] = defaultdict(list)
    for f in findings:
        by_signal[f.signaal_id].append(f)
    named = {f.place for found in by_signal.values() for f in found if f.kind is not Kind.MOVED}
    result = [f for f in by_signal.pop(None, []) if f.kind is not Kind.MOVED or f.place not in named]  # the other says more
    missing = {place: f.place for f in result if f.kind is Kind.INPUT for place in f.records}
    for found in by_signal.values():
        found.sort(key=lambda f: (f.versie or 0, f.place))
        cited = (place for f in found for place in (f.oorzaak, *f.records) if place in missing)
        behind = missing.get(next(cited, None) or "")
        result.append(msgspec.structs.replace(found[0], follows_from=behind))
        result += [msgspec.structs.replace(f, follows_from=behind or found[0].place) for f in found[1:]]
    return result
