"""JSON Schemas made from the Avro schemas of the catalogue: of a mutatie as people write it, and of the signals of one dienst."""

from collections.abc import Mapping
from typing import Any, Final

from schemas.catalogue import Catalogue, Dienst, Feitsoort, Schema, feit_fields

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PRIMITIVES: Final[Mapping[str, dict[str, Any]]] = {
    "null": {"type": "null"},
    "boolean": {"type": "boolean"},
    "string": {"type": "string"},
    "bytes": {"type": "string"},  # each byte as the character with that number, as Avro's own JSON has it
    "int": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "long": {"type": "integer", "minimum": -(2**63), "maximum": 2**63 - 1},
    "date": {"type": "string", "format": "date"},
    "timestamp-millis": {"type": "string", "format": "date-time"},
}


def mutatie_schema(schema: Schema) -> dict[str, Any]:
    """The JSON Schema of a record as golden records and lines of a bron write it: days and times as text, in ISO 8601."""
    name = f"{schema.bestand.removesuffix('.avsc')}.schema.json"
    return {"$schema": DIALECT, "$id": f"urn:samenloop:schema:{name}", "title": schema.topic.naam, **_of(schema.definitie, None)}


def signaal_schema(catalogue: Catalogue, dienst: Dienst) -> dict[str, Any]:
    """What the signals of ``dienst`` have beyond those of any other: which soorten, and exactly which fields of each."""
    own = _own_of_pair(catalogue, dienst) if dienst.over_paren else _own_of_basisfeit(catalogue, dienst)
    properties = {
        "dienst": {"const": dienst.dienst},
        "regel": {"const": {"patroon": dienst.regel.patroon, "versie": dienst.regel.versie}},
        "basisfeit": {"properties": {"soort": {"const": dienst.basisfeit.soort}}},
    }
    return {
        "$schema": DIALECT,
        "$id": f"urn:samenloop:schema:signaal.{dienst.dienst}.schema.json",
        "title": dienst.naam,
        "description": dienst.doel,
        **_form(dienst),
        **own,
        "properties": properties | own["properties"],
    }


def _form(dienst: Dienst) -> dict[str, Any]:
    """The schema of all signals of that kind; of a dienst that groups feiten there are two."""
    form = [{"$ref": f"urn:samenloop:schema:signalen.{v}.schema.json"} for v in ("v1", "v2", "v3")]
    if not dienst.over_paren:
        return form[1]
    return {"anyOf": [form[0], form[2]]} if any(f.groepeer for f in dienst.feiten) else form[0]


def _own_of_pair(catalogue: Catalogue, dienst: Dienst) -> dict[str, Any]:
    told = [
        {
            "if": {"properties": {"feit": {"properties": {"soort": {"const": f.soort}}}}},
            "then": {"properties": {"gegevens": _listed(catalogue, f, ["object", "null"])}},
        }
        for f in dienst.feiten
    ]
    grouped = [f.soort for f in dienst.feiten if f.groepeer]
    chain = {"vervolg": {"items": {"properties": {"soort": {"enum": grouped}}}}} if grouped else {}
    return {"properties": {"feit": {"properties": {"soort": {"enum": [f.soort for f in dienst.feiten]}}}, **chain}, "allOf": told}


def _own_of_basisfeit(catalogue: Catalogue, dienst: Dienst) -> dict[str, Any]:
    soort = {"enum": [f.soort for f in dienst.feiten]}
    told = [
        {"if": {"properties": {"soort": {"const": f.soort}}}, "then": {"properties": {"velden": _listed(catalogue, f, "object")}}}
        for f in dienst.feiten
    ]
    part = {"properties": {"soort": soort}, "allOf": told}
    return {"properties": {"gegevens": {"items": part}, "feiten": {"items": {"properties": {"soort": soort}}}}}


def _listed(catalogue: Catalogue, feit: Feitsoort, kind: str | list[str]) -> dict[str, Any]:
    fields, velden = feit_fields(catalogue.latest_schema(f"mutaties.{feit.soort}")), [v.veld for v in feit.velden]
    properties = {name: _field(fields[name]) for name in velden}
    return {"type": kind, "required": velden, "additionalProperties": False, "properties": properties}


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": field["doc"], **_of(field["type"], field.get("patroon"))}


def _of(avro: Any, pattern: str | None) -> dict[str, Any]:  # noqa: ANN401, PLR0911 - an Avro schema is plain JSON; one a type
    """The counterpart of an Avro type; ``pattern`` is that of the field's text."""
    match avro:
        case list():
            branches = [_of(branch, pattern) for branch in avro]
            return branches[0] if len(branches) == 1 else {"anyOf": branches}
        case {"logicalType": kind} | {"type": str(kind)} if kind in _PRIMITIVES:
            return dict(_PRIMITIVES[kind])
        case {"type": "enum", "symbols": symbols}:
            return {"enum": list(symbols)}
        case {"type": "map", "values": values}:
            return {"type": "object", "additionalProperties": _of(values, None)}
        case {"type": "array", "items": items}:
            return {"type": "array", "items": _of(items, None)}
        case {"type": "record", "fields": fields}:
            names = [f["name"] for f in fields]
            properties = {f["name"]: _field(f) for f in fields}
            found = {"type": "object", "required": names, "additionalProperties": False, "properties": properties}
            return {"description": avro["doc"], **found} if "doc" in avro else found
        case str() if avro in _PRIMITIVES:
            found = dict(_PRIMITIVES[avro])
            return found if pattern is None else {**found, "pattern": pattern}
    raise NotImplementedError(f"no counterpart of Avro type {avro}")
