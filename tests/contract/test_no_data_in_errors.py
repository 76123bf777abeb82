"""A WireError can be logged with its whole traceback: nothing of the record is in it."""

import traceback
from collections.abc import Callable

import pytest

from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError, decode_signaal
from tests.core.edge import BSN

CODEC = Codec(Catalogue.load())
TEXT = BSN.encode()
FEIT = {"begindatum": 20_000, "einddatum": None, "houder": "gm0363", "kenmerk": "K-1", "wet": "IOAW"}
Read = Callable[[bytes], object]


def bijstand(record_id: str = "r", **changes: object) -> bytes:
    return CODEC.encode(1, {"record_id": record_id, "versie": 1, "registratietijd": 0, "feit": {**FEIT, **changes}})


def as_mutatie(data: bytes) -> object:
    return CODEC.decode_mutatie("mutaties.gemeente.bijstand", data)


BAD: list[tuple[Read, bytes]] = [
    (as_mutatie, bijstand(f"{BSN}\n")),
    (as_mutatie, bijstand(houder=BSN)),
    (as_mutatie, bijstand(kenmerk=f" {BSN}")),
    (as_mutatie, bijstand() + TEXT),
    (as_mutatie, bijstand(BSN)[:-3]),
    (as_mutatie, bijstand(f"{BSN}é").replace("é".encode(), b"\xff\xff")),
    (as_mutatie, TEXT),
    (CODEC.decode, bijstand(f"{BSN}é").replace("é".encode(), b"\xff\xff")),
    (CODEC.decode_volgverzoek, bijstand(BSN)),
    (CODEC.decode_klok, bijstand(BSN)),
    (decode_signaal, TEXT),
    (decode_signaal, b'{"soort":"' + TEXT + b'"}'),
    (decode_signaal, b'{"versie":"' + TEXT + b'"}'),
    (decode_signaal, b'{"signaal_id":"' + TEXT + b'\xff"}'),
]


@pytest.mark.parametrize(("read", "data"), BAD)
def test_nothing_of_the_record_is_in_the_error_or_its_traceback(read: Read, data: bytes) -> None:
    assert TEXT in data
    with pytest.raises(WireError) as e:
        read(data)
    assert BSN not in f"{e.value} {e.value!r} {''.join(traceback.format_exception(e.value))}"
