"""A persoon who becomes another one: in the end it is as if all had come under the new number, whatever came when and where."""

from random import Random
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.values import Basissignaal, Mutatie, Signaal
from streams.core.due import due_key
from streams.core.timeline import timeline_of
from tests.property import basis_worlds, worlds
from tests.property.handled_worlds import handled
from tests.property.kerns import Delivered
from tests.property.number_worlds import PERSONEN, Net, became, newest
from tests.property.number_worlds import worlds as numbers

A, B, C = PERSONEN
pairs = worlds.deliveries("duo.studiefinanciering")
asked = worlds.histories(worlds.BASIS, 2).flatmap(lambda b: worlds.histories("uwv.inkomstenopgave", 3).map(lambda f: b + f))
draws = st.randoms(use_true_random=False)


def net_of(deliveries: list[Delivered], draw: Random, **how: Any) -> Net:
    net = Net()
    for delivery in deliveries:
        net.put(delivery)
    net.take(draw, **how)
    return net


def live_pairs(net: Net) -> worlds.Live:
    return worlds.live([s for s in newest(net.signalen) if isinstance(s, Signaal)])


@given(numbers(pairs), draws)
def test_what_stands_is_what_the_days_say_under_whatever_number_it_came(world: tuple[list, list], draw: Random) -> None:
    told, deliveries = world
    net = net_of(deliveries, draw)
    assert live_pairs(net) == worlds.truth(told, worlds.PUBLISHED)


@given(numbers(pairs, together=False), draws)
def test_also_when_versions_of_one_record_come_under_several_numbers(world: tuple[list, list], draw: Random) -> None:
    told, deliveries = world
    assert live_pairs(net_of(deliveries, draw, twice=0.3)) == worlds.truth(told, worlds.PUBLISHED)


@given(numbers(basis_worlds.events()), draws)
def test_what_is_told_of_a_basisfeit_alone_and_on_days_that_pass_is_the_same_too(world: tuple[list, list], draw: Random) -> None:
    told, deliveries = world
    net = net_of(deliveries, draw)
    messages = [("", msgspec.json.encode(s)) for s in newest(net.signalen) if isinstance(s, Basissignaal)]
    assert basis_worlds.live(messages) == basis_worlds.truth(told)


@given(numbers(asked), draws)
def test_what_was_not_kept_comes_back_with_the_answers_to_the_new_number(world: tuple[list, list], draw: Random) -> None:
    told, deliveries = world
    feiten = {t.mutatie.record_id: t for t in told if t.soort != worlds.BASIS}

    def answers(persoon: bytes, bron: str) -> list[Delivered]:
        return [basis_worlds.delivered(t, persoon) for t in feiten.values()] if bron == "uwv" else []

    net = net_of(deliveries, draw, answers=answers)
    assert {pair[:-1] for pair in live_pairs(net)} == {pair[:-1] for pair in worlds.truth(told, worlds.PUBLISHED)}, (
        "its fields are another catalogue's"
    )


@given(numbers(basis_worlds.events(more=("gemeente.bijstand", "duo.studiefinanciering"))), draws, st.sampled_from((0, 0.5)))
def test_a_signaal_keeps_its_name_and_its_versions_run_on(world: tuple[list, list], draw: Random, twice: float) -> None:
    _, deliveries = world
    seen: dict[str, int] = {}
    stood: dict[str, bool] = {}
    for s in net_of(deliveries, draw, twice=twice).signalen:
        assert s.versie == seen.get(s.signaal_id, 0) + 1
        assert (s.soort == "NIEUW") != stood.get(s.signaal_id, False)
        seen[s.signaal_id], stood[s.signaal_id] = s.versie, s.soort != "VERVALLEN"


@given(numbers(basis_worlds.events(more=("gemeente.bijstand", "duo.studiefinanciering"))), draws)
def test_every_record_is_accounted_for_and_of_an_old_number_nothing_is_kept_but_what_it_became(
    world: tuple[list, list], draw: Random
) -> None:
    _, deliveries = world
    net = net_of(deliveries, draw)
    assert sum(net.counts.values()) == net.delivered
    assert net.refused == []
    gone = {d.key for d in deliveries if d.topic == "nummerwijzigingen"}
    assert not net.known() & gone
    for persoon in gone:
        rows = net.rows(persoon)
        assert rows.keys() == {persoon, due_key(persoon)}
        assert timeline_of(persoon, rows.get).head.nummer.nieuw in PERSONEN


