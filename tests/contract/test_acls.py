"""The rules of the cluster follow from the catalogue, and give nobody more than they need."""

import pytest

from connectors.broker.acls import Rule, wanted_acls
from connectors.broker.topics import wanted_topics
from schemas.catalogue import Catalogue

CHANGELOG = "knoop-personen-changelog"
TAKEN = {"afhandelingen": "knoop", "nummerwijzigingen": "rvig", "knoop-overdrachten": "knoop"}  # by the engine, and who writes them


@pytest.fixture(scope="module")
def rules(catalogue: Catalogue) -> list[Rule]:
    return wanted_acls(catalogue, "knoop", "User:{naam}")


def who_may(rules: list[Rule], operation: str, topic: str) -> set[str]:
    return {
        r.principal.removeprefix("User:")
        for r in rules
        if (r.resource, r.operation) == ("topic", operation) and (topic.startswith(r.name) if r.prefixed else topic == r.name)
    }


def test_of_each_topic_those_read_and_write_who_must(rules: list[Rule], catalogue: Catalogue) -> None:
    for wanted in wanted_topics(catalogue, partities=1, toepassing="knoop"):
        topic = wanted.naam
        kind, _, rest = topic.partition(".")
        readers, writers = who_may(rules, "READ", topic), who_may(rules, "WRITE", topic)
        if kind == "mutaties":
            assert (readers, writers) == ({"knoop", "audit", "beheer"}, {rest.split(".")[0], "beheer"})
        elif kind == "signalen":
            assert (readers, writers) == ({rest, "knoop", "audit", "beheer"}, {"knoop"})
        elif kind == "volgverzoeken":
            assert (readers, writers) == ({rest, "audit", "beheer"}, {"knoop"})
        elif kind == "terugmeldingen":
            assert (readers, writers) == ({"knoop", "audit", "beheer"}, {rest})
        elif topic in TAKEN:
            assert (readers, writers) == ({"knoop", "audit", "beheer"}, {TAKEN[topic], "beheer"})
        elif topic == "checkpoints":
            assert (readers, writers) == ({"audit", "beheer", *catalogue.ontvangers}, {"audit", *catalogue.ontvangers})
        elif topic == CHANGELOG:
            assert (readers, writers) == ({"knoop", "beheer"}, {"knoop"}), "it holds what is kept of everybody"
        else:
            assert {"audit", "beheer"} <= readers
            assert writers


def test_an_ontvanger_has_nothing_but_its_topics_its_groups_and_the_checkpoints(rules: list[Rule], catalogue: Catalogue) -> None:
    for ontvanger in catalogue.ontvangers:
        own = {r[1:] for r in rules if r.principal == f"User:{ontvanger}"}
        as_bron = {r for r in own if r[2].startswith(("mutaties.", "volgverzoeken."))}
        assert bool(as_bron) == (ontvanger in catalogue.bronnen)
        assert all(topic.removesuffix(f".{ontvanger}") != topic or topic.startswith(f"mutaties.{ontvanger}.") for _, _, topic, _ in as_bron)
        assert own - as_bron == {
            ("READ", "topic", f"signalen.{ontvanger}", False),
            ("WRITE", "topic", f"terugmeldingen.{ontvanger}", False),
            ("READ", "group", ontvanger, False),
            ("READ", "group", f"{ontvanger}-", True),
            ("READ", "topic", "checkpoints", False),
            ("WRITE", "topic", "checkpoints", False),
        }


def test_transactions_and_the_group_of_the_engine_are_the_nodes_alone(rules: list[Rule]) -> None:
    others = [r for r in rules if r.resource != "topic" and r.principal not in {"User:knoop", "User:beheer"}]
    assert not [r for r in others if r.name.startswith("knoop")]
    assert [r.name for r in rules if (r.principal, r.resource) == ("User:beheer", "transactional-id")] == ["knoop-quarantaine"]


def test_a_principal_is_named_as_kafka_names_it(catalogue: Catalogue) -> None:
    named = wanted_acls(catalogue, "knoop", "User:CN={naam},O=Keten")
    assert {"User:CN=knoop,O=Keten", "User:CN=uwv,O=Keten", "User:CN=gm0363,O=Keten"} <= {r.principal for r in named}


def test_of_gemeenten_that_ended_the_topics_stay_and_their_opvolgers_do_not_read_them(rules: list[Rule], catalogue: Catalogue) -> None:
    ended = {o.id: o.opgegaan_in for o in catalogue.ontvangers.values() if o.tot is not None}
    topics = {w.naam for w in wanted_topics(catalogue, partities=1, toepassing="knoop")}
    assert len(ended) == 18
    for ontvanger, opvolger in ended.items():
        assert {f"signalen.{ontvanger}", f"terugmeldingen.{ontvanger}"} <= topics
        assert ontvanger in who_may(rules, "READ", f"signalen.{ontvanger}")
        assert opvolger not in who_may(rules, "READ", f"signalen.{ontvanger}")
