"""On a cluster of three brokers with every topic three times: one of them is killed under load."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from bench.catalogues import own_filtering_catalogue
from connectors.broker.topics import apply_topics
from connectors.bronnen.population import population, shuffled
from schemas.catalogue import Catalogue
from tests.cluster import a_cluster
from tests.node import APP, PARTITIES, Node
from tests.oracle import fold, recompute


async def least_replicas(brokers: str, topic: str) -> str:
    """min.insync.replicas of a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        [found] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return str(next(row[1] for row in found.resources[0][4] if row[0] == "min.insync.replicas"))
    finally:
        await admin.close()


@pytest.mark.large
@pytest.mark.timeout(400)
def test_a_broker_of_three_that_is_killed_under_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    folder = own_filtering_catalogue(tmp_path, ontvangers=5)
    catalogue = Catalogue.load(folder)
    deliveries = shuffled(population(catalogue, persons=700, seed=6, mutations=9_000), seed=2)

    async def scenario(node: Node) -> None:
        node.start_worker()
        node.start_worker()
        publishing = asyncio.create_task(node.publish(((d.soort, d.line) for d in deliveries), pause=1.5))
        while not all("partition ready" in log for log in node.logs()):  # noqa: ASYNC110 - other processes, which tell nobody
            await asyncio.sleep(0.1)
        await asyncio.sleep(3)
        assert not publishing.done(), "under load"
        cluster.programs[2].kill()
        await publishing
        await node.until_idle(200)

    with a_cluster(tmp_path) as cluster:
        asyncio.run(apply_topics(cluster.bootstrap, catalogue, partities=PARTITIES, replicatie=3, toepassing=APP))
        assert asyncio.run(least_replicas(cluster.bootstrap, "signalen.gm0363")) == "2"
        node = Node(cluster.bootstrap, tmp_path, catalogue)
        node.env = {"SAMENLOOP_CATALOGUS": str(folder)}
        try:
            asyncio.run(scenario(node))
            folded = fold(asyncio.run(node.signalen()))
            counted = sum(asyncio.run(node.counts()).values())
        finally:
            node.stop_workers()
    assert folded.live == recompute(((d.soort, d.line) for d in deliveries), tmp_path, catalogue)
    assert (folded.duplicates, folded.conflicts, folded.gaps) == (0, [], [])
    assert counted == len(deliveries)
