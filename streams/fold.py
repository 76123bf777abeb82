"""From the frames of one partition to their effects: decode, ``step``, encode. Reads no clock, does no I/O."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from schemas.catalogue import Catalogue
from schemas.cloudevents import signaal_headers, source_of, volgverzoek_headers
from schemas.codec import Codec, WireError, encode_signaal
from schemas.quarantine import QUARANTAINE, refused_row
from schemas.reasons import Reason
from schemas.values import PERSOON, Place
from streams.core.messages import iso_time
from streams.core.rulebook import Soort, rulebook_of
from streams.core.step import Outcome, step
from streams.core.timeline import Timeline, from_bytes, to_bytes
from streams.effects import Effects

KLOK = "klok"


class SourceRecord(Protocol):
    """What the fold needs of a Kafka record."""

    key: bytes | None
    value: bytes | None
    offset: int


Frame = tuple[str, list[Any]]  # topic and SourceRecords in the order of the log


class Folder:
    """Folds frames under one catalogue."""

    def __init__(self, catalogue: Catalogue, system: str) -> None:
        self.rulebook = rulebook_of(catalogue)
        self._codec = Codec(catalogue)
        self._source = source_of(catalogue.bronnen["knooppunt"], system)

    @property
    def topics(self) -> list[str]:
        """The topics whose records can be folded."""
        return [*self.rulebook.by_topic, KLOK]

    def fold(self, read: Callable[[bytes], bytes | None], partition: int, frames: Iterable[Frame]) -> Effects:
        """The effects of ``frames``; ``read`` gives the state of a persoon before them."""
        effects, timelines = Effects(), dict[bytes, Timeline]()
        for topic, records in frames:
            soort = self.rulebook.by_topic.get(topic)
            for record in records:
                try:
                    if soort is None:
                        self._tick(effects, record)
                    else:
                        self._mutatie(effects, timelines, read, soort, record, partition)
                except WireError as e:
                    self._quarantine(effects, topic, partition, record, e.reason)
            effects.offsets[topic, partition] = records[-1].offset + 1
        for persoon, timeline in timelines.items():
            effects.changes[persoon] = to_bytes(timeline)
        return effects

    def _tick(self, effects: Effects, record: SourceRecord) -> None:
        day = self._codec.decode_klok(record.value)
        effects.klok = day if effects.klok is None else max(day, effects.klok)
        effects.count(KLOK, "opgeslagen")

    def _mutatie(
        self,
        effects: Effects,
        timelines: dict[bytes, Timeline],
        read: Callable[[bytes], bytes | None],
        soort: Soort,
        record: SourceRecord,
        partition: int,
    ) -> None:
        persoon = record.key
        if persoon is None or not PERSOON.fullmatch(persoon):
            raise WireError(Reason.SLEUTEL_ONGELDIG)
        mutatie = self._codec.decode_mutatie(soort.topic, record.value)
        before = timelines.get(persoon)
        if before is None:
            before = from_bytes(read(persoon))
        outcome = step(self.rulebook, before, soort, mutatie, Place(soort.topic, partition, record.offset))
        effects.count(soort.topic, outcome.fate)
        if outcome.timeline is not before:
            timelines[persoon] = outcome.timeline
        if outcome.signalen or outcome.volgverzoeken:
            effects.announced += [(s.dienst, s.soort, mutatie.registratietijd) for s in outcome.signalen]
            self._announce(effects, persoon, partition, outcome)

    def _announce(self, effects: Effects, persoon: bytes, partition: int, outcome: Outcome) -> None:
        for signaal in outcome.signalen:
            row = (signaal.signaal_id.encode(), encode_signaal(signaal), signaal_headers(signaal, self._source))
            effects.send(f"signalen.{signaal.ontvanger}", 0, row)
        for bron, asked in outcome.volgverzoeken:
            headers = volgverzoek_headers(persoon.decode(), asked.versie, iso_time(asked.registratietijd), bron, self._source)
            effects.send(f"volgverzoeken.{bron}", partition, (persoon, self._codec.encode_volgverzoek(asked), headers))

    @staticmethod
    def _quarantine(effects: Effects, topic: str, partition: int, record: SourceRecord, reason: Reason) -> None:
        effects.send(QUARANTAINE, 0, refused_row(record.key, record.value, reason, Place(topic, partition, record.offset)))
        effects.count(topic, QUARANTAINE)
