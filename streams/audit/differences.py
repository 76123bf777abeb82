"""The differences between what a replay made and what was sent, each as a finding that says what it is and what it comes from."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from typing import Any

import msgspec

from schemas.codec import Codec, WireError, decode_signaal
from schemas.quarantine import QUARANTAINE, Refused, read_headers
from schemas.sources import is_overdrachten
from schemas.values import ElkSignaal, Place
from streams.audit.archive import Archive
from streams.audit.compare import Comparison, Unsent
from streams.audit.findings import Field, Finding, Kind
from streams.audit.history import Scope, untaken
from streams.audit.judge import SIGNALEN
from streams.audit.replay import Progress
from streams.audit.rows import Row as SentRow
from streams.audit.sent import NOTHING, VOLGVERZOEKEN, Sent, place_of
from streams.effects import Row
from streams.encoded import row_of

_Name = tuple[str, int] | str | None
_Found = tuple[int, SentRow]  # a message that was sent, and the partition in which it stands


class Differences:
    """Those of one partition; ``later`` counts what the engine may have sent behind the end of what was replayed."""

    def __init__(self, archive: Archive, partition: int, progress: Progress, scope: Scope) -> None:
        self.later = 0
        self._archive, self._partition, self._progress, self._scope = archive, partition, progress, scope

    def of(self, sent: Mapping[str, Sent]) -> Iterator[Finding]:
        """All of them; raises ArchiveError."""
        progress = self._progress
        for topic in sorted({*progress.compared, *sent}):
            comparison, there = progress.compared.get(topic) or Comparison(), sent.get(topic, NOTHING)
            unmade = comparison.settle(there) if progress.unread is None else comparison.unmade()
            if unmade or comparison.unsent:
                yield from self._differences(topic, self._messages(topic, there, unmade), comparison.unsent, there)

    def _messages(self, topic: str, sent: Sent, numbers: Iterable[int]) -> list[_Found]:
        """Those messages of a topic that were not made and should have been."""
        wanted = {sent.offset(number) for number in numbers}
        if not wanted:
            return []
        by_partition = defaultdict[int, set[int]](set)
        for place in (place_of(topic, self._partition, offset) for offset in wanted):
            by_partition[place.partition].add(place.offset)
        found = [
            (partition, r)
            for partition, offsets in sorted(by_partition.items())
            for r in self._archive.rows(topic, partition, min(offsets))
            if r.offset in offsets
        ]
        return [f for f in found if self._is_asked_in_scope(f[1])] if topic.startswith(VOLGVERZOEKEN) else found

    def _is_asked_in_scope(self, row: SentRow) -> bool:
        """Whether the engine can only have sent a volgverzoek in the scope: it names no cause, so that it has to be told otherwise."""
        if row.timestamp < (self._scope.begin or 0):
            return False
        if row.key in self._untaken:
            self.later += 1
            return False
        return True

    @cached_property
    def _untaken(self) -> set[bytes | None]:
        """Personen about whom a record stands behind the end of what was replayed."""
        return untaken(self._archive, self._partition, self._progress.position)

    def _differences(self, topic: str, unmade: list[_Found], unsent: list[Unsent], sent: Sent) -> Iterator[Finding]:
        by_name: dict[_Name, list[_Found]] = defaultdict(list)
        for message in unmade:
            by_name[_name(topic, _row(message))].append(message)
        for made in unsent:
            row = row_of(made.fields)
            same = by_name.get(_name(topic, row)) or []
            if same:
                yield self._different(topic, same.pop(0), row)
            else:
                yield self._missing(topic, made, row, sent)
        for messages in by_name.values():
            for message in messages:
                yield self._extra(topic, message)

    def _different(self, topic: str, found: _Found, made: Row) -> Finding:
        fields = tuple(self._fields(topic, _row(found), made))
        names = ", ".join(f.name for f in fields)
        return _about(
            topic, Kind.DIFFERENT, self._place(topic, found), made, f"{_cause(topic, made)} the rule makes it with another {names}", fields
        )

    def _missing(self, topic: str, made: Unsent, row: Row, sent: Sent) -> Finding:
        before = f"behind offset {sent.offset(made.behind - 1)}" if made.behind else "at the beginning"
        what = f"this {decode_signaal(row[1]).soort}" if topic.startswith(SIGNALEN) else "it"
        why = f"{_cause(topic, row)} the rule makes {what}, and it was not sent"
        where = "" if is_overdrachten(topic) else f"-{place_of(topic, self._partition, 0).partition} {before}"
        return _about(topic, Kind.MISSING, f"{topic}{where}", row, why)

    def _extra(self, topic: str, found: _Found) -> Finding:
        place, row = self._place(topic, found), _row(found)
        if _names_no_cause(topic):
            return _about(topic, Kind.EXTRA, place, row, "of the records that were taken the rule does not make it")
        try:
            cause = _cause_place(topic, row)
        except WireError:
            return Finding(Kind.EXTRA, place, "it is no signaal")
        if self._archive.row(*cause) is None:
            return _about(topic, Kind.EXTRA, place, row, f"its cause, {cause}, is not in the archive")
        return _about(topic, Kind.EXTRA, place, row, f"of {cause} the rule does not make it")

    @staticmethod
    def _place(topic: str, found: _Found) -> str:
        return str(Place(topic, found[0], found[1].offset))

    def _fields(self, topic: str, sent: Row, made: Row) -> Iterator[Field]:
        if sent[0] != made[0]:
            yield Field("key", _text(sent[0]), _text(made[0]))
        yield from _unequal("", self._content(topic, sent[1]), self._content(topic, made[1]))
        yield from _unequal("header ", {k: _text(v) for k, v in sent[2]}, {k: _text(v) for k, v in made[2]})
        if len(sent[2]) != len(made[2]):
            yield Field("number of headers", len(sent[2]), len(made[2]))

    def _content(self, topic: str, value: bytes | None) -> Any:  # noqa: ANN401 - whatever JSON holds
        if topic.startswith(SIGNALEN):
            return msgspec.json.decode(value or b"null")
        if topic != QUARANTAINE:
            with suppress(WireError):
                decode = self._codec.decode_overdracht if is_overdrachten(topic) else self._codec.decode_volgverzoek
                return msgspec.to_builtins(decode(value))
        return {"value": None if value is None else f"SHA-256 {sha256(value).hexdigest()}"}  # nobody knows what a refused one holds

    @cached_property
    def _codec(self) -> Codec:
        return Codec(self._archive.catalogue(self._archive.catalogues[-1], verified=False))


def _row(message: _Found) -> Row:
    return message[1].key, message[1].value, message[1].headers


def _names_no_cause(topic: str) -> bool:
    """Whether a finding about a message tells it from others by its ``ce_id`` alone."""
    return topic.startswith(VOLGVERZOEKEN) or is_overdrachten(topic)


def _about(topic: str, kind: Kind, place: str, row: Row, why: str, fields: tuple[Field, ...] = ()) -> Finding:
    name = _name(topic, row)
    if not topic.startswith(SIGNALEN):
        return Finding(kind, place, why, about=str(name) if name else None, fields=fields)
    signaal = decode_signaal(row[1])
    rule = f"{signaal.dienst}, {signaal.regel.patroon} version {signaal.regel.versie}"
    records = tuple(str(Place(r.topic, r.partition, r.offset)) for r in signaal.bewijs)
    cause = str(_cause_of(signaal))
    return Finding(kind, place, why, signaal.signaal_id, signaal.versie, oorzaak=cause, regel=rule, fields=fields, records=records)


def _cause(topic: str, row: Row) -> str:
    return "of the records that were taken" if _names_no_cause(topic) else f"of {_cause_place(topic, row)}"


def _cause_place(topic: str, row: Row) -> Place:
    """The record that caused a message; raises WireError."""
    if topic != QUARANTAINE:
        return _cause_of(decode_signaal(row[1]))
    found = read_headers(row[2])
    assert isinstance(found, Refused)  # noqa: S101 - no others are compared
    return found.place


def _cause_of(signaal: ElkSignaal) -> Place:
    return Place(signaal.oorzaak.topic, signaal.oorzaak.partition, signaal.oorzaak.offset)


def _name(topic: str, row: Row) -> _Name:
    """What a message is about: two with one name are the same message in two forms."""
    if _names_no_cause(topic):
        return _text(dict(row[2]).get("ce_id"))
    try:
        if topic == QUARANTAINE:
            return str(_cause_place(topic, row))
        signaal = decode_signaal(row[1])
    except WireError:
        return None
    return signaal.signaal_id, signaal.versie


def _unequal(name: str, sent: Any, made: Any) -> Iterator[Field]:  # noqa: ANN401 - whatever JSON holds
    if isinstance(sent, dict) and isinstance(made, dict):
        for key in [*made, *(k for k in sent if k not in made)]:
            inner = f"{name}{key}" if not name or name.endswith(" ") else f"{name}.{key}"
            yield from _unequal(inner, sent.get(key), made.get(key))
    elif sent != made:
        yield Field(name, sent, made)


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode(errors="replace")
