"""One JSON line of the Basisregistratie Personen to a nummerwijziging on the wire: both numbers are made pseudonyms here."""

from typing import Final, NamedTuple

from connectors.bronnen.checks import parse_line, same_names, time_of, versie_of
from connectors.bronnen.lines import bsn_of
from connectors.bronnen.pseudonym import Pseudonymiser
from connectors.bronnen.rejections import RejectedError, RejectionCode
from schemas.catalogue import Catalogue
from schemas.cloudevents import Headers, nummerwijziging_headers, source_of
from schemas.codec import Codec
from schemas.nummers import Nummerwijziging
from schemas.sources import NUMMERWIJZIGINGEN

NUMMERWIJZIGING: Final = "rvig.nummerwijziging"
_NAMES: Final = dict.fromkeys(("bsn", "nieuw_bsn", "versie", "registratietijd")).keys()


class Renumbered(NamedTuple):
    """A nummerwijziging ready for the wire."""

    key: str
    record_id: str  # the pseudonym that is no longer in force: with the versie it tells a line from the others
    versie: int
    value: bytes
    headers: Headers


class NumberReader:
    """Reads nummerwijzigingen: ``bsn``, ``nieuw_bsn`` (null withdraws), ``versie`` and ``registratietijd``."""

    named_by = "bsn"
    topic = NUMMERWIJZIGINGEN

    def __init__(self, catalogue: Catalogue, pseudonymiser: Pseudonymiser) -> None:
        self._codec, self._pseudonymiser = Codec(catalogue), pseudonymiser
        bron = catalogue.bronnen[catalogue.topics[NUMMERWIJZIGINGEN].eigenaar]
        self._source = source_of(bron, NUMMERWIJZIGING.replace(".", "-"))

    def read(self, line: bytes) -> Renumbered:
        """The nummerwijziging that ``line`` states; raises RejectedError."""
        given = parse_line(line)
        same_names(given, _NAMES, {}, "")
        old = bsn_of(given["bsn"], "bsn")
        new = None if given["nieuw_bsn"] is None else bsn_of(given["nieuw_bsn"], "nieuw_bsn")
        if new == old:
            raise RejectedError(RejectionCode.VELD_WAARDE, "nieuw_bsn")
        versie, (milliseconds, text) = versie_of(given["versie"], "versie"), time_of(given["registratietijd"], "registratietijd")
        persoon = self._pseudonymiser.persoon(old)
        wijziging = Nummerwijziging(versie, milliseconds, None if new is None else self._pseudonymiser.persoon(new))
        headers = nummerwijziging_headers(persoon, versie, text, self._source, ingetrokken=new is None)
        return Renumbered(persoon, persoon, versie, self._codec.encode_nummerwijziging(wijziging), headers)