@given(numbers(pairs), draws)
def test_a_signaal_cites_the_places_at_which_its_records_stand(world: tuple[list, list], draw: Random) -> None:
    _, deliveries = world
    net = net_of(deliveries, draw)
    places = net.places
    for s in net.signalen:
        for cited in s.bewijs:
            found = places[cited.topic, cited.partition, cited.offset]
            assert (found.record_id, found.versie) == (cited.record_id, cited.versie)


def told_of(*deliveries: Delivered) -> Net:
    """Each taken, with all that follows from it, before the next comes."""
    net = Net()
    for delivery in deliveries:
        net.put(delivery)
        net.take(Random(0))
    return net


def said(net: Net) -> list[tuple[str, int, str | None]]:
    return [(s.soort, s.versie, s.begindatum) for s in net.signalen]


GROUND = {"begindatum": 20_000, "einddatum": None, "houder": "gm0363", "kenmerk": "A-1", "wet": "PARTICIPATIEWET"}
STUDY = {"begindatum": 20_000, "einddatum": None, "regeling": "WTOS", "onderwijssoort": "VO", "maandbedrag": 1}
PAY = {
    "begindatum": 20_000, "einddatum": None, "loonheffingennummer": "123456789L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": 1,
    "verloonde_uren": None,
}  # fmt: skip
DAY = "2024-10-04"


def stated(persoon: bytes, soort: str, feit: dict[str, Any] | None, versie: int = 1, name: str = "1") -> Delivered:
    mutatie = Mutatie(str(uuid5(NAMESPACE_OID, f"{soort}-{name}")), versie, 1_760_000_000_000, feit)
    return basis_worlds.delivered(worlds.Told(soort, mutatie), persoon)


def benefit(persoon: bytes, versie: int = 1, name: str = "1") -> Delivered:
    return stated(persoon, "gemeente.bijstand", GROUND, versie, name)


def study(persoon: bytes, versie: int = 1, **other: Any) -> Delivered:
    return stated(persoon, "duo.studiefinanciering", STUDY | other, versie)


def test_what_stands_is_withdrawn_and_issued_again_and_cites_the_same_records() -> None:
    net = told_of(benefit(A), study(A), became(A, B))
    assert said(net) == [("NIEUW", 1, DAY), ("VERVALLEN", 2, None), ("NIEUW", 3, DAY)]
    assert [s.oorzaak.topic for s in net.signalen] == ["mutaties.duo.studiefinanciering", "nummerwijzigingen", "beide-overdrachten"]
    first, _, last = net.signalen
    assert first.bewijs == last.bewijs
    assert [r.partition for r in last.bewijs] == [0, 0]
    assert last.oorzaak.partition == 1


def test_of_two_registrations_the_benefit_of_one_meets_the_income_of_the_other() -> None:
    assert said(told_of(benefit(A), study(B), became(A, B))) == [("NIEUW", 1, DAY)]
    assert said(told_of(benefit(B), study(A), became(A, B))) == [("NIEUW", 1, DAY)]
    assert said(told_of(benefit(B), study(A), became(A, C))) == [], "they are two human beings"


def test_what_still_comes_under_the_old_number_counts_for_the_new_one() -> None:
    net = told_of(benefit(A), became(A, B), study(A), study(A, 2, maandbedrag=2), study(B, 3, maandbedrag=3))
    assert [s for s, _, _ in said(net)] == ["NIEUW", "GEWIJZIGD", "GEWIJZIGD"]
    assert [s.feit.partition for s in net.signalen] == [0, 0, 1]
    assert net.counts["doorgegeven"] == 2


def test_the_bronnen_are_asked_for_the_new_number_and_no_longer_for_the_old_one() -> None:
    net = told_of(benefit(A), became(A, B))
    assert (net.asked, net.ended) == ({A, B}, {A})


def test_who_is_known_under_neither_number_is_kept_under_neither() -> None:
    net = told_of(stated(A, "uwv.inkomstenopgave", PAY), became(A, B), stated(A, "uwv.inkomstenopgave", PAY))
    assert (net.known(), net.rows(A).keys(), net.rows(B)) == (set(), {A, due_key(A)}, {})
    assert net.counts == {"niet_bewaard": 3, "opgeslagen": 1, "doorgegeven": 1}


