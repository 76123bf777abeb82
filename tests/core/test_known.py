"""A signal could be known when all that it cites was registered."""

from types import SimpleNamespace

import msgspec
import pytest

from samenloop.cited import places_of
from samenloop.known import holds_on, known
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.values import Bronrecord, Mutatie, Oorzaak, Place, Regel, Signaal
from streams.core.messages import iso_time

BASIS, FEIT = Place("mutaties.gemeente.bijstand", 0, 3), Place("mutaties.uwv.uitkering", 0, 7)


def signaal(cause: Place, registered: int) -> Signaal:
    def record(place: Place) -> Bronrecord:
        soort = place.topic.removeprefix("mutaties.")
        return Bronrecord(soort.split(".")[0], soort, "r", 1, *place, "2026-01-01", None)

    return Signaal(
        signaal_id="s", versie=1, soort="NIEUW", dienst="d", regel=Regel("samenloop", 1), ontvanger="gm0363", kenmerk="K",
        begindatum="2026-01-01", einddatum="2026-01-31", gegevens={}, basisfeit=record(BASIS), feit=record(FEIT),
        oorzaak=Oorzaak(*cause), registratietijd=iso_time(registered),
    )  # fmt: skip


@pytest.mark.parametrize(("basis", "feit", "cause"), [(10, 20, FEIT), (20, 10, FEIT), (20, 10, BASIS), (20, 20, FEIT)])
def test_the_later_of_the_two_counts_whichever_came_last(catalogue: Catalogue, basis: int, feit: int, cause: Place) -> None:
    codec = Codec(catalogue)

    def row(place: Place, moment: int) -> SimpleNamespace:
        mutatie = msgspec.to_builtins(Mutatie("r", 1, moment, None))
        return SimpleNamespace(value=codec.encode(catalogue.latest_schema(place.topic).id, mutatie))

    told = signaal(cause, basis if cause == BASIS else feit)
    places = {BASIS: row(BASIS, basis), FEIT: row(FEIT, feit)}
    assert set(places_of(told)) == set(places)
    assert known(codec, places, [told], 19) == []
    assert known(codec, places, [told], 20) == [told]
    assert known(codec, {}, [told], 20) == [told], "what the log no longer has was registered before"


def test_the_last_day_counts_and_the_next_does_not() -> None:
    told = signaal(FEIT, 0)
    assert [holds_on(told, day) for day in ("2025-12-31", "2026-01-01", "2026-01-31", "2026-02-01")] == [False, True, True, False]
    assert holds_on(msgspec.structs.replace(told, einddatum=None), "2099-01-01")
    assert not holds_on(msgspec.structs.replace(told, begindatum=None, einddatum=None), "2026-01-01")
