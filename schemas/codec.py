"""Bytes to values and back: Avro binary in Confluent framing, read by fastavro against the catalogue's schemas."""

import io
import json
import re
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

import fastavro
import msgspec

from schemas.catalogue import Catalogue, Schema, Topic, feit_fields
from schemas.nummers import Nummerwijziging, Overdracht
from schemas.reasons import Reason
from schemas.shape import Shape, shape_of
from schemas.sources import AFHANDELINGEN, KLOK, NUMMERWIJZIGINGEN, OVERDRACHTEN
from schemas.values import (
    PERSOON,
    SIGNAAL_ID,
    Afhandeling,
    Basissignaal,
    ElkSignaal,
    Ketensignaal,
    Mutatie,
    Signaal,
    Terugmelding,
    Volging,
    Volgverzoek,
)

_HEADER: Final = struct.Struct(">bI")  # Confluent framing: magic byte 0, schema id
MIN_DAY: Final = -25567  # 1900-01-01
MAX_DAY: Final = 84005  # 2199-12-31
MAX_MUTATIE: Final = 4096  # bytes; with it a signaal cannot pass the 64 KB that the NL GOV profile gives a message
MAX_INT: Final = 2**31 - 1  # Avro's int; fastavro reads larger ones without a word, other readers do not
_DAY_MS: Final = 86_400_000
VERSIES: Final = (1, MAX_INT)
DAYS: Final = (MIN_DAY, MAX_DAY)
MOMENTS: Final = (MIN_DAY * _DAY_MS, (MAX_DAY + 1) * _DAY_MS - 1)
INTS: Final = (-MAX_INT - 1, MAX_INT)


def framing(schema_id: int) -> bytes:
    """What stands before the Avro of a value: Confluent's framing."""
    return _HEADER.pack(0, schema_id)