def test_a_number_that_would_become_itself_is_refused_and_nothing_is_lost() -> None:
    net = told_of(benefit(A), study(A), became(A, A))
    assert net.refused == [b"NUMMER_KRING"]
    net = told_of(benefit(A), study(A), became(A, B), became(B, C), became(C, A))
    assert net.refused == [b"NUMMER_KRING"]
    assert said(net)[-1] == ("NIEUW", 5, DAY)
    net = told_of(became(A, B), became(B, A), benefit(A))
    assert net.refused == [b"NUMMER_KRING"] * 2, "one tells that they are a circle, the other is the benefit"
    net.put(became(B, None, 2))
    net.take(Random(0))
    net.put(net.quarantine[-1])
    net.take(Random(0))
    assert net.known() == {B}, "once the circle is opened it may be given to the engine again"


def test_a_change_that_was_a_mistake_can_be_withdrawn_or_corrected_while_nothing_went_over() -> None:
    assert said(told_of(became(A, B), became(A, None, 2), benefit(A), study(A))) == [("NIEUW", 1, DAY)]
    net = told_of(became(A, B), became(A, C, 2), benefit(A), study(C))
    assert (said(net), net.known()) == ([("NIEUW", 1, DAY)], {C})
    assert told_of(became(A, None, 2), became(A, B), benefit(A)).known() == {A}, "the older version came later"
    assert told_of(became(B, C), became(A, B), became(B, None, 2), benefit(A)).known() == {B}, "of A nothing was known"


def test_a_change_by_which_something_went_over_cannot_be_undone() -> None:
    for first in ((benefit(A), became(A, B)), (became(A, B), benefit(A))):
        net = told_of(*first, became(A, None, 2), became(A, C, 3), became(A, B, 4), study(A))
        assert net.refused == [b"NUMMER_OVERGEGAAN"] * 2
        assert said(net) == [("NIEUW", 1, DAY)], "what comes under the old number still goes over"


def test_what_was_handled_under_the_old_number_is_not_told_again_under_the_new_one() -> None:
    net = told_of(benefit(A), study(A))
    for delivery in (handled(net.signalen[0], A), became(A, B)):
        net.put(delivery)
        net.take(Random(0))
    assert [s for s, _, _ in said(net)] == ["NIEUW", "VERVALLEN"]
    net.put(study(B, 2, maandbedrag=2))
    net.take(Random(0))
    assert said(net)[-1][:2] == ("NIEUW", 3)
    net.put(handled(net.signalen[-1], A))
    net.take(Random(0))
    assert net.counts["doorgegeven"] == 1, "the relay finds the number that its basisfeit came under"


def test_the_native_core_leaves_those_whose_number_changed_and_nobody_else() -> None:
    pay = [stated(p, "uwv.inkomstenopgave", PAY, name=p.decode()[:1]) for p in PERSONEN]
    net = told_of(*map(benefit, PERSONEN), *pay)
    before = [e.left for e in net.engines]
    for delivery in (became(A, B), *(stated(p, "uwv.inkomstenopgave", PAY, 2, p.decode()[:1]) for p in PERSONEN)):
        net.put(delivery)
        net.take(Random(0))
    assert [e.left - n for e, n in zip(net.engines, before, strict=True)] == [1, 1, 0]


def test_what_counts_for_all_records_goes_over_before_them() -> None:
    many = [stated(A, "duo.studiefinanciering", STUDY, name=str(n)) for n in range(230)]
    death = stated(A, "rvig.overlijden", {"begindatum": STUDY["begindatum"] - 1, "einddatum": None})
    net = told_of(benefit(A), death, *many, became(A, B))
    assert net.signalen == []


def test_who_has_hundreds_of_records_goes_over_in_parts() -> None:
    many = [stated(A, "duo.studiefinanciering", STUDY, name=str(n)) for n in range(230)]
    net = told_of(benefit(A), *many, became(A, B))
    assert net.counts["opgeslagen"] == 231 + 1 + 3
    assert len(newest(net.signalen)) == 230
    assert {(s.versie, s.soort) for s in newest(net.signalen)} == {(3, "NIEUW")}
    assert net.rows(A).keys() == {A, due_key(A)}
