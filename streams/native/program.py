"""The rulebook, the schemas and all constant bytes as one program for the native core (program.h reads it)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, get_args

import msgspec

from schemas.catalogue import Catalogue, Schema, feit_fields
from schemas.cloudevents import Headers, signaal_headers
from schemas.codec import DAYS, INTS, MAX_MUTATIE, MOMENTS, VERSIES
from schemas.values import Bronrecord, Oorzaak, Regel, Signaal, Signaalsoort
from streams.core.messages import NAMESPACE
from streams.core.rulebook import DienstRule, Rulebook, Soort
from streams.core.timeline import PAGE
from streams.encoded import encode_headers

_INT, _LONG, _DATE, _ENUM, _TEXT = range(5)  # Type in program.h
_ROLES: Final = {"begindatum": 1, "einddatum": 2}  # Role in program.h
_NUMBER_FORM, _TEXT_FORM, _DAY_FORM = range(3)  # Form in program.h
_SYMBOLS: Final = 64  # of an enum, so that its number is one byte

Item = tuple[bytes, int, int]  # the members of a class of characters as 256 bits, and how often: at least, at most


class OddError(Exception):
    """The native core does not read this; the reference does."""


class Field(NamedTuple):
    """Field in program.h."""

    type: int
    nullable: bool
    kept: int
    role: int
    symbols: Sequence[str] = ()
    pattern: Sequence[Item] = ()


class Program(NamedTuple):
    """What the core is told, and the names behind the numbers with which it answers."""

    data: bytes
    soorten: Mapping[str, int]  # topic → number
    diensten: Sequence[str]


def program_of(catalogue: Catalogue, rulebook: Rulebook, source: str) -> Program:
    """The program of a catalogue; ``source`` is the node as ``ce_source``."""
    soorten, diensten = list(rulebook.soorten.values()), [d for d in rulebook.diensten.values() if d.van_paren]
    numbers = {s.nummer: i for i, s in enumerate(soorten)}
    places = {d.nummer: i for i, d in enumerate(diensten)}
    schemas = {s.nummer: _schemas(catalogue, s) for s in soorten}
    plain = {s.nummer for s in soorten if _is_plain(rulebook, s, schemas)}
    limits = (VERSIES, MOMENTS, DAYS, INTS)
    parts = (
        NAMESPACE,
        limits,
        MAX_MUTATIE,
        PAGE,
        _headers(source),
        [_soort(rulebook, s, s.nummer in plain, places, schemas[s.nummer] or []) for s in soorten],
        [_dienst(d, numbers) for d in diensten],
        sorted({houder for d in diensten for houder in d.beurten}),
        [(bron, [places[d.nummer] for d in diensten if bron in d.bronnen]) for bron in sorted({b for d in diensten for b in d.bronnen})],
        rulebook.bewaren,
    )
    return Program(msgspec.msgpack.encode(parts), {s.topic: numbers[s.nummer] for s in soorten}, [d.naam for d in diensten])


def items_of(pattern: str) -> list[Item]:
    """A pattern as classes of ASCII characters, each so many times; raises OddError when it is more than that.

    Each class takes what it can, and nothing is given back: so no class that may stop early is followed by one with the same characters.
    """
    text, items = pattern.removeprefix("^").removesuffix("$"), []
    while text:
        found = _ITEM.match(text)
        if found is None:
            raise OddError
        name, least, most = found.groups()
        items.append((_members(name), int(least or 1), int(most or least or 1)))
        text = text[found.end() :]
    for i, (members, least, most) in enumerate(items):
        if least < most and any(a & b for later, _, _ in items[i + 1 :] for a, b in zip(members, later, strict=True)):
            raise OddError
    return items


_ITEM: Final = re.compile(r"(\[[A-Za-z0-9 ./_-]+\]|[A-Za-z0-9 /_-])(?:\{([0-9]+)(?:,([0-9]+))?\})?(?![*+?{|])")


def _members(name: str) -> bytes:
    fits = re.compile(name).fullmatch
    return sum(1 << c for c in range(128) if fits(chr(c))).to_bytes(32, "little")


def _schemas(catalogue: Catalogue, soort: Soort) -> list[tuple[int, list[Field]]] | None:
    """Each schema of a soort as its fields; None when the core does not read the soort."""
    topic = catalogue.topics[soort.topic]
    forms = {name: _form(soort, i) for i, name in enumerate(soort.velden)}
    schemas = []
    try:
        _fields(catalogue.latest_schema(topic.topic), soort, forms)  # by which the forms go
        for ref in topic.schemas:
            try:
                schemas.append((ref.id, _fields(catalogue.schemas[ref.id], soort, forms)))
            except OddError:
                continue  # an older form of the soort is left to the reference
    except OddError:
        return None
    return schemas


def _fields(schema: Schema, soort: Soort, forms: Mapping[str, int]) -> list[Field]:
    fields = [_field(soort, name, field, field["type"]) for name, field in feit_fields(schema).items()]
    names = list(feit_fields(schema))
    if not {"begindatum", "einddatum"} <= set(names) or fields[names.index("begindatum")].nullable:
        raise OddError
    for name, field in zip(names, fields, strict=True):
        if name in forms and _FORM_OF[field.type] != forms[name]:
            raise OddError
    return fields


_FORM_OF: Final = {_INT: _NUMBER_FORM, _LONG: _NUMBER_FORM, _DATE: _DAY_FORM, _ENUM: _TEXT_FORM, _TEXT: _TEXT_FORM}


def _form(soort: Soort, kept: int) -> int:
    return _DAY_FORM if soort.velden[kept] in soort.datums else _TEXT_FORM if soort.teksten[kept] else _NUMBER_FORM


def _field(soort: Soort, name: str, field: Mapping[str, Any], type_: object, *, nullable: bool = False) -> Field:
    kept = soort.velden.index(name) if name in soort.velden else -1
    role = _ROLES.get(name, 0)
    match type_:
        case ["null", inner] if not nullable:
            return _field(soort, name, field, inner, nullable=True)
        case "string" if "patroon" in field:
            return Field(_TEXT, nullable, kept, role, pattern=items_of(field["patroon"]))
        case "int":
            return Field(_INT, nullable, kept, role)
        case "long":
            return Field(_LONG, nullable, kept, role)
        case {"type": "int", "logicalType": "date"}:
            return Field(_DATE, nullable, kept, role)
        case {"type": "enum", "symbols": symbols} if len(symbols) <= _SYMBOLS:
            return Field(_ENUM, nullable, kept, role, symbols=symbols)
    raise OddError


def _is_plain(rulebook: Rulebook, soort: Soort, schemas: Mapping[int, object]) -> bool:
    """Whether mutaties of a soort are the native core's: it reads all that is laid beside it, leaves no persoon for it, and none is held.

    Where there is none of the latter, nothing is to be said of them, so that feiten which such a dienst uses too are plain as well.
    """
    if _is_weighed(rulebook, soort) or soort.aanhouden is not None:
        return False
    diensten = [rulebook.diensten[d] for d in (*soort.paar_in, *soort.paren_van)]
    involved = {soort.nummer, *(d.basis for d in diensten), *(n for d in diensten if soort.is_basisfeit for n in d.feiten)}
    return all(schemas[n] is not None for n in involved)


def _is_weighed(rulebook: Rulebook, soort: Soort) -> bool:
    """Whether the reference does all of a persoon with such a record: a basisfeit judged with all feiten, or what counts for all pairs."""
    return soort.voor_alle or any(d.basis == soort.nummer for d in rulebook.van_gronden)


def _soort(
    rulebook: Rulebook,
    soort: Soort,
    plain: bool,  # noqa: FBT001 - a column
    places: Mapping[int, int],
    schemas: Sequence[object],
) -> tuple[object, ...]:
    record = Bronrecord(soort.bron, soort.naam, _MARK, _NUMBER, soort.topic, _NUMBER, _NUMBER, None, None)
    before_record_id, rest = msgspec.json.encode(record).split(_MARK.encode())
    before_partition = rest.split(b"%d" % _NUMBER)[1].removeprefix(b",")
    return (
        soort.nummer,
        soort.naam,
        before_record_id,
        before_partition,
        plain,
        soort.is_basisfeit,
        soort.filtert_zelf,
        any(soort.nummer in rulebook.diensten[d].groepeer for d in soort.paar_in),
        _is_weighed(rulebook, soort),
        [_form(soort, i) for i in range(len(soort.velden))],
        [places[d] for d in soort.paren_van],
        [places[d] for d in soort.paar_in],
        max((d.bewaren for d in rulebook.diensten.values() if d.basis == soort.nummer), default=0),
        schemas,
    )


def _dienst(dienst: DienstRule, numbers: Mapping[int, int]) -> tuple[object, ...]:
    signaal = _signaal("NIEUW", "kenmerk", Regel(dienst.regel.patroon, dienst.regel.versie), dienst.naam)
    before_ontvanger = msgspec.json.encode(signaal).split(b'"NIEUW', 1)[1].split(_MARK.encode())[0]
    projections = [
        (numbers[nummer], [(msgspec.json.encode(name) + b":", kept) for name, kept in fields], dienst.groepeer.get(nummer, ()))
        for nummer, fields in dienst.feiten.items()
    ]
    return (
        dienst.nummer,
        dienst.naam,
        before_ontvanger,
        numbers[dienst.basis],
        dienst.houder,
        dienst.kenmerk,
        projections,
        sorted(dienst.ontvangers - dienst.beurten.keys()),  # what is told to one that ends, and when, is the reference's
    )


def _headers(source: str) -> tuple[bytes, list[bytes], bytes, bytes]:
    """The headers of a signaal around what differs from one to the other: ce_id, ce_time and ce_subject."""
    told = [signaal_headers(_signaal(soort, _MARK), source) for soort in get_args(Signaalsoort)]
    number = bytes([2 * len(told[0])])

    def key(name: str) -> bytes:
        return encode_headers([(name, b"")])[:-1]

    def between(headers: Headers, after: str, before: str) -> bytes:
        names = [name for name, _ in headers]
        return encode_headers(headers[names.index(after) + 1 : names.index(before)]) + key(before)

    names = [name for name, _ in told[0]]
    first = number + encode_headers(told[0][: names.index("ce_id")]) + key("ce_id")
    last = encode_headers(told[0][names.index("ce_subject") + 1 :])
    return first, [between(h, "ce_id", "ce_time") for h in told], between(told[0], "ce_time", "ce_subject"), last


def _signaal(soort: Signaalsoort, kenmerk: str, regel: Regel = Regel("", 0), dienst: str = "") -> Signaal:  # noqa: B008 - frozen
    """A signaal to cut constant bytes from."""
    record = Bronrecord("", "", "", 0, "", 0, 0, None, None)
    return Signaal("", 0, soort, dienst, regel, _MARK, kenmerk, None, None, None, record, record, Oorzaak("", 0, 0), "")


_MARK: Final = "\u241f"  # in no name
_NUMBER: Final = 31_415_926_535