class WireError(Exception):
    """Bytes that are not what their topic promises; carries a Reason and no data of the record."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"{reason}: {reason.text}")
        self.reason = reason


def _plain(definition: object) -> Any:  # noqa: ANN401
    """The same schema with dates and times as the plain numbers they are on the wire: the engine counts in days."""
    if isinstance(definition, Mapping):
        return {k: _plain(v) for k, v in definition.items() if k != "logicalType"}
    return [_plain(x) for x in definition] if isinstance(definition, list) else definition


class Codec:
    """Reads and writes the Avro topics of a catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._schemas = catalogue.schemas
        self._plain = {i: fastavro.parse_schema(_plain(s.definitie)) for i, s in catalogue.schemas.items()}
        self._logical = {i: fastavro.parse_schema(json.loads(json.dumps(s.definitie))) for i, s in catalogue.schemas.items()}
        self._of_topic = {t.topic: {r.id for r in t.schemas} for t in catalogue.topics.values()}
        self._patterns = {r.id: _patterns(catalogue.schemas[r.id]) for t in catalogue.mutatie_topics.values() for r in t.schemas}
        self._ints = {r.id: _ints(catalogue.schemas[r.id]) for t in catalogue.mutatie_topics.values() for r in t.schemas}
        self._days = {r.id: _days(catalogue.schemas[r.id]) for t in catalogue.mutatie_topics.values() for r in t.schemas}
        self._shapes = {t.topic: self._shapes_of(t) for t in catalogue.mutatie_topics.values()}
        self._volgverzoek = catalogue.latest_schema("volgverzoeken.<bron>").id
        self._afhandeling = catalogue.latest_schema(AFHANDELINGEN).id
        self._nummerwijziging = catalogue.latest_schema(NUMMERWIJZIGINGEN).id
        self._overdracht = catalogue.latest_schema(OVERDRACHTEN).id
        self._terugmelding = catalogue.latest_schema("terugmeldingen.<ontvanger>").id

    def _shapes_of(self, topic: Topic) -> dict[bytes, Shape]:
        shapes = {r.id: shape_of(self._schemas[r.id], VERSIES, MOMENTS, DAYS, INTS) for r in topic.schemas}
        return {_HEADER.pack(0, i): shape for i, shape in shapes.items() if shape is not None}

    def schema_of(self, data: bytes | None) -> Schema:
        """The schema that framed ``data`` names; raises WireError."""
        if not data:
            raise WireError(Reason.LEEG)
        if data[0] != 0:
            raise WireError(Reason.MAGISCHE_BYTE)
        if len(data) < _HEADER.size:
            raise WireError(Reason.AFGEKAPT)
        schema = self._schemas.get(_HEADER.unpack_from(data)[1])
        if schema is None:
            raise WireError(Reason.SCHEMA_ONBEKEND)
        return schema

    def encode(self, schema_id: int, value: Mapping[str, Any], *, logical: bool = False) -> bytes:
        """Framed Avro of ``value``; with ``logical`` dates and times are datetime objects instead of numbers."""
        out = io.BytesIO()
        out.write(framing(schema_id))
        fastavro.schemaless_writer(out, (self._logical if logical else self._plain)[schema_id], value)
        return out.getvalue()

    def decode(self, data: bytes | None) -> dict[str, Any]:
        """The value with dates and times as datetime objects, for people; raises WireError."""
        return self._read(data, self._logical[self.schema_of(data).id])

    def decode_mutatie(self, topic: str, data: bytes | None) -> Mutatie:
        """The mutatie in a value of ``topic``, checked as far as its schema and the calendar go; raises WireError."""
        if data is not None and len(data) <= MAX_MUTATIE:
            shape = self._shapes[topic].get(data[:5])
            fields = None if shape is None else shape.read(data)
            if fields is not None:
                return Mutatie(*fields)
        return self._decode_any_mutatie(topic, data)

    def _decode_any_mutatie(self, topic: str, data: bytes | None) -> Mutatie:
        schema = self.schema_of(data)
        if schema.id not in self._of_topic[topic]:
            raise WireError(Reason.SCHEMA_VAN_ANDER_TOPIC)
        if data is not None and len(data) > MAX_MUTATIE:
            raise WireError(Reason.TE_GROOT)
        value = self._read(data, self._plain[schema.id])
        if not 0 < len(value["record_id"]) <= 100 or not value["record_id"].isprintable():
            raise WireError(Reason.RECORD_ID_ONGELDIG)
        if not _in(VERSIES, value["versie"]):
            raise WireError(Reason.VERSIE_ONGELDIG)
        if not _in(MOMENTS, value["registratietijd"]):
            raise WireError(Reason.DATUM_BUITEN_BEREIK)
        feit = value["feit"]
        if feit is not None:
            self._check_feit(schema.id, feit)
        return Mutatie(**value)

    def _check_feit(self, schema_id: int, feit: Mapping[str, Any]) -> None:
        _check_period(feit["begindatum"], feit["einddatum"])
        for name in self._days[schema_id]:
            if feit[name] is not None and not _in(DAYS, feit[name]):
                raise WireError(Reason.DATUM_BUITEN_BEREIK)
        for name in self._ints[schema_id]:
            if feit[name] is not None and not _in(INTS, feit[name]):
                raise WireError(Reason.NIET_LEESBAAR)
        for name, fits in self._patterns[schema_id]:
            if feit[name] and not fits(feit[name]):  # whether a text may be empty is for the rule that needs it
                raise WireError(Reason.TEKST_ONGELDIG)

    def decode_klok(self, data: bytes | None) -> int:
        """The day of a tick, in days since 1970-01-01; raises WireError."""
        schema = self.schema_of(data)
        if schema.topic.topic != KLOK:
            raise WireError(Reason.SCHEMA_VAN_ANDER_TOPIC)
        day = self._read(data, self._plain[schema.id])["datum"]
        _check_period(day, None)
        return int(day)

    def _value(self, data: bytes | None, wanted: int) -> dict[str, Any]:
        """What a framed value says, of the one schema that its topic has."""
        schema = self.schema_of(data)
        if schema.id != wanted:
            raise WireError(Reason.SCHEMA_VAN_ANDER_TOPIC)
        return self._read(data, self._plain[wanted])

    def encode_volgverzoek(self, volgverzoek: Volgverzoek) -> bytes:
        """Framed Avro of a volgverzoek."""
        return self.encode(self._volgverzoek, msgspec.to_builtins(volgverzoek))

    def decode_volgverzoek(self, data: bytes | None) -> Volgverzoek:
        """The volgverzoek in a value of a ``volgverzoeken.<bron>`` topic; raises WireError."""
        value = self._value(data, self._volgverzoek)
        if not _in(VERSIES, value["versie"]):
            raise WireError(Reason.VERSIE_ONGELDIG)
        for day in (value["registratietijd"] // _DAY_MS, *(v["vanaf"] for v in value["volgt"])):
            _check_period(day, None)
        return Volgverzoek(value["versie"], value["registratietijd"], tuple(Volging(**v) for v in value["volgt"]))

    def encode_terugmelding(self, terugmelding: Terugmelding) -> bytes:
        """Framed Avro of a terugmelding."""
        return self.encode(self._terugmelding, msgspec.to_builtins(terugmelding))

    def decode_terugmelding(self, data: bytes | None) -> Terugmelding:
        """The terugmelding in a value of a ``terugmeldingen.<ontvanger>`` topic; raises WireError."""
        found = Terugmelding(**self._value(data, self._terugmelding))
        _check_named(found)
        if (found.uitkomst is None) == (found.stand == "AFGEHANDELD"):
            raise WireError(Reason.UITKOMST_ONGELDIG)
        return found

    def encode_afhandeling(self, afhandeling: Afhandeling) -> bytes:
        """Framed Avro of an afhandeling."""
        return self.encode(self._afhandeling, msgspec.to_builtins(afhandeling))

    def decode_afhandeling(self, data: bytes | None) -> Afhandeling:
        """The afhandeling in a value of the topic ``afhandelingen``; raises WireError."""
        found = Afhandeling(**self._value(data, self._afhandeling))
        _check_named(found)
        return found

    def encode_nummerwijziging(self, wijziging: Nummerwijziging) -> bytes:
        """Framed Avro of a nummerwijziging."""
        return self.encode(self._nummerwijziging, msgspec.to_builtins(wijziging))

    def decode_nummerwijziging(self, data: bytes | None) -> Nummerwijziging:
        """The nummerwijziging in a value of the topic ``nummerwijzigingen``; raises WireError."""
        found = Nummerwijziging(**self._value(data, self._nummerwijziging))
        if not _in(VERSIES, found.versie):
            raise WireError(Reason.VERSIE_ONGELDIG)
        if not _in(MOMENTS, found.registratietijd):
            raise WireError(Reason.DATUM_BUITEN_BEREIK)
        if found.nieuw is not None and not is_persoon(found.nieuw):
            raise WireError(Reason.TEKST_ONGELDIG)
        return found

    def encode_overdracht(self, overdracht: Overdracht) -> bytes:
        """Framed Avro of an overdracht."""
        fields = msgspec.to_builtins(overdracht, builtin_types=(bytes,))
        return self.encode(self._overdracht, fields | {"oorzaak": overdracht.oorzaak._asdict()})

    def decode_overdracht(self, data: bytes | None) -> Overdracht:
        """The overdracht in a value of an engine's topic ``overdrachten``; raises WireError."""
        schema = self.schema_of(data)
        if schema.id not in self._of_topic[OVERDRACHTEN]:
            raise WireError(Reason.SCHEMA_VAN_ANDER_TOPIC)
        value = self._read(data, self._plain[schema.id])
        try:
            found = msgspec.convert(value | {"oorzaak": list(value["oorzaak"].values())}, Overdracht)
        except msgspec.ValidationError:
            raise WireError(Reason.NIET_LEESBAAR) from None
        if not found.via or not all(map(is_persoon, found.via)):
            raise WireError(Reason.TEKST_ONGELDIG)
        if not _in(MOMENTS, found.registratietijd):
            raise WireError(Reason.DATUM_BUITEN_BEREIK)
        for known in found.bekend:
            if known.begindatum is not None:
                _check_period(known.begindatum, known.einddatum)
            if known.aangehouden is not None and not _in(DAYS, known.aangehouden):
                raise WireError(Reason.DATUM_BUITEN_BEREIK)
        return found

    @staticmethod
    def _read(data: bytes | None, schema: Any) -> dict[str, Any]:  # noqa: ANN401 - fastavro's parsed schemas are plain JSON
        assert data is not None  # noqa: S101 - schema_of has refused it already
        source = io.BytesIO(data)
        source.seek(_HEADER.size)
        try:
            value = fastavro.schemaless_reader(source, schema, None)
        except (EOFError, IndexError, struct.error):
            raise WireError(Reason.AFGEKAPT) from None
        except Exception:  # noqa: BLE001 - whatever a hostile body makes of the reader, it is the body's fault
            raise WireError(Reason.NIET_LEESBAAR) from None  # a reader's own error can quote the record
        if source.read(1):
            raise WireError(Reason.RESTBYTES)
        return value  # type: ignore[return-value]


def _in(limits: tuple[int, int], number: int) -> bool:
    return limits[0] <= number <= limits[1]


def is_persoon(text: str) -> bool:
    """Whether it is a pseudonym."""
    return PERSOON.fullmatch(text.encode()) is not None


def _check_named(found: Terugmelding | Afhandeling) -> None:
    if not SIGNAAL_ID.fullmatch(found.signaal_id):
        raise WireError(Reason.SIGNAAL_ID_ONGELDIG)
    if not _in(VERSIES, found.versie):
        raise WireError(Reason.VERSIE_ONGELDIG)
    if not _in(MOMENTS, found.registratietijd):
        raise WireError(Reason.DATUM_BUITEN_BEREIK)


def _patterns(schema: Schema) -> list[tuple[str, Callable[[str], re.Match[str] | None]]]:
    """The fields of the feit whose text has a form, and what tells whether a text has it."""
    return [(name, re.compile(f["patroon"]).fullmatch) for name, f in feit_fields(schema).items() if "patroon" in f]


def _ints(schema: Schema) -> list[str]:
    """The fields of the feit that are plain ints."""
    return [name for name, f in feit_fields(schema).items() if f["type"] in ("int", ["null", "int"])]


def _days(schema: Schema) -> list[str]:
    """The fields of the feit that are days, beside those of its period."""
    return [name for name, f in feit_fields(schema).items() if "'date'" in str(f["type"]) and name not in {"begindatum", "einddatum"}]


def _check_period(begin: int, end: int | None) -> None:
    if not _in(DAYS, begin) or (end is not None and not _in(DAYS, end)):
        raise WireError(Reason.DATUM_BUITEN_BEREIK)
    if end is not None and end < begin:
        raise WireError(Reason.EINDDATUM_VOOR_BEGINDATUM)


_signaal_encoder = msgspec.json.Encoder()
_ketensignaal_decoder = msgspec.json.Decoder(Ketensignaal)
_signaal_decoder = msgspec.json.Decoder(Signaal)
_basissignaal_decoder = msgspec.json.Decoder(Basissignaal)
_decoders: Final = (_ketensignaal_decoder, _signaal_decoder, _basissignaal_decoder)  # each has a field that those behind it lack


def encode_signaal(signaal: ElkSignaal) -> bytes:
    """The signaal as JSON, fields in the order of its schema: the same signaal gives the same bytes."""
    return _signaal_encoder.encode(signaal)


def decode_signaal(data: bytes | None) -> ElkSignaal:
    """The signaal in a value of a ``signalen.<ontvanger>`` topic; raises WireError."""
    if not data:
        raise WireError(Reason.LEEG)
    for decoder in _decoders:
        try:
            return decoder.decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue
    raise WireError(Reason.NIET_LEESBAAR)
