"""The topics of the catalogue: what is wanted, and a real Kafka that is brought to it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connectors.broker import topics
from connectors.broker.embedded import EmbeddedBroker
from connectors.broker.topics import TopicsDiff, TopicsError, WantedTopic, apply_topics, diff_topics, retention_ms, wanted_topics
from schemas.catalogue import Catalogue
from streams.engine import outputs_of

DAY_MS = 24 * 60 * 60 * 1000
PARTITIES = 3


@pytest.fixture(scope="module")
def wanted(catalogue: Catalogue) -> dict[str, WantedTopic]:
    return {w.naam: w for w in wanted_topics(catalogue, partities=PARTITIES, toepassing="knoop")}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Kafka of this module's own, since what it lacks is what is tested."""
    broker = EmbeddedBroker(tmp_path_factory.mktemp("topics"), heap_mb=384)
    try:
        yield broker.start().bootstrap
    finally:
        broker.stop()


def test_what_a_persoon_is_the_key_of_meets_on_equal_partitions(wanted: dict[str, WantedTopic], catalogue: Catalogue) -> None:
    together = {f"mutaties.{soort}" for soort in catalogue.mutatie_topics} | {
        "klok",
        "afhandelingen",
        "nummerwijzigingen",
        "knoop-overdrachten",
        "knoop-personen-changelog",
        "knoop-verloop",
    }
    together |= {name for name in wanted if name.startswith("volgverzoeken.")}
    assert {wanted[name].partities for name in together} == {PARTITIES}
    assert {w.partities for name, w in wanted.items() if name not in together} == {1}


def test_every_ontvanger_has_its_topics_and_every_bron_that_must_be_told_its_volgverzoeken(
    wanted: dict[str, WantedTopic], catalogue: Catalogue
) -> None:
    for family in ("signalen", "terugmeldingen"):
        assert {n for n in wanted if n.startswith(f"{family}.")} == {f"{family}.{o}" for o in catalogue.ontvangers}
    told = {b.id for b in map(catalogue.bron_of, catalogue.mutatie_topics) if not b.filtert_zelf}
    assert {n for n in wanted if n.startswith("volgverzoeken.")} == {f"volgverzoeken.{b}" for b in told}
    assert set(outputs_of(catalogue)) <= set(wanted), "the engine writes to no topic that nobody makes"
    assert not [n for n in wanted if "<" in n]


@pytest.mark.parametrize(("bewaartermijn", "days"), [("P30D", 30), ("P1M", 31), ("P15M", 465)])
def test_nothing_goes_before_its_bewaartermijn(bewaartermijn: str, days: int) -> None:
    assert retention_ms(bewaartermijn) == days * DAY_MS


def test_what_has_a_bewaartermijn_is_deleted_and_what_has_none_is_compacted(wanted: dict[str, WantedTopic], catalogue: Catalogue) -> None:
    assert wanted["mutaties.gemeente.bijstand"].configuratie["retention.ms"] == str(465 * DAY_MS)
    kept = {n for n, w in wanted.items() if w.configuratie["cleanup.policy"] == "compact"}
    assert kept == {n for n in wanted if n.startswith("volgverzoeken.")} | {"knoop-personen-changelog"}
    assert kept == {n for n, w in wanted.items() if "retention.ms" not in w.configuratie}


def test_what_is_compacted_stays_near_the_size_of_what_stands_and_loses_what_was_withdrawn_within_days(
    wanted: dict[str, WantedTopic],
) -> None:
    for topic in (w.configuratie for w in wanted.values() if w.configuratie["cleanup.policy"] == "compact"):
        assert int(topic["segment.bytes"]) <= 64 << 20
        assert float(topic["min.cleanable.dirty.ratio"]) <= 0.2
        assert int(topic["max.compaction.lag.ms"]) <= DAY_MS
        assert int(topic["delete.retention.ms"]) >= 7 * DAY_MS, "who stood frozen for days still hears what is gone"


def test_an_index_is_small_where_partitions_are_many_and_holds_all_of_a_segment(wanted: dict[str, WantedTopic]) -> None:
    of_one = [w.configuratie for n, w in wanted.items() if w.partities == 1 and n.startswith(("signalen.", "terugmeldingen."))]
    compacted = [w.configuratie for w in wanted.values() if w.configuratie["cleanup.policy"] == "compact"]
    assert len(of_one) > 600
    for topic in (*of_one, *compacted):
        assert int(topic["segment.index.bytes"]) <= 256 << 10, "Kafka maps two of them a partition, and the first entry may fill both"
        entries = int(topic["segment.index.bytes"]) // 12  # of time; those of offsets have 8 bytes
        assert 4_096 * entries >= 64 << 20, "at most one entry for each log.index.interval.bytes of the segment"


async def settings_of(brokers: str, naam: str) -> dict[str, Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, naam)])
        return {name: value for name, value, *_ in answer.resources[0][4]}
    finally:
        await admin.close()


async def test_an_empty_kafka_is_brought_to_the_catalogue_once(
    empty: str, catalogue: Catalogue, wanted: dict[str, WantedTopic], monkeypatch: pytest.MonkeyPatch
) -> None:
    diff = partial(diff_topics, empty, catalogue, partities=PARTITIES, toepassing="knoop")
    apply = partial(apply_topics, empty, catalogue, partities=PARTITIES, replicatie=1, toepassing="knoop")
    before = await diff()
    assert {w.naam for w in before.missing} == set(wanted)

    both = await asyncio.gather(*(apply() for _ in range(2)))
    assert before in both, "one of two at the same time may find all made by the other; neither fails"
    assert await diff() == TopicsDiff((), ())
    assert not await apply()
    for naam in ("mutaties.uwv.uitkering", "knoop-personen-changelog", "quarantaine", "signalen.gm0363"):
        real = await settings_of(empty, naam)
        assert {k: real[k] for k in wanted[naam].configuratie} == dict(wanted[naam].configuratie)

    other = await apply_topics(empty, catalogue, partities=5, replicatie=1, toepassing="knoop")
    assert other.missing == ()
    assert {(w.naam, w.partities, n) for w, n in other.partitions_differ} == {
        (n, 5, PARTITIES) for n, w in wanted.items() if w.partities == PARTITIES
    }
    assert await diff() == TopicsDiff((), ()), "a difference in partitions is told, never changed"

    bad = replace(wanted["klok"], naam="klok2", configuratie={"cleanup.policy": "forget"})
    monkeypatch.setattr(topics, "wanted_topics", lambda *_, **__: [bad])
    with pytest.raises(TopicsError, match="topic klok2 could not be made: InvalidConfigurationError"):
        await apply()


async def test_more_replicas_than_brokers_is_a_clear_error(empty: str, catalogue: Catalogue) -> None:
    with pytest.raises(TopicsError, match="topic replica-overdrachten could not be made: InvalidReplicationFactorError"):
        await apply_topics(empty, catalogue, partities=PARTITIES, replicatie=3, toepassing="replica")
