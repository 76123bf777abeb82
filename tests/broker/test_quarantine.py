"""Quarantine as an operator meets it, on a real node: seen, understood, and retried after a fix."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer

from schemas.catalogue import Catalogue
from schemas.cloudevents import Headers, mutatie_headers
from schemas.codec import Codec
from schemas.reasons import Reason
from tests.broker.test_commands import cli, line
from tests.node import Node, node_in

PERSOON = b"A" * 52
BSN = b"999990019"  # of the test range: a bron that uses it as a key makes a grave mistake
BIJSTAND, UITKERING = "mutaties.gemeente.bijstand", "mutaties.uwv.uitkering"
FEIT = {"begindatum": 20_000, "einddatum": None, "houder": "gm0363", "kenmerk": "PW-GEHEIM", "wet": "IOAW"}
GOOD = {"record_id": "b-1", "versie": 1, "registratietijd": 1_760_000_000_000, "feit": FEIT}
HEADERS = mutatie_headers(
    "gemeente.bijstand", PERSOON.decode(), "b-1", 1, "2025-10-09T08:53:20.000Z", "urn:nld:oin:1:systeem:x", "s", ingetrokken=False
)

DELIVERED = [
    line("b-1", 1, "gemeente.bijstand", {"begindatum": "2026-01-01", "houder": "gm0363", "kenmerk": "PW-7"}),
    line("ikv-1", 1, "uwv.inkomstenverhouding", {"begindatum": "2026-02-01", "einddatum": "2026-04-30"}),
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Node]:
    """A node that was given five bad records, the last about a persoon with a signaal."""
    with node_in(tmp_path_factory.mktemp("quarantine"), catalogue) as node:
        framed = Codec(catalogue).encode(1, GOOD)
        unknown_houder = Codec(catalogue).encode(1, {**GOOD, "feit": {**FEIT, "houder": "gm9999"}})
        asyncio.run(put(node, BIJSTAND, PERSOON, b"\x00\x00\x00\x03\xe7" + framed[5:], HEADERS))
        asyncio.run(put(node, BIJSTAND, BSN, framed, [("bsn", BSN)]))
        asyncio.run(put(node, UITKERING, PERSOON, None))
        asyncio.run(put(node, BIJSTAND, PERSOON, unknown_houder, HEADERS, partition=2))
        asyncio.run(put(node, UITKERING, node.checked(*DELIVERED[0]).persoon.encode(), b"\x00\x00", partition=3))
        node.start_worker()
        for delivery in DELIVERED:
            asyncio.run(node.publish([delivery]))
            asyncio.run(node.until_idle())
        yield node


async def put(node: Node, topic: str, key: bytes | None, value: bytes | None, headers: Headers = (), partition: int = 1) -> None:  # type: ignore[assignment]
    """A record past the edge, as a bron with a fault of its own would send it."""
    producer = AIOKafkaProducer(bootstrap_servers=node.brokers)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, key, partition=partition, headers=list(headers))
    finally:
        await producer.stop()


def listed(node: Node, *args: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(cli(node, "quarantine", "list", "--json", *args).stdout)["records"]
    return found


def number_of(node: Node, reason: Reason) -> str:
    (one,) = listed(node, "--reason", reason)
    return str(one["number"])


def test_list_shows_each_record_with_its_place_and_sums_up_the_reasons(node: Node) -> None:
    done = cli(node, "quarantine", "list")
    assert done.returncode == 0
    (row,) = [line.split("│")[1:-1] for line in done.stdout.splitlines() if "SCHEMA_ONBEKEND" in line and "│" in line]
    assert [cell.strip() for cell in row[1:5]] == ["SCHEMA_ONBEKEND", BIJSTAND, "1", "0"]
    assert "1  HOUDER_ONBEKEND  The houder of the basisfeit is not an ontvanger in the catalogue." in done.stdout
    (one,) = listed(node, "--reason", "SCHEMA_ONBEKEND")
    assert (one["open"], one["partition"], one["offset"], one["schema_id"], one["refused_now"]) == (True, 1, 0, 999, "SCHEMA_ONBEKEND")


def test_list_can_be_narrowed_by_topic_and_reason(node: Node) -> None:
    assert len(listed(node)) == 5
    assert {r["reason"] for r in listed(node, "--topic", "uwv.uitkering")} == {"LEEG", "AFGEKAPT"}
    assert {r["reason"] for r in listed(node, "--topic", BIJSTAND, "--topic", UITKERING, "--reason", "LEEG")} == {"LEEG"}
    assert listed(node, "--topic", "klok") == []
    assert "no record stands open" in cli(node, "quarantine", "list", "--topic", "klok").stdout


def test_show_explains_the_record_and_keeps_what_is_in_it_to_itself(node: Node) -> None:
    text = cli(node, "quarantine", "show", number_of(node, Reason.SCHEMA_ONBEKEND)).stdout
    for part in (
        "in quarantine: open", "The schema id is not in the catalogue.", f"{BIJSTAND}-1@0", "a pseudonym",
        "00 00 03 e7  schema id 999, which the catalogue does not have", "ce_type = nl.samenloop.mutatie.vastgesteld.v1",
        "ce_subject = (with --content)", "the present catalogue would refuse it: SCHEMA_ONBEKEND",
    ):  # fmt: skip
        assert part in text
    assert PERSOON.decode() not in text
    assert b"PW-GEHEIM".hex(" ") not in text
    assert "no value at all" in cli(node, "quarantine", "show", number_of(node, Reason.LEEG)).stdout


def test_show_with_content_gives_the_bytes_and_where_it_can_be_read_the_value(node: Node) -> None:
    number = number_of(node, Reason.HOUDER_ONBEKEND)
    text = cli(node, "quarantine", "show", number, "--content").stdout
    for part in (f"Key: {PERSOON.decode()}", f"ce_subject = {PERSOON.decode()}", '"houder": "gm9999"', "00000000  00 00 00 00 01 "):
        assert part in text
    told = json.loads(cli(node, "quarantine", "show", number, "--content", "--json").stdout)
    assert told["content"]["decoded"]["feit"]["kenmerk"] == "PW-GEHEIM"
    assert "content" not in json.loads(cli(node, "quarantine", "show", number, "--json").stdout)


def test_a_key_that_is_no_pseudonym_is_not_printed_nor_are_headers_that_a_bron_made_up(node: Node) -> None:
    number = number_of(node, Reason.SLEUTEL_ONGELDIG)
    for flags in ((), ("--json",)):
        said = cli(node, "quarantine", "show", number, *flags).stdout  # cli() itself looks for the BSN
        assert "not a pseudonym, 9 bytes" in said
        assert BSN.hex() not in said


def test_explain_says_of_a_persoon_what_stands_in_quarantine_and_what_that_means(node: Node) -> None:
    (signaal,) = json.loads(cli(node, "signals", "gm0363", "--json").stdout)
    number = number_of(node, Reason.AFGEKAPT)
    for args in ((signaal["signaal_id"],), ("--why-not", "PW-7", "--ontvanger", "gm0363")):
        text = cli(node, "explain", *args).stdout
        assert "Let op: 1 record over deze persoon staat in quarantaine en telt niet mee." in text
        assert f"nummer {number}: {UITKERING}-3@0, AFGEKAPT" in text
        told = json.loads(cli(node, "explain", *args, "--json").stdout)
        assert [str(q["number"]) for q in told["quarantined"]] == [number]


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("show", "99"), "there is no record 99 in quarantine"),
        (("list", "--topic", "uwv.auto"), "there is no uwv.auto in the catalogue"),
        (("list", "--reason", "ZOMAAR"), "'ZOMAAR' is not one of"),
    ],
)
def test_what_is_not_there_is_named_on_stderr_with_exit_code_2(node: Node, args: tuple[str, ...], word: str) -> None:
    done = cli(node, "quarantine", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr


def test_a_record_that_needs_no_retry_is_closed_with_a_reason_and_explain_flags_nobody_for_it(node: Node) -> None:
    number = number_of(node, Reason.AFGEKAPT)
    (signaal,) = json.loads(cli(node, "signals", "gm0363", "--json").stdout)
    counted = asyncio.run(node.counts())
    assert cli(node, "quarantine", "close", number, "--because", "over 999.99.00.19").returncode == 2
    assert cli(node, "quarantine", "close", "--because", "alles").returncode == 2, "which ones must be said"
    done = cli(node, "quarantine", "close", number, "--because", "de bron leverde het opnieuw")
    assert (done.returncode, done.stdout, done.stderr) == (0, "1 closed\n", "")
    again = cli(node, "quarantine", "close", number, "--because", "nog eens")
    assert again.stdout == f"0 closed\n  {number} was closed: de bron leverde het opnieuw\n"

    assert listed(node, "--reason", "AFGEKAPT") == []
    (closed,) = listed(node, "--all", "--reason", "AFGEKAPT")
    assert (closed["open"], closed["closed"]) == (False, "de bron leverde het opnieuw")
    assert "in quarantine: closed: de bron leverde het opnieuw" in cli(node, "quarantine", "show", number).stdout
    assert "quarantaine" not in cli(node, "explain", signaal["signaal_id"]).stdout
    assert asyncio.run(node.counts()) == counted, "where the input ended is as it was"
    assert [r["number"] for r in json.loads(cli(node, "quarantine", "retry", number, "--json").stdout)["retried"]] == [int(number)]
