"""The typed values of a number that changed: what the register of persons states, and what goes from one persoon to the other."""

import msgspec

from schemas.values import Place, Waarde


class Nummerwijziging(msgspec.Struct, frozen=True, gc=False):
    """A persoon has become another one (schemas/avro/nummerwijzigingen.v1.avsc); the key says who."""

    versie: int
    registratietijd: int  # milliseconds since the epoch, UTC
    nieuw: str | None  # None: INGETROKKEN


class Gezegd(msgspec.Struct, frozen=True, gc=False):
    """Up to which versie a signaal was sent, and withdrawn with that; its feit, if it has one, is the record that holds this."""

    dienst: str
    ontvanger: str
    basisfeit: str  # record_id
    versie: int


class Bekend(msgspec.Struct, frozen=True, gc=False):
    """A record as the node knew it. Withdrawn: no begindatum. Forgotten: versie 0, only what was sent is known."""

    soort: str
    record_id: str
    versie: int
    partition: int
    offset: int
    begindatum: int | None
    einddatum: int | None  # tot en met
    velden: dict[str, Waarde]
    gezegd: tuple[Gezegd, ...]
    aangehouden: int | None = None  # while it is held, the day on which it was first registered


class Afgehandeld(msgspec.Struct, frozen=True, gc=False):
    """A signaal that was handled, and the digests of what it said then."""

    signaal_id: str
    inhoud: tuple[bytes, ...]


class Doorgegeven(msgspec.Struct, frozen=True, gc=False):
    """A record that came under the old number, as it stands in the log."""

    topic: str
    partition: int
    offset: int
    waarde: bytes

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.topic, self.partition, self.offset)


class Overdracht(msgspec.Struct, frozen=True, gc=False):
    """What goes over to the persoon who is the key (schemas/avro/overdrachten.v2.avsc): what was known, or a record that came since."""

    registratietijd: int  # of the cause, milliseconds since the epoch, UTC
    oorzaak: Place  # what made the node hand it over
    via: tuple[str, ...]  # personen under whom it stood, the first one first
    deel: int = 1  # of what was known, as it goes over in parts
    bekend: tuple[Bekend, ...] = ()
    afgehandeld: tuple[Afgehandeld, ...] = ()
    doorgegeven: Doorgegeven | None = None
