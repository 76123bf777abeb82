"""The wire of ``<toepassing>-verloop``: what one transaction of the engine took, in which order, under which catalogue."""

import msgspec


class Taken(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The records of one topic that came next: all ``records`` of them that stand in ``[begin, end)``.

    ``begin`` is where the last one of that topic and partition ended, so that a row that is missing leaves a hole.
    """

    topic: str
    begin: int
    end: int
    records: int


class Verloop(msgspec.Struct, frozen=True, gc=False):
    """One transaction; ``catalogus`` is the version of the catalogue whose rules were applied."""

    catalogus: str
    genomen: tuple[Taken, ...]


encode_verloop = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Verloop).decode


def verloop_topic(toepassing: str) -> str:
    """The topic of an engine; it has the partitions of the engine's state."""
    return f"{toepassing}-verloop"


def decode_verloop(data: bytes | None) -> Verloop:
    """The transaction in a value; raises ValueError."""
    if data is None:
        raise ValueError("no transaction is stated")
    try:
        return _decode(data)
    except msgspec.MsgspecError as e:
        raise ValueError(str(e)) from e
