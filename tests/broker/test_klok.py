"""The klok on a real node, by the command line: a day begins, a signal comes of it, and it is shown, explained and reproduced."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from schemas.catalogue import Catalogue
from tests.broker.test_commands import OTHER_BSN, cli, line
from tests.node import Node, node_in

INSCHRIJVING = line("i-1", 1, "duo.inschrijving", {"begindatum": "2024-08-01", "einddatum": "2026-01-31"})
JONGERE = line("j-1", 1, "gemeente.jongere", {"begindatum": "2025-09-01", "kenmerk": "RMC-7"})
OPGAVE, UITKERING = "uwv.inkomstenopgave", "uwv.uitkering"
RECLAIMED, *INCOME = [
    (soort, {**told, "bsn": OTHER_BSN})
    for soort, told in (
        line("t-1", 1, "gemeente.terugvordering", {"begindatum": "2025-06-01", "houder": "gm0599", "kenmerk": "TV-7"}),
        line("o-1", 1, OPGAVE, {"begindatum": "2025-12-01", "einddatum": "2025-12-31", "loon_sv": 150_000}),
        line("o-2", 1, OPGAVE, {"begindatum": "2026-04-01", "einddatum": "2026-04-30", "loon_sv": -20_000}),
        line("u-1", 1, UITKERING, {"begindatum": "2026-02-01", "einddatum": "2026-05-31", "bruto_bedrag": 130_000}),
    )
]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Iterator[Node]:
    """A node on which a young person's enrolment ended, and a debtor's benefit began, and the days around that have begun."""
    with node_in(tmp_path_factory.mktemp("klok"), catalogue) as node:
        node.start_worker()
        for day in ("2026-01-31", "2026-02-01"):
            for mutaties in ([JONGERE, RECLAIMED], [INSCHRIJVING, *INCOME]):  # twice the same: nothing more comes of it
                asyncio.run(node.publish(mutaties))
                asyncio.run(node.until_idle())  # topics have no order among them: who is not followed yet has nothing kept
            assert cli(node, "klok", day).stdout == f"{day}: {node.partities} ticks\n"
            asyncio.run(node.until_idle())
        yield node


def signal(node: Node, ontvanger: str = "gm0363") -> dict[str, object]:
    (found,) = json.loads(cli(node, "signals", ontvanger, "--json").stdout)
    return found


def test_the_day_behind_an_enrolment_brings_the_signal_once(node: Node) -> None:
    found = signal(node)
    assert (found["kenmerk"], found["versie"], found["begindatum"], found["einddatum"]) == ("RMC-7", 1, "2026-02-01", "2028-05-16")
    assert found["registratietijd"] == "2026-02-01T00:00:00.000Z"
    shown = cli(node, "follow", "gm0363", "--from-beginning", "--max-messages", "1").stdout
    assert "ontbreken  1 feb 2026 t/m 16 mei 2028" in shown


def test_it_is_explained_by_the_klok_and_reproduced_from_the_log(node: Node) -> None:
    name = str(signal(node)["signaal_id"])
    told = json.loads(cli(node, "explain", name, "--verify", "--json").stdout)
    assert told["controle"]["klopt"]
    assert [v["reden"]["code"] for v in told["versies"]] == ["KLOK"]
    assert [(v["veld"], v["waarde"]) for v in told["velden"]] == [("onderwijssoort", "MBO_BOL")]
    text = cli(node, "explain", name).stdout
    assert "met de klok van 1 feb 2026" in text
    assert "op de dag van de klok is er een basisfeit, en geen van de feiten" in text


def test_why_not_says_which_rules_apply_today_and_which_do_not(node: Node) -> None:
    told = json.loads(cli(node, "explain", "--why-not", "RMC-7", "--ontvanger", "gm0363", "--json").stdout)
    codes = {p["dienst"]: (p["code"], p["signaal_id"]) for p in told["pairs"]}
    assert codes == {
        "jongeren-zonder-startkwalificatie": ("REGEL_GELDT", signal(node)["signaal_id"]),
        "voortijdig-schoolverlaters": ("REGEL_GELDT_NIET", None),
    }


def test_income_above_a_threshold_is_followed_explained_with_its_sums_and_reproduced(node: Node) -> None:
    """What ends the days, a correction that is to come, is cited by no version; the records make them all the same."""
    found = signal(node, "gm0599")
    assert (found["kenmerk"], found["versie"], found["begindatum"], found["einddatum"]) == ("TV-7", 2, "2026-02-01", "2026-03-31")
    shown = cli(node, "follow", "gm0599", "--from-beginning", "--max-messages", "2").stdout.splitlines()
    assert "NIEUW      TV-7" in shown[0]
    assert "drempel  1 dec 2025 t/m 31 dec 2025" in shown[0]
    assert "loon_sv € 1.500,00" in shown[0]
    assert "drempel  1 feb 2026 t/m 31 mrt 2026  uwv.uitkering 1 feb 2026 t/m 31 mei 2026 bruto_bedrag € 1.300,00" in shown[1]
    text = cli(node, "explain", str(found["signaal_id"]), "--verify").stdout
    assert "de drempel is € 1.200,00\n  1 feb 2026 t/m 31 mrt 2026: € 1.300,00\n" in text
    assert "alle 2 versies komen er byte voor byte zo uit" in text
    told = json.loads(cli(node, "explain", "--why-not", "TV-7", "--ontvanger", "gm0599", "--json").stdout)
    assert [(p["dienst"], p["code"]) for p in told["pairs"]] == [("inkomen-bij-terugvordering", "BOVEN_DREMPEL")]


def test_a_day_that_is_none_is_refused(node: Node) -> None:
    assert cli(node, "klok", "2026-02-30").returncode == 2
    assert cli(node, "klok", "2026-02-01", "--every-day").returncode == 2
