"""The records behind a signaal reproduce it, in whatever order they came; a signal that was tampered with is found and named."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.codec import encode_signaal
from schemas.values import Mutatie, Place, Signaal
from streams.audit import reproduce as reproducing
from streams.audit.reproduce import Delivered, Input, Reproduction, UndecidedError, reproduce
from streams.core.rulebook import Soort
from streams.core.step import step
from streams.core.timeline import timeline_of
from tests.property.worlds import BASIS, Told, deliveries, rules

FOLLOWED = "uwv.inkomstenopgave"
SELF_FILTERING = "duo.studiefinanciering"


class Logged(NamedTuple):
    """What the topics hold after a run: mutaties at their places, and signals."""

    inputs: list[Input]
    signalen: list[Signaal]

    def reproduced(self, signaal_id: str, sent: dict[int, list[bytes]] | None = None) -> Reproduction:
        mine = [s for s in self.signalen if s.signaal_id == signaal_id]
        feit = mine[0].feit
        inputs = [i for i in self.inputs if i.soort.is_basisfeit or (i.soort.naam, i.mutatie.record_id) == (feit.soort, feit.record_id)]
        return reproduce(rules(), b"P", signaal_id, inputs, sent or {s.versie: [encode_signaal(s)] for s in mine})


def soort_of(naam: str) -> Soort:
    return next(s for s in rules().soorten.values() if s.naam == naam)


def logged(told: Sequence[Told]) -> Logged:
    """The engine over ``told``; each topic has offsets of its own, and Kafka's clock ran the other way."""
    timeline, ends, log = timeline_of(b"P", lambda _: None), dict[str, int](), Logged([], [])
    for number, one in enumerate(told):
        soort = soort_of(one.soort)
        place = Place(soort.topic, 0, ends.get(soort.topic, 0))
        ends[soort.topic] = place.offset + 1
        outcome = step(rules(), timeline, soort, one.mutatie, place, None)
        timeline = outcome.timeline
        log.signalen.extend(outcome.signalen)
        log.inputs.append(Delivered(soort, place, one.mutatie, -number))
    return log


def arrivals(soort: str) -> st.SearchStrategy[list[Told]]:
    """Few mutaties, since all orders of them are searched."""
    return deliveries(soort, records=2, twice=3)


@given(st.sampled_from((FOLLOWED, SELF_FILTERING)).flatmap(arrivals))
def test_every_signaal_is_reproduced_byte_for_byte_from_its_records_alone(told: list[Told]) -> None:
    log = logged(told)
    for signaal_id in {s.signaal_id for s in log.signalen}:
        found = log.reproduced(signaal_id)
        assert found.differences == ()
        for topic in {p.topic for p in found.order}:
            offsets = [p.offset for p in found.order if p.topic == topic]
            assert offsets == sorted(offsets), "each topic keeps its own order"


def feit(begin: int, end: int | None, **values: object) -> dict[str, object]:
    return {"begindatum": begin, "einddatum": end, **values}


def basis(record_id: str, versie: int, days: tuple[int, int | None] | None, houder: str = "gm0363") -> Told:
    whole = None if days is None else feit(*days, houder=houder, kenmerk="A-1", wet="PARTICIPATIEWET")
    return Told(BASIS, Mutatie(record_id, versie, 1_760_000_000_000 + versie, whole))


def wage(versie: int, days: tuple[int, int | None] | None, loon: int = 1) -> Told:
    whole = None if days is None else feit(*days, loonheffingennummer="123456789L01", ikv_nummer=1, tijdvak="MAAND", loon_sv=loon)
    return Told(FOLLOWED, Mutatie("f-1", versie, 1_760_000_000_000 + versie, whole))


STORY = [basis("b-1", 1, (20_000, None)), wage(1, (20_005, 20_010)), wage(2, (20_005, 20_012)), basis("b-1", 2, (20_008, None))]


def sent_by(log: Logged) -> tuple[str, dict[int, list[bytes]]]:
    return log.signalen[0].signaal_id, {s.versie: [encode_signaal(s)] for s in log.signalen}


def test_a_signaal_whose_feit_was_forgotten_and_came_again_is_reproduced() -> None:
    told = [basis("b-1", 1, (20_000, None)), wage(1, (20_005, 20_010)), basis("b-1", 2, None), basis("b-1", 3, (20_000, None))]
    log = logged([*told, wage(1, (20_005, 20_010))])  # as the answer to the volgverzoek brings it
    assert [s.soort for s in log.signalen] == ["NIEUW", "VERVALLEN", "NIEUW"]
    assert log.reproduced(log.signalen[0].signaal_id).differences == ()


def test_a_signaal_whose_feit_another_basisfeit_kept_is_reproduced() -> None:
    told = [basis("b-1", 1, (20_000, None)), basis("b-2", 1, (20_000, None), "gm0599"), wage(1, (20_005, 20_010))]
    log = logged([*told, basis("b-1", 2, None), basis("b-1", 3, (20_000, None))])
    mine = [s for s in log.signalen if s.ontvanger == "gm0363"]
    assert [s.soort for s in mine] == ["NIEUW", "VERVALLEN", "NIEUW"]
    assert log.reproduced(mine[0].signaal_id).differences == ()


def test_a_field_that_was_changed_is_named_and_the_versions_after_it_are_judged_all_the_same() -> None:
    log = logged(STORY)
    name, sent = sent_by(log)
    assert len(sent) == 3
    forged = json.dumps(json.loads(sent[2][0]) | {"einddatum": "2024-12-31"}).encode()
    (difference,) = log.reproduced(name, {**sent, 2: [forged]}).differences
    assert (difference.versie, difference.sent, difference.made) == (2, forged, sent[2][0])


def test_a_second_copy_with_another_field_is_named_and_the_first_is_not() -> None:
    log = logged(STORY)
    name, sent = sent_by(log)
    copy = sent[2][0].replace(b"A-1", b"A-2")
    (difference,) = log.reproduced(name, {**sent, 2: [sent[2][0], sent[2][0], copy]}).differences
    assert (difference.versie, difference.sent) == (2, copy)


def test_a_version_that_was_removed_is_named() -> None:
    log = logged(STORY)
    name, sent = sent_by(log)
    (difference,) = log.reproduced(name, {1: sent[1], 3: sent[3]}).differences
    assert (difference.versie, difference.sent, difference.made) == (2, None, sent[2][0])


@pytest.mark.parametrize("versie", [4, 2**31 - 1])
def test_a_version_that_was_added_by_hand_is_named(versie: int) -> None:
    log = logged(STORY)
    name, sent = sent_by(log)
    added = json.dumps(json.loads(sent[3][0]) | {"versie": versie}).encode()
    (difference,) = log.reproduced(name, {**sent, versie: [added]}).differences
    assert (difference.versie, difference.sent, difference.made) == (versie, added, None)


def test_a_mutatie_that_is_no_longer_in_the_log_leaves_its_version_unexplained() -> None:
    log = logged(STORY)
    name, sent = sent_by(log)
    cut = Logged([i for i in log.inputs if (i.soort.naam, i.mutatie.versie) != (FOLLOWED, 2)], log.signalen)
    assert cut.reproduced(name, sent).differences


def test_when_there_are_more_orders_than_can_be_tried_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reproducing, "MAX_STATES", 2)
    log = logged(STORY)
    with pytest.raises(UndecidedError):
        log.reproduced(log.signalen[0].signaal_id)
