"""One JSON line of an ontvanger to a terugmelding on the wire: checked against the schema and against the signals that it was sent."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from connectors.bronnen.checks import check_of, parse_line, same_names, time_of, versie_of
from connectors.bronnen.rejections import RejectedError, RejectionCode
from schemas.catalogue import Catalogue
from schemas.cloudevents import Headers, source_of, terugmelding_headers
from schemas.codec import Codec
from schemas.values import SIGNAAL_ID, Terugmelding

_FAMILY: Final = "terugmeldingen.<ontvanger>"


class Reported(NamedTuple):
    """A terugmelding ready for the wire."""

    key: str
    record_id: str  # with ``versie`` what it reports
    versie: int
    value: bytes
    headers: Headers


class ReportReader:
    """Reads the lines of one ontvanger."""

    named_by = "signaal_id"

    def __init__(self, catalogue: Catalogue, ontvanger: str, sent: Mapping[str, int], now: str) -> None:
        """``sent``: signaal_id → the newest version that the ontvanger has; ``now``: when a line was registered that does not say so."""
        self.topic = _FAMILY.replace("<ontvanger>", ontvanger)
        self._codec, self._sent = Codec(catalogue), sent
        self._source = source_of(catalogue.ontvangers[ontvanger], "terugmeldingen")
        fields = {f["name"]: f["type"] for f in catalogue.latest_schema(_FAMILY).definitie["fields"]}
        self._stand, self._uitkomst = check_of(fields["stand"], None), check_of(fields["uitkomst"], None)
        self._defaults = {"uitkomst": None, "versie": None, "registratietijd": now}
        self._names = fields.keys()

    def read(self, line: bytes) -> Reported:
        """The terugmelding that ``line`` states; without a versie it is about the newest. Raises RejectedError."""
        given = parse_line(line)
        same_names(given, self._names, self._defaults, "")
        terugmelding, time = self._checked(self._defaults | given)
        name, versie, stand = terugmelding.signaal_id, terugmelding.versie, terugmelding.stand
        headers = terugmelding_headers(name, versie, stand, time, self._source)
        return Reported(name, f"{name}:{stand}", versie, self._codec.encode_terugmelding(terugmelding), headers)

    def _checked(self, given: Mapping[str, Any]) -> tuple[Terugmelding, str]:
        name = given["signaal_id"]
        if not isinstance(name, str) or not SIGNAAL_ID.fullmatch(name):
            raise RejectedError(RejectionCode.VELD_WAARDE, "signaal_id")
        stand, uitkomst = self._stand(given["stand"], "stand"), self._uitkomst(given["uitkomst"], "uitkomst")
        if (uitkomst is None) == (stand == "AFGEHANDELD"):
            raise RejectedError(RejectionCode.UITKOMST_ONGELDIG, "uitkomst")
        milliseconds, text = time_of(given["registratietijd"], "registratietijd")
        if name not in self._sent:
            raise RejectedError(RejectionCode.SIGNAAL_ONBEKEND, "signaal_id")
        versie = self._sent[name] if given["versie"] is None else versie_of(given["versie"], "versie")
        if versie > self._sent[name]:
            raise RejectedError(RejectionCode.VERSIE_ONBEKEND, "versie")
        return Terugmelding(name, versie, stand, uitkomst, milliseconds), text
