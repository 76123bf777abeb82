"""One JSON line of a bron to a mutatie on the wire: checked against the schema, pseudonymised, encoded."""

from typing import Any, Final, NamedTuple

from connectors.bronnen.bsn import normal_bsn
from connectors.bronnen.checks import MAX_LINE, check_of, moment_of, parse_line, same_names, text_of, time_of, versie_of
from connectors.bronnen.form import Form, number, text
from connectors.bronnen.onzeker import widest
from connectors.bronnen.pseudonym import Pseudonymiser
from connectors.bronnen.rejections import RejectedError, RejectionCode
from schemas.catalogue import Catalogue, Schema, feit_fields
from schemas.cloudevents import Headers, mutatie_headers, source_of
from schemas.codec import MAX_DAY, MIN_DAY, Codec, framing

_SEPARATORS: Final = b" .-"  # that people write in a BSN
_WITHOUT_SEPARATORS: Final = dict.fromkeys(_SEPARATORS)
_SHORTEST: Final = 8  # characters of a BSN
_SHORTEST_BSN: Final = 10_000_000  # smaller numbers are amounts, hours and days

_ENVELOPE: Final = dict.fromkeys(("bsn", "record_id", "versie", "registratietijd", "feit")).keys()


class Published(NamedTuple):
    """A mutatie ready for the wire."""

    persoon: str
    record_id: str
    versie: int
    value: bytes
    headers: Headers
    reach: int  # last day of the feit, in days since 1970-01-01; MAX_DAY while it lasts, before MIN_DAY when withdrawn

    @property
    def key(self) -> str:
        """That of the record in Kafka."""
        return self.persoon


class LineReader:
    """Reads the lines of one soort."""

    named_by = "record_id"

    def __init__(self, catalogue: Catalogue, soort: str, pseudonymiser: Pseudonymiser) -> None:
        topic = catalogue.mutatie_topics[soort]
        self.topic = topic.topic
        self._soort = soort
        self._schema = catalogue.latest_schema(topic.topic)
        self._codec = Codec(catalogue)
        self._pseudonymiser = pseudonymiser
        self._source = source_of(catalogue.bron_of(soort), soort.replace(".", "-"))
        self._houders = frozenset(catalogue.ontvangers)
        fields = feit_fields(self._schema)
        self._names = fields.keys()
        self._widens = topic.onbekende_datums is not None
        self._checks = [(n, f"feit.{n}", check_of(field["type"], field.get("patroon"))) for n, field in fields.items()]
        self._record = _record_name(self._schema)
        self._free = [n for n, field in fields.items() if _may_hold_a_bsn(field["type"])]
        self._form = Form(self._schema, self._houders)
        self._framing = framing(self._schema.id)
        self._defaults = {n: field["default"] for n, field in fields.items() if "default" in field}

    def read(self, line: bytes) -> Published:
        """The mutatie that ``line`` states; raises RejectedError."""
        return self.of_the_form(line) or self.checked(line)

    def of_the_form(self, line: bytes) -> Published | None:
        """The same for a line of the form that most have, in less than half of the time; None for any other."""
        taken = self._form.read(line) if len(line) <= MAX_LINE else None
        if taken is None:
            return None
        bsn, record_id, versie, registratietijd, body, reach = taken
        digits, time = normal_bsn(bsn), moment_of(registratietijd)
        if digits is None or isinstance(time, RejectionCode) or not record_id.isprintable() or _may_show_twice(line, digits):
            return None
        value = b"".join((self._framing, text(record_id), number[versie], number[time[0]], body))
        return self._published(digits, record_id, versie, time[1], value, reach)

    def checked(self, line: bytes) -> Published:
        """The same, one check after the other; raises RejectedError."""
        bsn, record_id, versie, (milliseconds, time), feit = self._fields(parse_line(line))
        branch = None if feit is None else (self._record, feit)  # named, so that fastavro need not try the union's branches
        value = {"record_id": record_id, "versie": versie, "registratietijd": milliseconds, "feit": branch}
        return self._published(bsn, record_id, versie, time, self._codec.encode(self._schema.id, value), _reach(feit))

    def _published(self, bsn: str, record_id: str, versie: int, time: str, value: bytes, reach: int) -> Published:
        persoon = self._pseudonymiser.persoon(bsn)
        withdrawn = reach < MIN_DAY
        headers = mutatie_headers(self._soort, persoon, record_id, versie, time, self._source, self._schema.bestand, ingetrokken=withdrawn)
        return Published(persoon, record_id, versie, value, headers, reach)

    def _fields(self, line: dict[str, Any]) -> tuple[str, str, int, tuple[int, str], dict[str, Any] | None]:
        same_names(line, _ENVELOPE, {}, "")
        bsn = bsn_of(line["bsn"], "bsn")
        record_id = _record_id(line["record_id"], "record_id")
        versie = versie_of(line["versie"], "versie")
        time = time_of(line["registratietijd"], "registratietijd")
        feit = line["feit"]
        if feit is not None:
            feit = self._feit(feit, bsn)
        if _holds(record_id, bsn):
            raise RejectedError(RejectionCode.BSN_IN_VELD, "record_id")
        return bsn, record_id, versie, time, feit

    def _feit(self, feit: Any, bsn: str) -> dict[str, Any]:  # noqa: ANN401 - JSON
        if not isinstance(feit, dict):
            raise RejectedError(RejectionCode.VELD_TYPE, "feit")
        if same_names(feit, self._names, self._defaults, "feit."):
            feit = {**self._defaults, **feit}
        if self._widens:
            feit = widest(feit)
        checked = {name: check(feit[name], path) for name, path, check in self._checks}
        if checked["einddatum"] is not None and checked["einddatum"] < checked["begindatum"]:
            raise RejectedError(RejectionCode.EINDDATUM_VOOR_BEGINDATUM, "feit.einddatum")
        if "houder" in checked and checked["houder"] not in self._houders:
            raise RejectedError(RejectionCode.HOUDER_ONBEKEND, "feit.houder")
        for name in self._free:
            if _holds(checked[name], bsn):
                raise RejectedError(RejectionCode.BSN_IN_VELD, f"feit.{name}")
        return checked


