"""Topics from the catalogue: what should be on a cluster, what it lacks, and making it so."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError, TopicAlreadyExistsError, for_code

from schemas.bewaren import bewaardagen
from schemas.brokers import client_options
from schemas.catalogue import Catalogue, Topic
from schemas.checkpoints import CHECKPOINTS
from schemas.quarantine import QUARANTAINE

_DAY_MS: Final = 86_400_000
_SHOWN_SECONDS: Final = 10
_LOOK_SECONDS: Final = 0.05
_PER_ONTVANGER: Final = ".<ontvanger>"
_LARGE: Final = 8_388_608  # bytes: the state of one persoon with thousands of records; a quarantined record of any size

# Kafka maps two indexes of 10 MiB for each partition, and a file system may fill both at the first entry, for each of hundreds of
# ontvangers. An index of 256 KiB is full, and its segment ends, when the segment has at least 85 MiB.
INDEX_BYTES: Final = 256 << 10
_SMALL_INDEX: Final = {"segment.index.bytes": str(INDEX_BYTES)}

# Who reads a compacted topic reads all of it: the broker keeps it near the size of what stands. Kafka's own values would leave a
# gigabyte a partition, the segment that is written to, untouched, and what was withdrawn on the disk for as long.
_COMPACTED: Final = {
    **_SMALL_INDEX,
    "segment.bytes": str(64 << 20),
    "min.cleanable.dirty.ratio": "0.2",
    "max.compaction.lag.ms": str(_DAY_MS),
    # A worker that stood frozen with its state reads on from where it was, and must then learn of all that is gone.
    "delete.retention.ms": str(7 * _DAY_MS),
}

_ERASED_MS: Final = 31 * _DAY_MS  # that a bron may be away without missing that a persoon was erased


class TopicsError(Exception):
    """The cluster would not make a topic; the text names it and says why."""


@dataclass(frozen=True)
class WantedTopic:
    """A topic as the cluster should have it."""

    naam: str
    partities: int
    configuratie: Mapping[str, str]


@dataclass(frozen=True)
class TopicsDiff:
    """What a cluster lacks of the catalogue."""

    missing: tuple[WantedTopic, ...]
    partitions_differ: tuple[tuple[WantedTopic, int], ...]  # with the number that the cluster has

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return bool(self.missing or self.partitions_differ)

    @property
    def lacking(self) -> tuple[WantedTopic, ...]:
        """Those without which the engine cannot work: it has no use for the checkpoints, and cannot see them where there are rules."""
        return tuple(t for t in self.missing if t.naam != CHECKPOINTS)


def retention_ms(bewaartermijn: str) -> int:
    """``P15M`` or ``P30D`` in milliseconds."""
    return bewaardagen(bewaartermijn) * _DAY_MS


def wanted_topics(catalogue: Catalogue, *, partities: int, toepassing: str) -> list[WantedTopic]:
    """All topics of the catalogue; those with a persoon as key have ``partities`` partitions, so that a persoon's records meet."""
    return [
        WantedTopic(naam, n, _configuration(t))
        for t in catalogue.topics.values()
        for naam, n in _names(catalogue, t, partities, toepassing)
    ]


def _names(catalogue: Catalogue, topic: Topic, partities: int, toepassing: str) -> Iterator[tuple[str, int]]:
    if topic.topic.endswith(_PER_ONTVANGER):
        yield from ((topic.topic.replace("<ontvanger>", o), 1) for o in catalogue.ontvangers)
    elif topic.topic == "volgverzoeken.<bron>":
        bronnen = {catalogue.bron_of(s) for s in catalogue.mutatie_topics}
        yield from ((f"volgverzoeken.{b.id}", partities) for b in sorted(bronnen, key=lambda b: b.id) if not b.filtert_zelf)
    elif topic.topic in {QUARANTAINE, CHECKPOINTS}:
        yield topic.topic, 1
    else:
        yield topic.topic.replace("<toepassing>", toepassing), partities


