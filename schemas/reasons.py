"""Reason codes: why a record or a line is not taken, in one closed list."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a record goes to quarantine or a line is rejected. The code is part of the contract; the text is for people."""

    LEEG = "LEEG"
    MAGISCHE_BYTE = "MAGISCHE_BYTE"
    SCHEMA_ONBEKEND = "SCHEMA_ONBEKEND"
    SCHEMA_VAN_ANDER_TOPIC = "SCHEMA_VAN_ANDER_TOPIC"
    AFGEKAPT = "AFGEKAPT"
    RESTBYTES = "RESTBYTES"
    NIET_LEESBAAR = "NIET_LEESBAAR"
    SLEUTEL_ONGELDIG = "SLEUTEL_ONGELDIG"
    RECORD_ID_ONGELDIG = "RECORD_ID_ONGELDIG"
    VERSIE_ONGELDIG = "VERSIE_ONGELDIG"
    TEKST_ONGELDIG = "TEKST_ONGELDIG"
    EINDDATUM_VOOR_BEGINDATUM = "EINDDATUM_VOOR_BEGINDATUM"
    DATUM_BUITEN_BEREIK = "DATUM_BUITEN_BEREIK"
    HOUDER_ONBEKEND = "HOUDER_ONBEKEND"
    KENMERK_ONTBREEKT = "KENMERK_ONTBREEKT"
    TE_GROOT = "TE_GROOT"
    SIGNAAL_ID_ONGELDIG = "SIGNAAL_ID_ONGELDIG"
    UITKOMST_ONGELDIG = "UITKOMST_ONGELDIG"
    NUMMER_KRING = "NUMMER_KRING"
    NUMMER_OVERGEGAAN = "NUMMER_OVERGEGAAN"

    @property
    def text(self) -> str:
        """One sentence for people; never with a value from the record."""
        return _TEXTS[self]


_TEXTS = {
    Reason.LEEG: "The record has no value.",
    Reason.MAGISCHE_BYTE: "The value does not begin with the zero byte of the Confluent framing.",
    Reason.SCHEMA_ONBEKEND: "The schema id is not in the catalogue.",
    Reason.SCHEMA_VAN_ANDER_TOPIC: "The schema id belongs to another topic.",
    Reason.AFGEKAPT: "The value ends before its schema does.",
    Reason.RESTBYTES: "Bytes are left over behind the value.",
    Reason.NIET_LEESBAAR: "The value does not fit its schema.",
    Reason.SLEUTEL_ONGELDIG: "The key is not a pseudonym of 52 characters base32.",
    Reason.RECORD_ID_ONGELDIG: "The record_id is empty, longer than 100 characters or not printable.",
    Reason.VERSIE_ONGELDIG: "The versie is lower than 1 or takes more than 32 bits.",
    Reason.TEKST_ONGELDIG: "A text has not the form that its schema gives.",
    Reason.EINDDATUM_VOOR_BEGINDATUM: "The einddatum lies before the begindatum.",
    Reason.DATUM_BUITEN_BEREIK: "A date or time lies before 1900 or after 2199.",
    Reason.HOUDER_ONBEKEND: "The houder of the basisfeit is not an ontvanger in the catalogue.",
    Reason.KENMERK_ONTBREEKT: "The basisfeit has no kenmerk.",
    Reason.TE_GROOT: "The record is too large to be taken.",
    Reason.SIGNAAL_ID_ONGELDIG: "The signaal_id is no UUID of version 5.",
    Reason.UITKOMST_ONGELDIG: "An uitkomst goes with the stand AFGEHANDELD, and with no other.",
    Reason.NUMMER_KRING: "By this a number would in the end become itself again.",
    Reason.NUMMER_OVERGEGAAN: "The number has changed already, and what was known went over: that cannot be undone.",
}
