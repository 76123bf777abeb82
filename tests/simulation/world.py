"""What is delivered in one seed: persons and their records, poison, ticks, reports, a register that answers; and what must stand of it."""

from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from schemas.codec import Codec
from schemas.nummers import Nummerwijziging
from schemas.partitioner import partition_of
from schemas.sources import NUMMERWIJZIGINGEN
from schemas.values import Afhandeling, Mutatie
from streams.core.messages import signaal_id
from tests.property.worlds import BASIS, FIRST, HORIZON, HOUDERS, Told, catalogue, truth
from tests.simulation.kafka import TP, Row

FILTERING, ASKED = "duo.studiefinanciering", "uwv.inkomstenopgave"
POISON = "poison"


@cache
def codec() -> Codec:
    """Of the bronnen."""
    return Codec(catalogue())


@cache
def _schema(topic: str) -> int:
    return catalogue().latest_schema(topic).id


@dataclass
class World:
    """Deliveries that wait to be published, in order."""

    waiting: list[tuple[TP, Row]] = field(default_factory=list)
    told: dict[bytes, list[Told]] = field(default_factory=dict)  # persoon → everything about him that bronnen ever say
    home: dict[bytes, int] = field(default_factory=dict)  # persoon → partition
    became: dict[bytes, bytes] = field(default_factory=dict)  # old number → the one that is in force
    reported: set[tuple[str, str, str]] = field(default_factory=set)  # houder, basisfeit and feit of what may have been handled

    def answers(self, persoon: bytes) -> list[tuple[TP, Row]]:
        """What the register sends about a followed persoon: the newest version of each record, also of an earlier number."""
        told = [t for p in (persoon, *(old for old, new in self.became.items() if new == persoon)) for t in self.told[p]]
        newest = {t.mutatie.record_id: t for t in told if t.soort == ASKED}  # told is in order of versions
        return [_row(persoon, self.home[persoon], t) for t in newest.values()]

    def truth(self) -> set[tuple[Any, ...]]:
        """What must stand."""
        of = dict[bytes, list[Told]]()
        for persoon, told in self.told.items():
            of[self.became.get(persoon, persoon)] = [*of.get(self.became.get(persoon, persoon), []), *told]
        return {pair for told in of.values() for pair in truth(told)}


def world_of(draw: Random, partitions: int) -> World:
    """A small world; every delivery comes at least once."""
    world = World()
    for number in range(draw.randint(1, 3)):
        persoon = b"%c" % (65 + number) * 52
        world.home[persoon] = draw.randrange(partitions)
        told = [t for soort, most in ((BASIS, 2), (FILTERING, 2), (ASKED, 2)) for t in _histories(draw, persoon, soort, most)]
        world.told[persoon] = told
        for one in told:
            world.waiting += [_row(persoon, world.home[persoon], one)] * draw.choice((1, 1, 1, 2, 3))
    for partition in range(partitions):
        world.waiting += [(("klok", partition), (None, _tick(FIRST + draw.randint(0, 9)), [])) for _ in range(draw.randint(0, 2))]
    if draw.random() < 0.25:
        _reports(draw, world)
    draw.shuffle(world.waiting)
    for _ in range(draw.choice((0, 0, 1, 2))):
        _poison(draw, world, partitions)
    _renumber(world, partitions)
    return world


def _renumber(world: World, partitions: int) -> None:
    """In one world of four somebody turns out to have two numbers. What is drawn otherwise stays as it is in all others."""
    draw = Random(repr([(tp, row[0], row[1]) for tp, row in world.waiting]))
    if len(world.told) > 1 and draw.random() < 0.25:
        old, new = draw.sample(sorted(world.told), 2)
        world.became[old] = new
        value = codec().encode_nummerwijziging(Nummerwijziging(1, 1_770_000_000_000, new.decode()))
        for _ in range(draw.choice((1, 2))):
            row = ((NUMMERWIJZIGINGEN, world.home[old]), (old, value, []))
            world.waiting.insert(draw.randint(0, len(world.waiting)), row)
        for persoon in (old, new):  # what goes over goes where the key says
            world.home[persoon] = partition_of(persoon, partitions)
            world.waiting = [((t, world.home[persoon] if row[0] == persoon else p), row) for (t, p), row in world.waiting]


def _histories(draw: Random, persoon: bytes, soort: str, most: int) -> list[Told]:
    told: list[Told] = []
    for number in range(draw.randint(0 if soort != BASIS else 1, most)):
        name = f"{soort}-{persoon[:1].decode()}{number}"
        for versie in range(1, draw.randint(1, 3) + 1):
            told.append(Told(soort, Mutatie(name, versie, 1_760_000_000_000 + len(told), _feit(draw, soort))))
    return told


def _feit(draw: Random, soort: str) -> dict[str, Any] | None:
    if draw.random() < 0.2:
        return None
    begin = draw.randint(FIRST, HORIZON)
    feit = {"begindatum": begin, "einddatum": draw.choice((None, draw.randint(begin, HORIZON)))}
    if soort == BASIS:
        return feit | {"houder": draw.choice(HOUDERS), "kenmerk": draw.choice(("A-1", "B-2")), "wet": "PARTICIPATIEWET"}
    if soort == FILTERING:
        return feit | {"regeling": "WTOS", "onderwijssoort": "VO", "maandbedrag": draw.choice((None, 1, 2))}
    wage = {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": draw.choice((1, 2))}
    return feit | wage | {"verloonde_uren": draw.choice((1, 2))}


def _row(persoon: bytes, partition: int, told: Told) -> tuple[TP, Row]:
    topic = f"mutaties.{told.soort}"
    m = told.mutatie
    value = {"record_id": m.record_id, "versie": m.versie, "registratietijd": m.registratietijd, "feit": m.feit}
    return (topic, partition), (persoon, codec().encode(_schema(topic), value), [])


def _reports(draw: Random, world: World) -> None:
    """Reports on signals that may stand when they come, or may not, or never do."""
    (dienst,) = catalogue().diensten
    for persoon, told in world.told.items():
        names = {soort: sorted({t.mutatie.record_id for t in told if t.soort == soort}) for soort in (BASIS, FILTERING, ASKED)}
        for soort in (FILTERING, ASKED):
            for feit in names[soort]:
                houder, basis = draw.choice(HOUDERS), draw.choice(names[BASIS])
                name = signaal_id(dienst, houder, (BASIS, basis), (soort, feit))
                world.reported.add((houder, basis, feit))
                value = codec().encode_afhandeling(Afhandeling(name, draw.randint(1, 3), 0))
                world.waiting += [(("afhandelingen", world.home[persoon]), (persoon, value, []))] * draw.choice((1, 2))


@cache
def _tick(day: int) -> bytes:
    return codec().encode(_schema("klok"), {"datum": day})


def _poison(draw: Random, world: World, partitions: int) -> None:
    tp, (key, value, _) = draw.choice([(tp, row) for tp, row in world.waiting if not row[2]])
    assert value is not None
    bad = draw.choice(((key, None), (key, b""), (key, b"\x07" + value[1:]), (key, value[:-1]), (key, value + b"!"), (key, b"\0\0\0\0\1\2")))
    if tp[0] != "klok" and draw.random() < 0.3:
        bad = (b"no pseudonym", value)
    row = (tp, (*bad, [(POISON, b"")]))
    world.waiting.insert(draw.randint(0, len(world.waiting)), row)
