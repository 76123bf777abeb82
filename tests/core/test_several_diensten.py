"""Two diensten that look at the same pair of records: each has its own signal, and each is remembered."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from bench.catalogues import own_filtering_catalogue
from schemas.catalogue import Catalogue
from schemas.codec import Codec, decode_signaal
from schemas.values import Signaal
from streams.encoded import rows_in
from streams.fold import Folder
from streams.records import SourceRecord, run_of
from streams.settings import KernChoice
from streams.store import PartitionStore

WAGE = {"loonheffingennummer": "123456789L01", "ikv_nummer": 1, "tijdvak": "MAAND", "loon_sv": 210_000, "verloonde_uren": 140}
BIJSTAND = {"houder": "gm0363", "kenmerk": "PW-1", "wet": "IOAW"}
DAYS = {"begindatum": 20_000, "einddatum": 20_030}


class Persoon:
    """One persoon under a catalogue whose six diensten look at five soorten: two of them at the same."""

    def __init__(self, folder: Path, kern: KernChoice) -> None:
        self.catalogue = Catalogue.load(own_filtering_catalogue(folder, diensten=6))
        self.folder, self.codec = Folder(self.catalogue, "test", kern), Codec(self.catalogue)
        self.store = PartitionStore(self.folder.rulebook.layout)

    def tell(self, soort: str, versie: int, feit: Any) -> list[Signaal]:
        """A version of the one record of a soort; the signals that it leads to."""
        value = {"record_id": str(UUID(int=7)), "versie": versie, "registratietijd": 1_760_000_000_000, "feit": feit}
        data = self.codec.encode(self.catalogue.latest_schema(f"mutaties.{soort}").id, value)
        effects = self.folder.fold(self.store, 0, [(f"mutaties.{soort}", run_of([SourceRecord(b"A" * 52, data, versie)]))])
        self.store.apply(effects)
        return [decode_signaal(value) for messages in effects.messages.values() for _, value, _ in rows_in(messages)]


@pytest.mark.parametrize("kern", ["native", "python"])
def test_what_a_basisfeit_says_for_two_diensten_is_withdrawn_for_both(tmp_path: Path, kern: KernChoice) -> None:
    persoon = Persoon(tmp_path, kern)
    (soort,) = {f.soort for d in persoon.catalogue.diensten.values() if d.nummer in {1, 6} for f in d.feiten}
    assert soort == "uwv.inkomstenopgave"
    assert persoon.tell(soort, 1, DAYS | WAGE) == []
    told = persoon.tell("gemeente.bijstand", 1, DAYS | BIJSTAND)
    assert sorted((s.dienst, s.soort, s.versie) for s in told) == [("proef-1", "NIEUW", 1), ("proef-6", "NIEUW", 1)]
    gone = persoon.tell(soort, 2, None)
    assert sorted((s.dienst, s.soort, s.versie) for s in gone) == [("proef-1", "VERVALLEN", 2), ("proef-6", "VERVALLEN", 2)]
