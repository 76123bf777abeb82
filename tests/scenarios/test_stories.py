"""The stories, on the fold of the engine and on a real node."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from connectors.bronnen.bsn import normal_bsn
from connectors.bronnen.lines import LineReader
from connectors.bronnen.population.persons import synthetic_bsns
from connectors.bronnen.pseudonym import Pseudonymiser
from connectors.klok import tick
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from streams.encoded import rows_in
from streams.fold import Folder
from streams.records import SourceRecord, run_of
from streams.store import PartitionStore
from tests.node import node_in
from tests.scenarios.story import BSN, KLOK, Step, Story, said, stories

STORIES = stories()
TIMELESS = [s for s in STORIES if not s.has_klok]
KLOK_SCHEMA = Catalogue.load().latest_schema(KLOK).id


class Teller:
    """Tells a story to the engine, one delivery at a time."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._folder = Folder(catalogue, "verhaal")
        self._codec = Codec(catalogue)
        self._readers = {s: LineReader(catalogue, s, Pseudonymiser(bytes(32))) for s in catalogue.mutatie_topics}
        self._store = PartitionStore(self._folder.rulebook.layout)
        self._offset = 0

    def tell(self, step: Step) -> tuple[dict[str, list[str]], dict[str, str | None], list[dict[str, Any]]]:
        """(what each ontvanger is told, what each bron is asked, the signals)."""
        if step.soort == KLOK:
            topic, key, value = KLOK, None, self._codec.encode(KLOK_SCHEMA, step.line, logical=True)
        else:
            mutatie = self._readers[step.soort].read(json.dumps(step.line).encode())
            topic, key, value = f"mutaties.{step.soort}", mutatie.persoon.encode(), mutatie.value
        record = SourceRecord(key, value, self._offset)
        self._offset += 1
        effects = self._folder.fold(self._store, 0, [(topic, run_of([record]))])
        self._store.apply(effects)
        told: dict[str, list[str]] = {}
        asked: dict[str, str | None] = {}
        signalen = []
        for (topic, _), rows in effects.messages.items():
            family, name = topic.split(".")
            for _, value, _ in rows_in(rows):
                if family == "signalen":
                    signalen.append(json.loads(value or b""))
                    told.setdefault(name, []).append(said(signalen[-1]))
                else:
                    volgt = self._codec.decode(value)["volgt"]
                    asked[name] = str(volgt[0]["vanaf"]) if volgt else None
        return told, asked, signalen

    @property
    def counts(self) -> dict[str, int]:
        """Where the deliveries ended."""
        return dict(self._store.meta.counts)


@pytest.mark.parametrize("story", STORIES, ids=[s.title for s in STORIES])
def test_story(catalogue: Catalogue, story: Story) -> None:
    teller = Teller(catalogue)
    not_kept = 0
    for number, step in enumerate(story.steps, 1):
        told, asked, signalen = teller.tell(step)
        assert told == step.told, f"{story.file}, step {number}"
        assert asked == step.asked, f"{story.file}, step {number}"
        not_kept += not step.kept
        for s in signalen:
            told_of = (
                [(s["feit"]["soort"], s["gegevens"] or {})] if "feit" in s else [(p["soort"], p["velden"]) for p in s["gegevens"] or []]
            )
            for soort, velden in told_of:
                listed = {v.veld for f in catalogue.diensten[s["dienst"]].feiten if f.soort == soort for v in f.velden}
                assert s["gegevens"] is None or set(velden) == listed
            assert (s["gegevens"] is None) == (s["soort"] == "VERVALLEN")
            assert BSN not in json.dumps(s)
    assert sum(n for key, n in teller.counts.items() if key.endswith("niet_bewaard")) == not_kept


def test_a_houder_that_loses_a_benefit_learns_nothing_of_the_one_that_gets_it(catalogue: Catalogue) -> None:
    teller = Teller(catalogue)
    story = next(s for s in STORIES if "andere gemeente" in s.title)
    signalen = [s for step in story.steps for s in teller.tell(step)[2]]
    for s in signalen:
        other = {"gm0363": ("gm0599", "R-1"), "gm0599": ("gm0363", "A-1")}[s["ontvanger"]]
        assert not any(word in json.dumps(s) for word in other)
    got = {o: [(s["versie"], s["soort"]) for s in signalen if s["ontvanger"] == o] for o in ("gm0363", "gm0599")}
    assert got == {
        "gm0363": [(1, "NIEUW"), (2, "VERVALLEN"), (3, "NIEUW")],
        "gm0599": [(1, "NIEUW"), (2, "VERVALLEN")],
    }


@pytest.mark.timeout(180)
def test_all_stories_on_a_real_node_tell_each_gemeente_the_same(tmp_path: Path, catalogue: Catalogue) -> None:
    """Each story is about another person; deliveries keep their order by waiting until the one before is done.

    The klok is that of all: of the stories in which time passes the longest comes behind the others, alone.
    """
    timed = max((s for s in STORIES if s.has_klok), key=lambda s: len(s.steps))
    told = [*TIMELESS, timed]
    bsns = [bsn for _, bsn in zip(told, synthetic_bsns(), strict=False)]
    assert all(normal_bsn(bsn) for bsn in bsns)
    with node_in(tmp_path, catalogue) as node:
        asyncio.run(_tell_all(node, told, bsns))
        heard: dict[tuple[str, str], list[str]] = {}
        for topic, value in asyncio.run(node.signalen()):
            s = json.loads(value)
            heard.setdefault((topic.split(".")[1], s["basisfeit"]["record_id"]), []).append(said(s))
    wanted: dict[tuple[str, str], list[str]] = {}
    for number, story in enumerate(told):
        teller = Teller(catalogue)
        for step in story.steps:
            for s in teller.tell(step)[2]:
                wanted.setdefault((s["ontvanger"], f"{number}-{s['basisfeit']['record_id']}"), []).append(said(s))
    assert heard == wanted


async def _tell_all(node: Any, told: list[Story], bsns: list[str]) -> None:
    node.start_worker()
    *timeless, timed = enumerate(told)
    for turn in range(max(len(s.steps) for _, s in timeless)):
        await _tell(node, bsns, [(number, s.steps[turn]) for number, s in timeless if turn < len(s.steps)])
    for step in timed[1].steps:
        await _tell(node, bsns, [(timed[0], step)])


async def _tell(node: Any, bsns: list[str], now: list[tuple[int, Step]]) -> None:
    for _, step in now:
        if step.soort == KLOK:
            await tick(node.brokers, node.catalogue, step.line["datum"])
    await node.publish(
        (step.soort, {**step.line, "bsn": bsns[number], "record_id": f"{number}-{step.line['record_id']}"})
        for number, step in now
        if step.soort != KLOK
    )
    await node.until_idle(60)
