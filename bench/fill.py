"""From deliveries to records on the product's own wire, and from there into the topics."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, Message, Producer

from bench.workload import Delivery
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue
from schemas.cloudevents import Headers, mutatie_headers, source_of
from schemas.codec import Codec

_EPOCH: Final = date(1970, 1, 1).toordinal()


Delivered = Callable[[KafkaError | None, Message], None]


class WireRecord(NamedTuple):
    """A mutatie as it stands in Kafka."""

    topic: str
    key: str
    value: bytes
    headers: Headers


class Encoder:
    """Encodes deliveries; the workload's persons may have numbers that are no BSN, so the edge's checks are left out."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._codec = Codec(catalogue)
        self._pseudonymiser = Pseudonymiser(bytes(32))
        self._sources = {s: source_of(catalogue.bron_of(s), s.replace(".", "-")) for s in catalogue.mutatie_topics}
        self._schemas = {s: catalogue.latest_schema(f"mutaties.{s}") for s in catalogue.mutatie_topics}

    def persoon(self, bsn: str) -> str:
        """The pseudonym of a person of the workload."""
        return self._pseudonymiser.persoon(bsn)

    def encode(self, delivery: Delivery, moment: datetime | None = None) -> WireRecord:
        """The record of ``delivery``, registered at ``moment`` when it is given."""
        soort, line = delivery
        schema, persoon, feit = self._schemas[soort], self.persoon(line["bsn"]), line["feit"]
        moment = moment or datetime.fromisoformat(line["registratietijd"])
        value = {
            "record_id": line["record_id"],
            "versie": line["versie"],
            "registratietijd": int(moment.timestamp() * 1000),
            "feit": None if feit is None else {k: _day(v) if k.endswith("datum") else v for k, v in feit.items()},
        }
        time = moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        where = (self._sources[soort], schema.bestand)
        headers = mutatie_headers(soort, persoon, line["record_id"], line["versie"], time, *where, ingetrokken=feit is None)
        return WireRecord(f"mutaties.{soort}", persoon, self._codec.encode(schema.id, value), headers)


def producer_of(brokers: str, **settings: object) -> Producer:
    """A producer that partitions as the edge's does and makes batches of the same size, compressed as the edge's are."""
    edge = {
        "log_level": 3,
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "compression.type": "lz4",
        "batch.size": 200_000,
        "linger.ms": 20,
    }
    return Producer({"bootstrap.servers": brokers, "queue.buffering.max.messages": 200_000, **edge, **settings})


def produce(producer: Producer, record: WireRecord, delivered: Delivered | None = None) -> None:
    """Send one record; raises BufferError when too many wait."""
    topic, key, value, headers = record
    producer.produce(topic, value, key, headers=headers, on_delivery=delivered)  # type: ignore[arg-type] # a list is invariant


def keep(records: Iterable[WireRecord], file: Path) -> None:
    """Add records to a file, so that every round is filled with the same bytes at little cost."""
    with file.open("ab") as out:
        pickle.dump(list(records), out)


def kept(file: Path) -> Iterator[WireRecord]:
    """The records of all calls of ``keep``."""
    with file.open("rb") as data:
        while True:
            try:
                yield from pickle.load(data)
            except EOFError:
                return


def fill(brokers: str, records: Iterable[WireRecord]) -> None:
    """Publish records; raises RuntimeError when one is not taken."""
    refused: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            refused.append(error)

    producer = producer_of(brokers)
    for record in records:
        while True:
            try:
                produce(producer, record, delivered)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(120) or refused:
        raise RuntimeError(f"Kafka did not take the workload: {refused[:1]}")


@lru_cache(maxsize=100_000)
def _day(iso: str | None) -> int | None:
    return None if iso is None else date.fromisoformat(iso).toordinal() - _EPOCH