def _configuration(topic: Topic) -> dict[str, str]:
    # LogAppendTime: retention counts from the day that the node had it; the legal time is ce_time.
    configuration = {"cleanup.policy": topic.opruiming, "message.timestamp.type": "LogAppendTime"}
    if topic.opruiming == "compact":
        configuration |= _COMPACTED
    if topic.topic.endswith(_PER_ONTVANGER):
        configuration |= _SMALL_INDEX
    if topic.topic == "volgverzoeken.<bron>":
        configuration["delete.retention.ms"] = str(_ERASED_MS)
    if topic.bewaartermijn is not None:
        configuration["retention.ms"] = str(retention_ms(topic.bewaartermijn))
    if topic.waarde == "bytes":
        configuration["max.message.bytes"] = str(_LARGE)
    return configuration


async def diff_topics(bootstrap: str, catalogue: Catalogue, *, partities: int, toepassing: str) -> TopicsDiff:
    """Compare the cluster with the catalogue."""
    admin = AIOKafkaAdminClient(**client_options(bootstrap))
    await admin.start()
    try:
        return await _diff(admin, wanted_topics(catalogue, partities=partities, toepassing=toepassing))
    finally:
        await admin.close()


async def apply_topics(bootstrap: str, catalogue: Catalogue, *, partities: int, replicatie: int, toepassing: str) -> TopicsDiff:
    """Make the missing topics and return what was missing; raises TopicsError.

    A topic with another number of partitions is left as it is: adding some would move persons between workers.
    """
    admin = AIOKafkaAdminClient(**client_options(bootstrap))
    await admin.start()
    try:
        diff = await _diff(admin, wanted_topics(catalogue, partities=partities, toepassing=toepassing))
        if diff.missing:
            await _create(admin, diff.missing, replicatie)
            await _shown(admin, diff.missing, toepassing)
        return diff
    finally:
        await admin.close()


async def _diff(admin: AIOKafkaAdminClient, wanted: list[WantedTopic]) -> TopicsDiff:
    described = await admin.describe_topics()
    there = {t["topic"]: len(t["partitions"]) for t in described}
    missing = tuple(w for w in wanted if w.naam not in there)
    differ = tuple((w, there[w.naam]) for w in wanted if w.naam in there and there[w.naam] != w.partities)
    return TopicsDiff(missing, differ)


async def _shown(admin: AIOKafkaAdminClient, made: tuple[WantedTopic, ...], group: str) -> None:
    """Give brokers time to hear of what the controller made: who publishes at once would be told that there is no such topic.

    A new cluster then makes its own topics when it is first asked for a group. It does so behind ours: when it has these, it leads all.
    """
    with suppress(TimeoutError):  # who may make topics need not be one who may see them, or a group
        async with asyncio.timeout(_SHOWN_SECONDS):
            while (await _diff(admin, [*made])).missing:  # noqa: ASYNC110 - Kafka tells nobody
                await asyncio.sleep(_LOOK_SECONDS)
            while not await _knows_groups(admin, group):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)


async def _knows_groups(admin: AIOKafkaAdminClient, group: str) -> bool:
    try:
        await admin.find_coordinator(group)
    except GroupCoordinatorNotAvailableError:
        return False
    except KafkaError:
        pass  # the rights of whoever makes topics do not say
    return True


async def _create(admin: AIOKafkaAdminClient, missing: tuple[WantedTopic, ...], replicatie: int) -> None:
    # One replica may be away and writing goes on; with two away Kafka refuses, rather than keep the only copy of a signal.
    replicas = {"min.insync.replicas": str(replicatie - 1)} if replicatie > 1 else {}
    new = [NewTopic(w.naam, w.partities, replicatie, topic_configs={**w.configuratie, **replicas}) for w in missing]
    try:
        response = await admin.create_topics(new)
    except KafkaError as e:
        raise TopicsError(f"topics could not be made: {e}") from e
    for naam, code, *rest in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise TopicsError(f"topic {naam} could not be made: {error.__name__} {' '.join(str(r) for r in rest if r)}")