def _record_name(schema: Schema) -> str:
    """The full name of the feit inside a mutatie schema."""
    union = next(f["type"] for f in schema.definitie["fields"] if f["name"] == "feit")
    return f"{schema.definitie['namespace']}.{next(t['name'] for t in union if isinstance(t, dict))}"


def _reach(feit: dict[str, Any] | None) -> int:
    if feit is None:
        return MIN_DAY - 1
    return MAX_DAY if feit["einddatum"] is None else int(feit["einddatum"])


def _may_hold_a_bsn(avro: Any) -> bool:  # noqa: ANN401
    """Whether values of an Avro type can show nine digits: text and numbers can, dates and the symbols of an enum cannot."""
    if isinstance(avro, list):
        return any(_may_hold_a_bsn(t) for t in avro)
    return avro in {"string", "int", "long"} if isinstance(avro, str) else False


def _may_show_twice(line: bytes, bsn: str) -> bool:
    """Whether a line may show the BSN beside the field that is for it; where it is escaped, that cannot be seen."""
    return b"\\" in line or line.translate(None, _SEPARATORS).count(_short(bsn).encode()) > 1


def _short(bsn: str) -> str:
    return bsn.removeprefix("0")


def _holds(value: Any, bsn: str) -> bool:  # noqa: ANN401
    """Whether a value shows the BSN: as text, with or without its leading zero and the usual separators, or as a number."""
    if isinstance(value, str):
        short = _short(bsn)
        return len(value) >= _SHORTEST and (short in value or short in value.translate(_WITHOUT_SEPARATORS))
    return isinstance(value, int) and value >= _SHORTEST_BSN and value == int(bsn)


def bsn_of(value: Any, path: str) -> str:  # noqa: ANN401
    """Its nine digits; raises RejectedError."""
    bsn = normal_bsn(text_of(value, path))
    if bsn is None:
        raise RejectedError(RejectionCode.BSN_ONGELDIG, path)
    return bsn


def _record_id(value: Any, path: str) -> str:  # noqa: ANN401
    record_id = text_of(value, path)
    if not 0 < len(record_id) <= 100 or not record_id.isprintable():
        raise RejectedError(RejectionCode.VELD_WAARDE, path)
    return record_id
