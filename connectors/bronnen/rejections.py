"""Why the edge does not publish a line, in one closed list."""

from enum import StrEnum


class RejectionCode(StrEnum):
    """Reason codes of the verwerkingsverslag; the code is part of the contract, the text is for people."""

    REGEL_TE_LANG = "REGEL_TE_LANG"
    GEEN_UTF8 = "GEEN_UTF8"
    GEEN_JSON = "GEEN_JSON"
    VELD_ONTBREEKT = "VELD_ONTBREEKT"
    VELD_ONBEKEND = "VELD_ONBEKEND"
    VELD_TYPE = "VELD_TYPE"
    VELD_WAARDE = "VELD_WAARDE"
    BSN_ONGELDIG = "BSN_ONGELDIG"
    BSN_IN_VELD = "BSN_IN_VELD"
    DATUM_ONBEKEND = "DATUM_ONBEKEND"
    DATUM_ONGELDIG = "DATUM_ONGELDIG"
    DATUM_BUITEN_BEREIK = "DATUM_BUITEN_BEREIK"
    EINDDATUM_VOOR_BEGINDATUM = "EINDDATUM_VOOR_BEGINDATUM"
    TIJD_ONGELDIG = "TIJD_ONGELDIG"
    HOUDER_ONBEKEND = "HOUDER_ONBEKEND"
    DUBBELE_SLEUTEL = "DUBBELE_SLEUTEL"
    SIGNAAL_ONBEKEND = "SIGNAAL_ONBEKEND"
    VERSIE_ONBEKEND = "VERSIE_ONBEKEND"
    UITKOMST_ONGELDIG = "UITKOMST_ONGELDIG"

    @property
    def text(self) -> str:
        """One sentence for people; never with a value from the line."""
        return _TEXTS[self]


_TEXTS = {
    RejectionCode.REGEL_TE_LANG: "The line is longer than 64 KiB.",
    RejectionCode.GEEN_UTF8: "The line is not UTF-8.",
    RejectionCode.GEEN_JSON: "The line is not a JSON object.",
    RejectionCode.VELD_ONTBREEKT: "A required field is missing.",
    RejectionCode.VELD_ONBEKEND: "The schema has no such field.",
    RejectionCode.VELD_TYPE: "The value has another type than the schema's.",
    RejectionCode.VELD_WAARDE: "The value is not one that the schema allows.",
    RejectionCode.BSN_ONGELDIG: "The BSN does not have eight or nine digits that pass the elfproef.",
    RejectionCode.BSN_IN_VELD: "The person's BSN stands in a field that would be published.",
    RejectionCode.DATUM_ONBEKEND: "The date is wholly or partly unknown (zero year, month or day).",
    RejectionCode.DATUM_ONGELDIG: "The date is not a day of the calendar in the form YYYY-MM-DD.",
    RejectionCode.DATUM_BUITEN_BEREIK: "The date lies before 1900 or after 2199.",
    RejectionCode.EINDDATUM_VOOR_BEGINDATUM: "The einddatum lies before the begindatum.",
    RejectionCode.TIJD_ONGELDIG: "The time is not RFC 3339 with an offset.",
    RejectionCode.HOUDER_ONBEKEND: "The houder is not an ontvanger in the catalogue.",
    RejectionCode.DUBBELE_SLEUTEL: "An earlier line of this file has the same record_id and versie, or reports the same.",
    RejectionCode.SIGNAAL_ONBEKEND: "No signal of that name was sent to this ontvanger.",
    RejectionCode.VERSIE_ONBEKEND: "The signal has no such version yet.",
    RejectionCode.UITKOMST_ONGELDIG: "An uitkomst goes with the stand AFGEHANDELD, and with no other.",
}


class RejectedError(Exception):
    """A line that is not published: the code and the path of the field, never a value."""

    def __init__(self, code: RejectionCode, field: str | None = None) -> None:
        super().__init__(f"{field + ': ' if field else ''}{code.text}")
        self.code = code
        self.field = field
