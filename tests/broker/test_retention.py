"""The end of a bewaartermijn on a real Kafka: nothing of the persoon is left in what stands, and who restores knows nobody."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from schemas.catalogue import Catalogue
from streams.core.timeline import persoon_of
from tests.broker.test_commands import BIJSTAND, IKV, OTHER_BSN, cli, line
from tests.node import APP, Node, node_in

ENDED = [line("b-1", 1, BIJSTAND, {"begindatum": "2026-01-01", "einddatum": "2026-02-28", "houder": "gm0363", "kenmerk": "PW-7"})]
WORKED = [line("ikv-1", 1, IKV, {"begindatum": "2026-02-01", "einddatum": "2026-04-30"})]
LASTS = (BIJSTAND, {**line("b-9", 1, BIJSTAND, {"begindatum": "2026-01-01", "houder": "gm0363", "kenmerk": "PW-9"})[1], "bsn": OTHER_BSN})


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Node]:
    """A node that knew two personen; the bijstand of one ended on 28 February 2026, and 465 days went by."""
    with node_in(tmp_path_factory.mktemp("bewaren"), catalogue) as node:
        node.start_worker()
        cli(node, "klok", "2026-02-27")
        asyncio.run(node.until_idle())
        for mutaties in ([*ENDED, LASTS], WORKED):
            asyncio.run(node.publish(mutaties))
            asyncio.run(node.until_idle())
        for day in ("2026-02-28", "2027-06-08", "2027-06-09"):
            cli(node, "klok", day)
            asyncio.run(node.until_idle())
        yield node


def standing(node: Node, topic: str) -> dict[bytes, bytes | None]:
    """What compaction leaves of a topic, with its nulls."""
    return {r.key: r.value for r in asyncio.run(node.records([topic]))}


def test_of_whoever_is_erased_nothing_stands_but_nulls_in_state_and_at_every_bron_that_was_asked(node: Node) -> None:
    rows = {key: row for key, row in standing(node, f"{APP}-personen-changelog").items() if not key.startswith(b"#")}
    personen = {persoon_of(key) for key in rows}
    erased = {p for p in personen if not any(row for key, row in rows.items() if persoon_of(key) == p)}
    assert (len(personen), len(erased)) == (2, 1)
    asked = [standing(node, t) for t in asyncio.run(node.topics()) if t.startswith("volgverzoeken.")]
    told = [topic for topic in asked if topic]
    assert len(told) > 5
    assert all({p for p, value in topic.items() if value is None} == erased for topic in told)
    assert all(topic.keys() == personen for topic in told)


def test_the_ontvanger_hears_nothing_of_it_and_why_not_says_it(node: Node) -> None:
    (signal,) = json.loads(cli(node, "signals", "gm0363", "--json").stdout)
    assert (signal["kenmerk"], signal["versie"]) == ("PW-7", 1)
    told = json.loads(cli(node, "explain", "--why-not", "PW-7", "--ontvanger", "gm0363", "--json").stdout)
    assert (told["gewist"], told["pairs"]) == (True, [])
    assert "de bewaartermijn is voorbij" in cli(node, "explain", "--why-not", "PW-7", "--ontvanger", "gm0363").stdout
    assert not json.loads(cli(node, "explain", "--why-not", "PW-9", "--ontvanger", "gm0363", "--json").stdout)["gewist"]


def test_a_worker_that_restores_knows_nobody_who_was_erased_and_a_late_record_is_only_counted(node: Node) -> None:
    node.stop_workers()
    node.start_worker()
    before = asyncio.run(node.counts())
    asyncio.run(node.publish([line("ikv-2", 1, IKV, {"begindatum": "2026-02-01"})]))
    asyncio.run(node.until_idle())
    _, metrics = asyncio.run(node.health(1, "/metrics"))
    assert "samenloop_persons 1.0" in metrics
    after = asyncio.run(node.counts())
    assert {k: n - before.get(k, 0) for k, n in after.items() if n != before.get(k, 0)} == {f"mutaties.{IKV} niet_bewaard": 1}
