"""Fills the topics with a workload, on the product's own wire."""

from collections.abc import Iterable
from datetime import date, datetime

from bench.workload import Delivery
from connectors.bronnen.producer import MutatieProducer
from connectors.bronnen.pseudonym import Pseudonymiser
from schemas.catalogue import Catalogue
from schemas.cloudevents import mutatie_headers, source_of
from schemas.codec import Codec

_EPOCH = date(1970, 1, 1).toordinal()


async def fill(brokers: str, catalogue: Catalogue, deliveries: Iterable[Delivery]) -> int:
    """Publish ``deliveries``; the workload's persons have numbers that are no BSN, so the edge's checks are left out."""
    codec, pseudonymiser, number = Codec(catalogue), Pseudonymiser(bytes(32)), 0
    sources = {s: source_of(catalogue.bron_of(s), s.replace(".", "-")) for s in catalogue.mutatie_topics}
    schemas = {s: catalogue.latest_schema(f"mutaties.{s}") for s in catalogue.mutatie_topics}
    async with MutatieProducer(brokers) as producer:
        for number, (soort, line) in enumerate(deliveries, 1):
            persoon, feit, schema = pseudonymiser.persoon(line["bsn"]), line["feit"], schemas[soort]
            moment = datetime.fromisoformat(line["registratietijd"])
            value = {
                "record_id": line["record_id"],
                "versie": line["versie"],
                "registratietijd": int(moment.timestamp() * 1000),
                "feit": None if feit is None else {**feit, "begindatum": _day(feit["begindatum"]), "einddatum": _day(feit["einddatum"])},
            }
            where = (sources[soort], schema.bestand)
            headers = mutatie_headers(
                soort, persoon, line["record_id"], line["versie"], line["registratietijd"], *where, ingetrokken=feit is None
            )
            await producer.send(f"mutaties.{soort}", persoon, codec.encode(schema.id, value), headers, number)
        await producer.flush()
    return number


def _day(iso: str | None) -> int | None:
    return None if iso is None else date.fromisoformat(iso).toordinal() - _EPOCH
