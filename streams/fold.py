"""From the frames of one partition to their effects: decode, ``step``, encode. Reads no clock, does no I/O.

The native core (streams/native) does the plain mutaties of a frame; what it leaves, and everything where there is none, goes through the
pure Python below, which defines what is right.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeVar

from schemas.catalogue import Catalogue
from schemas.cloudevents import gewist_headers, signaal_headers, source_of, volgverzoek_headers
from schemas.codec import Codec, WireError, encode_signaal
from schemas.quarantine import QUARANTAINE, refused_row
from schemas.reasons import Reason
from schemas.sources import AFHANDELINGEN, KLOK, NUMMERWIJZIGINGEN, PLAIN, overdrachten_topic
from schemas.values import PERSOON, ElkSignaal, Mutatie, Place
from streams.core.days import Days, begun, struck
from streams.core.due import due_of, is_due
from streams.core.messages import iso_time
from streams.core.rulebook import Soort, rulebook_of
from streams.core.step import Outcome, refuse_unaddressable, step, tick
from streams.core.timeline import Read, Timeline, keys_of, persoon_of, timeline_of
from streams.effects import Effects, Encoded, Row
from streams.native.kern import Kern, NoKernError
from streams.native.program import program_of
from streams.nummers import Nummers, handled_by
from streams.records import Run, SourceRecord
from streams.settings import KernChoice

_DAY_MS = 86_400_000
T = TypeVar("T")

Frame = tuple[str, Run]  # topic and records in the order of the log


class State(Protocol):
    """What a partition knows before the frames."""

    @property
    def klok(self) -> int | None:
        """The day of the newest tick, in days since 1970-01-01."""

    def get(self, key: bytes) -> bytes | None:
        """A row of a persoon."""

    def due(self, day: int) -> set[bytes]:
        """The personen for whom time alone changes something by ``day``."""


class Folder:
    """Folds frames under one catalogue."""

    def __init__(self, catalogue: Catalogue, system: str, kern: KernChoice = "native") -> None:
        """Without a native core for this machine the pure Python does all."""
        self.catalogus = catalogue.versie
        self.rulebook = rulebook_of(catalogue)
        self._codec = Codec(catalogue)
        self._source = source_of(catalogue.bronnen["knooppunt"], system)
        self._overdrachten = overdrachten_topic(system)
        self._nummers = Nummers(self.rulebook, self._codec, self._overdrachten, self._source)
        self._kern: Kern | None = None
        self.without_kern = ""  # why there is no native core, when it was asked for
        if kern == "native":
            try:
                self._kern = Kern(program_of(catalogue, self.rulebook, self._source))
            except NoKernError as e:
                self.without_kern = str(e)

    def finished(self, rows: Mapping[bytes, bytes | None]) -> list[Row | Encoded]:
        """Rows of state as they are written to the changelog."""
        if self._kern is None:
            return [(key, row, []) for key, row in rows.items()]
        return [*self._kern.encode(rows)]

    @property
    def kern(self) -> KernChoice:
        """The core that does the plain mutaties."""
        return "python" if self._kern is None else "native"

    @property
    def topics(self) -> list[str]:
        """The topics whose records can be folded."""
        return [*self.rulebook.by_topic, *PLAIN, self._overdrachten]

    def fold(self, state: State, partition: int, frames: Iterable[Frame]) -> Effects:
        """The effects of ``frames``; ``state`` is that before them."""
        effects, before = Effects(klok=state.klok), state.get
        changes = effects.changes

        def known(key: bytes) -> bytes | None:
            return changes[key] if key in changes else before(key)

        if self._kern is not None:
            self._kern.forget()
        for topic, run in frames:
            soort = self.rulebook.by_topic.get(topic)
            if soort is not None:
                effects.changes.update(begun(known, effects.klok, soort.nummer, run.first))
            if topic == AFHANDELINGEN:
                self._handled(effects, known, partition, run)
            elif topic in {NUMMERWIJZIGINGEN, self._overdrachten}:
                self._numbered(effects, known, topic, partition, run)
            elif soort is None:
                self._ticks(effects, state, known, partition, run)
            elif self._kern is None:
                self._take(effects, known, soort, partition, list(run))
            else:
                self._take_natively(self._kern, effects, known, soort, partition, run)
            effects.offsets[topic, partition] = run.following
        if self._kern is not None:
            self._kern.send(effects)
        return effects

    def said(self, partition: int, outcomes: Iterable[tuple[bytes, Outcome]]) -> Effects:
        """What is said about personen, as effects of nothing else."""
        effects = Effects()
        if self._kern is not None:
            self._kern.forget()
        self._announce(effects, partition, outcomes)
        if self._kern is not None:
            self._kern.send(effects)
        return effects

    def _take_natively(self, kern: Kern, effects: Effects, read: Read, soort: Soort, partition: int, run: Run) -> None:
        left = kern.fold(effects, read, soort.topic, partition, run)
        if left:
            self._take(effects, read, soort, partition, left)

    def _take(self, effects: Effects, read: Read, soort: Soort, partition: int, records: Sequence[SourceRecord]) -> None:
        """A frame goes through each stage as a whole: short loops over like things are measurably quicker than a long one over all."""
        timelines, changed = dict[bytes, Timeline](), dict[bytes, None]()
        decode = partial(self._codec.decode_mutatie, soort.topic)
        mutaties = [_about_a_persoon(record, decode) for record in records]
        _open(timelines, records, mutaties, read)
        outcomes = self._stepped(effects, timelines, changed, soort, zip(records, mutaties, strict=True), partition)
        self._announce(effects, partition, outcomes)
        for persoon in changed:
            effects.changes.update(timelines[persoon].rows())

    def _stepped(
        self,
        effects: Effects,
        timelines: dict[bytes, Timeline],
        changed: dict[bytes, None],
        soort: Soort,
        decoded: Iterable[tuple[SourceRecord, Mutatie | WireError]],
        partition: int,
    ) -> list[tuple[bytes, Outcome]]:
        """Take mutaties into the timelines; what is to be said because of it."""
        outcomes, fates = [], []
        for record, mutatie in decoded:
            persoon = record.key or b""
            try:
                if isinstance(mutatie, WireError):
                    raise mutatie
                before, place = timelines[persoon], Place(soort.topic, partition, record.offset)
                if before.head.nummer.nieuw is not None:
                    refuse_unaddressable(self.rulebook, soort, mutatie)
                    outcome = self._nummers.hand_on(effects, before, mutatie.registratietijd, place, record.value)
                else:
                    outcome = step(self.rulebook, before, soort, mutatie, place, effects.klok)
            except WireError as e:
                self._quarantine(effects, soort.topic, partition, record, e.reason)
                continue
            fates.append(outcome.fate)
            if outcome.timeline is not before:
                timelines[persoon] = outcome.timeline
                changed[persoon] = None
            if outcome.signalen or outcome.volgverzoeken:
                effects.announced += [(s.dienst, s.soort, mutatie.registratietijd) for s in outcome.signalen]
                outcomes.append((persoon, outcome))
        for fate, number in Counter(fates).items():
            effects.count(soort.topic, fate, number)
        return outcomes

    def _ticks(self, effects: Effects, state: State, read: Read, partition: int, records: Iterable[SourceRecord]) -> None:
        for record in records:
            try:
                day = self._codec.decode_klok(record.value)
            except WireError as e:
                self._quarantine(effects, KLOK, partition, record, e.reason)
                continue
            if effects.klok is None or day > effects.klok:
                days, rows = struck(read, effects.klok, day, self.rulebook.bewaren)
                effects.changes.update(rows)
                self._pass_days(effects, _due(effects, state, day), read, Place(KLOK, partition, record.offset), day, days)
                effects.klok = day
            effects.count(KLOK, "opgeslagen")

    def _handled(self, effects: Effects, read: Read, partition: int, records: Iterable[SourceRecord]) -> None:
        for record in records:
            persoon = record.key or b""
            afhandeling = _about_a_persoon(record, self._codec.decode_afhandeling)
            if isinstance(afhandeling, WireError):
                self._quarantine(effects, AFHANDELINGEN, partition, record, afhandeling.reason)
                continue
            before = timeline_of(persoon, read)
            if before.head.nummer.nieuw is not None:
                place = Place(AFHANDELINGEN, partition, record.offset)
                outcome = self._nummers.hand_on(effects, before, afhandeling.registratietijd, place, record.value)
            else:
                outcome = handled_by(self.rulebook, before, afhandeling, effects.klok)
            if outcome.timeline is not before:
                effects.changes.update(outcome.timeline.rows())
            effects.count(AFHANDELINGEN, outcome.fate)

    def _numbered(self, effects: Effects, read: Read, topic: str, partition: int, records: Iterable[SourceRecord]) -> None:
        take = self._nummers.renumber if topic == NUMMERWIJZIGINGEN else self._nummers.take_over
        decode: Callable[[bytes | None], Any] = (
            self._codec.decode_nummerwijziging if topic == NUMMERWIJZIGINGEN else self._codec.decode_overdracht
        )
        for record in records:
            persoon, said = record.key or b"", _about_a_persoon(record, decode)
            try:
                if isinstance(said, WireError):
                    raise said
                outcome = take(effects, timeline_of(persoon, read), said, Place(topic, partition, record.offset))
            except WireError as e:
                self._quarantine(effects, topic, partition, record, e.reason)
                continue
            effects.announced += [(s.dienst, s.soort, said.registratietijd) for s in outcome.signalen]
            self._announce(effects, partition, [(persoon, outcome)])
            effects.count(topic, outcome.fate)

    def _pass_days(self, effects: Effects, due: Iterable[bytes], read: Read, place: Place, day: int, days: Days) -> None:
        for persoon in sorted(due):
            before = timeline_of(persoon, read)
            timeline, signalen = tick(self.rulebook, before, effects.klok, day, place, days)
            if timeline is None:
                self._erase(effects, before, place, day)
                continue
            effects.changes.update((key, row) for key, row in timeline.rows().items() if row != read(key))
            effects.announced += [(s.dienst, s.soort, day * _DAY_MS) for s in signalen]
            self._send(effects, signalen)

    def _erase(self, effects: Effects, timeline: Timeline, place: Place, day: int) -> None:
        """Nothing of a persoon is left, nor of what bronnen were asked about it."""
        persoon = timeline.persoon
        effects.changes.update(dict.fromkeys(key for key in keys_of(persoon, timeline.head.pages) if timeline.read(key) is not None))
        for bron in sorted(timeline.head.follows):
            headers = gewist_headers(persoon.decode(), place, iso_time(day * _DAY_MS), bron, self._source)
            effects.send(f"volgverzoeken.{bron}", place.partition, (persoon, None, headers))
        effects.erased += 1

    def _announce(self, effects: Effects, partition: int, outcomes: Iterable[tuple[bytes, Outcome]]) -> None:
        for persoon, outcome in outcomes:
            self._send(effects, outcome.signalen)
            for bron, asked in outcome.volgverzoeken:
                headers = volgverzoek_headers(persoon.decode(), asked.versie, iso_time(asked.registratietijd), bron, self._source)
                effects.send(f"volgverzoeken.{bron}", partition, (persoon, self._codec.encode_volgverzoek(asked), headers))

    def _send(self, effects: Effects, signalen: Iterable[ElkSignaal]) -> None:
        for signaal in signalen:
            row = (signaal.signaal_id.encode(), encode_signaal(signaal), signaal_headers(signaal, self._source))
            if self._kern is None:
                effects.send(f"signalen.{signaal.ontvanger}", 0, row)
            else:  # the order among signalen of one ontvanger is that in which they were made, whichever core made them
                self._kern.put(signaal.ontvanger, row)

    @staticmethod
    def _quarantine(effects: Effects, topic: str, partition: int, record: SourceRecord, reason: Reason) -> None:
        effects.send(QUARANTAINE, 0, refused_row(record.key, record.value, reason, Place(topic, partition, record.offset)))
        effects.count(topic, QUARANTAINE)


def _about_a_persoon(record: SourceRecord, decode: Callable[[bytes | None], T]) -> T | WireError:
    """What a record says, or why it cannot be taken; its key has to be a pseudonym."""
    if record.key is None or not PERSOON.fullmatch(record.key):
        return WireError(Reason.SLEUTEL_ONGELDIG)
    try:
        return decode(record.value)
    except WireError as e:
        return e


def _open(
    timelines: dict[bytes, Timeline],
    records: Iterable[SourceRecord],
    mutaties: Iterable[Mutatie | WireError],
    read: Read,
) -> None:
    """Read the timelines that are needed and not there yet."""
    for record, mutatie in zip(records, mutaties, strict=True):
        persoon = record.key or b""
        if persoon not in timelines and not isinstance(mutatie, WireError):
            timelines[persoon] = timeline_of(persoon, read)


def _due(effects: Effects, state: State, day: int) -> set[bytes]:
    """The personen who are due by ``day``, also because of what came in the frames before."""
    days = {persoon_of(key): due_of(row).next for key, row in effects.changes.items() if is_due(key)}
    changed = {persoon: at is not None and at <= day for persoon, at in days.items()}
    return {p for p in state.due(day) if p not in changed} | {p for p, due in changed.items() if due}
