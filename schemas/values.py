"""The typed values of the wire: what the codec reads and the engine writes."""

import re
from typing import Any, Literal, NamedTuple

import msgspec

Waarde = str | int | bool | None
Signaalsoort = Literal["NIEUW", "GEWIJZIGD", "VERVALLEN"]
Stand = Literal["BEZORGD", "GEACCEPTEERD", "AFGEHANDELD"]
Uitkomst = Literal["JUIST", "ONJUIST", "AL_BEKEND", "NIET_ONDERZOCHT"]


class Mutatie(msgspec.Struct, frozen=True, gc=False):
    """A new version of a feit, or its withdrawal, as read from the wire. Days are counted from 1970-01-01."""

    record_id: str
    versie: int
    registratietijd: int  # milliseconds since the epoch, UTC
    feit: dict[str, Any] | None  # None: INGETROKKEN; dates as days, einddatum tot en met


class Place(NamedTuple):
    """Where a record stands in the log."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        """``topic-partition@offset``."""
        return f"{self.topic}-{self.partition}@{self.offset}"


class Bronrecord(msgspec.Struct, frozen=True, gc=False):
    """A record of a bron and its place in the log."""

    bron: str
    soort: str
    record_id: str
    versie: int
    topic: str
    partition: int
    offset: int
    begindatum: str | None  # ISO 8601
    einddatum: str | None  # ISO 8601, tot en met


class Regel(msgspec.Struct, frozen=True, gc=False):
    """The published rule that made a signaal."""

    patroon: str
    versie: int


class Oorzaak(msgspec.Struct, frozen=True, gc=False):
    """The place of the mutatie, or of the tick of the klok, that made the node send a signaal."""

    topic: str
    partition: int
    offset: int


class Signaal(msgspec.Struct, frozen=True, gc=False):
    """What an ontvanger gets; the JSON on the wire has these fields in this order (schemas/avro/signalen.v1.avsc)."""

    signaal_id: str
    versie: int
    soort: Signaalsoort
    dienst: str
    regel: Regel
    ontvanger: str
    kenmerk: str
    begindatum: str | None
    einddatum: str | None
    gegevens: dict[str, Waarde] | None
    basisfeit: Bronrecord
    feit: Bronrecord
    oorzaak: Oorzaak
    registratietijd: str

    @property
    def bewijs(self) -> tuple[Bronrecord, ...]:
        """All records that it cites."""
        return self.basisfeit, self.feit


class Ketensignaal(Signaal, frozen=True, gc=False):
    """A signaal about a basisfeit and feiten that go on as one; it is named after the first of them (schemas/avro/signalen.v3.avsc)."""

    vervolg: tuple[Bronrecord, ...]  # those that go on from the first; the newest, when a message has no room for all
    weggelaten: int

    @property
    def bewijs(self) -> tuple[Bronrecord, ...]:
        """All records that it cites."""
        return self.basisfeit, self.feit, *self.vervolg


class Onderdeel(msgspec.Struct, frozen=True, gc=False):
    """A part of what an ontvanger is told about a basisfeit: the listed fields of a feit, or what follows from several."""

    soort: str
    begindatum: str  # ISO 8601
    einddatum: str | None  # ISO 8601, tot en met
    velden: dict[str, Waarde]


class Basissignaal(msgspec.Struct, frozen=True, gc=False):
    """A signaal about a basisfeit and any number of feiten (schemas/avro/signalen.v2.avsc); the other one is about a pair."""

    signaal_id: str
    versie: int
    soort: Signaalsoort
    dienst: str
    regel: Regel
    ontvanger: str
    kenmerk: str
    begindatum: str | None
    einddatum: str | None
    gegevens: tuple[Onderdeel, ...] | None
    weggelaten: int
    basisfeit: Bronrecord
    feiten: tuple[Bronrecord, ...]
    oorzaak: Oorzaak
    registratietijd: str

    @property
    def bewijs(self) -> tuple[Bronrecord, ...]:
        """All records that it cites."""
        return self.basisfeit, *self.feiten


ElkSignaal = Signaal | Basissignaal


class Volging(msgspec.Struct, frozen=True, gc=False):
    """One dienst that gives the ground to follow a persoon, and the first day that counts (days since 1970-01-01)."""

    dienst: str
    vanaf: int


class Volgverzoek(msgspec.Struct, frozen=True, gc=False):
    """All that the node asks of one bron about one persoon; an empty ``volgt`` ends the following."""

    versie: int
    registratietijd: int  # milliseconds since the epoch, UTC
    volgt: tuple[Volging, ...]


class Terugmelding(msgspec.Struct, frozen=True, gc=False):
    """What an ontvanger reports of one version of a signaal (schemas/avro/terugmeldingen.v1.avsc)."""

    signaal_id: str
    versie: int
    stand: Stand
    uitkomst: Uitkomst | None  # None unless AFGEHANDELD
    registratietijd: int  # milliseconds since the epoch, UTC


class Afhandeling(msgspec.Struct, frozen=True, gc=False):
    """What the engine is told: with this version of a signaal its ontvanger is done (schemas/avro/afhandelingen.v1.avsc)."""

    signaal_id: str
    versie: int
    registratietijd: int  # milliseconds since the epoch, UTC


SIGNAAL_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
"""The name of a signaal: a UUID of version 5."""

PERSOON = re.compile(rb"[A-Z2-7]{52}")
"""A pseudonym as a Kafka key: HMAC-SHA-256 in base32 without padding."""
