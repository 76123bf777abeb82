"""What a switch to other rules would say now, worked out from an archive: for each ontvanger and dienst who gets more, less, other.

The history is done again under the rules that held, and then every persoon is judged by the new ones, as the switch-over does.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from schemas.catalogue import Catalogue
from schemas.codec import Codec, decode_signaal
from schemas.values import Place
from schemas.verloop import Omslag, verloop_topic
from streams.audit.archive import Archive
from streams.audit.history import Scope, Transaction, values_at
from streams.audit.judge import SIGNALEN, Judge
from streams.audit.manifest import ArchiveError
from streams.audit.pool import Pool, Shared
from streams.audit.replay import PartitionReplay, Progress
from streams.audit.run import StoppedError
from streams.audit.sent import VOLGVERZOEKEN
from streams.core.timeline import is_head
from streams.effects import Effects
from streams.encoded import rows_in
from streams.fold import Folder
from streams.switching import PartitionSwitch

SOORTEN: Final = ("NIEUW", "GEWIJZIGD", "VERVALLEN")


class Change(msgspec.Struct, frozen=True, order=True):
    """One signal that would be sent."""

    ontvanger: str
    dienst: str
    soort: str
    signaal_id: str
    versie: int
    begindatum: str | None
    einddatum: str | None
    records: tuple[str, ...]  # places of those from which it follows


class Total(msgspec.Struct):
    """What one ontvanger would get of one dienst."""

    ontvanger: str
    dienst: str
    nieuw: int = 0
    gewijzigd: int = 0
    vervallen: int = 0


class Preview(msgspec.Struct, frozen=True):
    """The whole."""

    toepassing: str
    van: Sequence[str]
    naar: str
    records: int
    persons: int
    totals: Sequence[Total]
    volgverzoeken: dict[str, int]  # by bron
    changes: Sequence[Change]

    def number(self, soort: str) -> int:
        """How many signals of a soort would be sent."""
        return sum(c.soort == soort for c in self.changes)


class _Job(NamedTuple):
    archive: Path
    toepassing: str
    partition: int
    new: Path


class _Part(NamedTuple):
    van: str | None
    records: int
    persons: int
    changes: list[Change]
    volgverzoeken: dict[str, int]


def preview(
    archive: Path, toepassing: str, new: Path, processes: int, told: Callable[[int, int], None] = lambda _done, _of: None
) -> Preview:
    """What a switch to the catalogue in the folder ``new`` would say, on some processes, 0 for this one.

    Raises ArchiveError when the history cannot be done again, and SwitchError.
    """
    numbers = Archive(archive).partitions(verloop_topic(toepassing))
    if not numbers:
        raise ArchiveError(f"{archive}: it has no {verloop_topic(toepassing)}, which says what the engine took")
    shared = Shared(len(numbers))
    with Pool(processes, shared) as pool:
        jobs = [_Job(archive, toepassing, p, new) for p in numbers]
        parts = pool.map(_part, jobs, lambda: told(sum(shared.done[:]), len(numbers)))
    changes = sorted(c for p in parts for c in p.changes)
    asked: dict[str, int] = {}
    for bron, number in sorted(pair for p in parts for pair in p.volgverzoeken.items()):
        asked[bron] = asked.get(bron, 0) + number
    return Preview(
        toepassing,
        sorted({p.van for p in parts if p.van}),
        Catalogue.load(new).versie,
        sum(p.records for p in parts),
        sum(p.persons for p in parts),
        _totals(changes),
        asked,
        changes,
    )


def _totals(changes: Sequence[Change]) -> list[Total]:
    found: dict[tuple[str, str], Total] = {}
    for change in changes:
        key = change.ontvanger, change.dienst
        total = found.setdefault(key, Total(*key))
        name = change.soort.lower()
        setattr(total, name, getattr(total, name) + 1)
    return list(found.values())


def _part(job: _Job, shared: Shared) -> _Part:
    archive, progress = Archive(job.archive), Progress()
    judge = Judge(archive, job.partition, {}, lambda _: False)
    replay = PartitionReplay(archive, job.toepassing, job.partition, Scope(), archive.catalogue, judge, progress)
    for _ in replay.run():
        if shared.stop.is_set():
            raise StoppedError
    if progress.unread is not None or progress.gaps:
        raise ArchiveError(progress.unread or f"partition {job.partition}: the archive lacks what the engine took; 'replay' says what")
    if replay.last is None:
        return _Part(None, 0, 0, [], {})
    effects = _switched(archive, job, progress, replay.last)
    asked = {t.removeprefix(VOLGVERZOEKEN): len(m) for (t, _), m in effects.messages.items() if t.startswith(VOLGVERZOEKEN)}
    said = [v for (t, _), m in effects.messages.items() if t.startswith(SIGNALEN) for _, v, _ in rows_in(m)]
    persons = sum(map(is_head, progress.rows))
    return _Part(replay.last.verloop.catalogus, progress.records, persons, list(map(_change, said)), asked)


def _switched(archive: Archive, job: _Job, progress: Progress, last: Transaction) -> Effects:
    """What a switch behind the transaction ``last`` would do."""
    old, new = archive.catalogue(last.verloop.catalogus), Catalogue.load(job.new)
    switch = PartitionSwitch(Folder(old, job.toepassing), Folder(new, job.toepassing), Codec(new))
    values = {t: values_at(archive, t, job.partition, offsets) for t, offsets in switch.needed(progress.rows).items()}
    place = Place(verloop_topic(job.toepassing), job.partition, last.offset + 1)
    return switch.effects(progress.rows, progress.klok, Omslag(last.verloop.catalogus, last.timestamp), place, values)


def _change(value: bytes | None) -> Change:
    s = decode_signaal(value)
    records = tuple(str(Place(r.topic, r.partition, r.offset)) for r in s.bewijs)
    return Change(s.ontvanger, s.dienst, s.soort, s.signaal_id, s.versie, s.begindatum, s.einddatum, records)
