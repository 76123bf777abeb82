"""Findings: what a replay and the log do not agree about, each with what it is, where it stands and what follows from what."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from schemas.codec import WireError, decode_signaal
from schemas.values import Place, Signaal
from streams.audit.archive import Archive
from streams.audit.compare import Comparison, Unsent
from streams.audit.history import Gap
from streams.audit.replay import Progress
from streams.audit.sent import NOTHING, Sent, TopicIndex
from streams.effects import Row
from streams.encoded import row_of

_SHOWN: Final = 20  # offsets of one gap


class Kind(StrEnum):
    """What a finding is."""

    MISSING = "missing"  # a signal that follows from the records was not sent
    EXTRA = "extra"  # a signal was sent that follows from nothing
    DIFFERENT = "different"  # a signal was sent with other content
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
    oorzaak: str | None = None  # the mutatie
    regel: str | None = None  # dienst, pattern and version
    fields: tuple[Field, ...] = ()
    records: tuple[str, ...] = ()  # places of the records that the signal names; of an input, places of which one or more are missing
    follows_from: str | None = None  # place of the finding that is behind this one


class _SentMessage(msgspec.Struct, frozen=True):
    offset: int
    row: Row


_Name = tuple[str, str]  # ce_id and key: signaal_id and versie, as the headers have them


def of_signals(archive: Archive, progress: Progress, sent: Mapping[str, Sent]) -> Iterator[Finding]:
    """The differences between what was made for each ontvanger and what was sent; raises ArchiveError."""
    for topic in sorted({*progress.compared, *sent}):
        comparison, there = progress.compared.get(topic) or Comparison(), sent.get(topic, NOTHING)
        unmade = comparison.settle(there) if progress.unread is None else comparison.unmade()
        if unmade or comparison.unsent:
            yield from _differences(archive, topic, _messages(archive, topic, there, unmade), comparison.unsent, there)


def _messages(archive: Archive, topic: str, sent: Sent, numbers: Iterable[int]) -> list[_SentMessage]:
    wanted = {sent.offset(number) for number in numbers}
    if not wanted:
        return []
    return [_SentMessage(r.offset, (r.key, r.value, r.headers)) for r in archive.rows(topic, 0, min(wanted)) if r.offset in wanted]


def _differences(archive: Archive, topic: str, unmade: list[_SentMessage], unsent: list[Unsent], sent: Sent) -> Iterator[Finding]:
    by_name: dict[tuple[str, int] | None, list[_SentMessage]] = defaultdict(list)
    for message in unmade:
        by_name[_name(message.row)].append(message)
    for made in unsent:
        row = row_of(made.fields)
        same = by_name.get(_name(row)) or []
        if same:
            yield _different(topic, same.pop(0), row)
        else:
            yield _missing(topic, made, row, sent)
    for messages in by_name.values():
        for message in messages:
            yield _extra(archive, topic, message)


def _different(topic: str, found: _SentMessage, made: Row) -> Finding:
    signaal = decode_signaal(made[1])
    fields = tuple(_fields(found.row, made))
    names = ", ".join(f.name for f in fields)
    why = f"of {Place(*_cause(signaal))} the rule makes it with another {names}"
    return _about(signaal, Kind.DIFFERENT, str(Place(topic, 0, found.offset)), why, fields)


def _missing(topic: str, made: Unsent, row: Row, sent: Sent) -> Finding:
    signaal = decode_signaal(row[1])
    before = f"behind offset {sent.offset(made.behind - 1)}" if made.behind else "at the beginning"
    why = f"of {Place(*_cause(signaal))} the rule makes this {signaal.soort}, and it was not sent"
    return _about(signaal, Kind.MISSING, f"{topic}-0 {before}", why)


def _extra(archive: Archive, topic: str, found: _SentMessage) -> Finding:
    place = str(Place(topic, 0, found.offset))
    try:
        signaal = decode_signaal(found.row[1])
    except WireError:
        return Finding(Kind.EXTRA, place, "it is no signaal")
    cause = Place(*_cause(signaal))
    if archive.row(*cause) is None:
        return _about(signaal, Kind.EXTRA, place, f"its cause, {cause}, is not in the archive")
    return _about(signaal, Kind.EXTRA, place, f"of {cause} the rule does not make it")


def _about(signaal: Signaal, kind: Kind, place: str, why: str, fields: tuple[Field, ...] = ()) -> Finding:
    rule = f"{signaal.dienst}, {signaal.regel.patroon} version {signaal.regel.versie}"
    records = tuple(str(Place(r.topic, r.partition, r.offset)) for r in (signaal.basisfeit, signaal.feit))
    return Finding(kind, place, why, signaal.signaal_id, signaal.versie, str(Place(*_cause(signaal))), rule, fields, records)


def _cause(signaal: Signaal) -> tuple[str, int, int]:
    return signaal.oorzaak.topic, signaal.oorzaak.partition, signaal.oorzaak.offset


def _name(row: Row) -> tuple[str, int] | None:
    try:
        signaal = decode_signaal(row[1])
    except WireError:
        return None
    return signaal.signaal_id, signaal.versie


def _fields(sent: Row, made: Row) -> Iterator[Field]:
    if sent[0] != made[0]:
        yield Field("key", _text(sent[0]), _text(made[0]))
    yield from _unequal("", msgspec.json.decode(sent[1] or b"null"), msgspec.json.decode(made[1] or b"null"))
    yield from _unequal("header ", {k: _text(v) for k, v in sent[2]}, {k: _text(v) for k, v in made[2]})
    if len(sent[2]) != len(made[2]):
        yield Field("number of headers", len(sent[2]), len(made[2]))


def _unequal(name: str, sent: Any, made: Any) -> Iterator[Field]:  # noqa: ANN401 - whatever JSON holds
    if isinstance(sent, dict) and isinstance(made, dict):
        for key in [*made, *(k for k in sent if k not in made)]:
            inner = f"{name}{key}" if not name or name.endswith(" ") else f"{name}.{key}"
            yield from _unequal(inner, sent.get(key), made.get(key))
    elif sent != made:
        yield Field(name, sent, made)


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode(errors="replace")


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
            yield Finding(kind, str(Place(stray.topic, 0, stray.offset)), stray.why)


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
