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


class Omslag(msgspec.Struct, frozen=True, gc=False):
    """The switch from the rules of another catalogue: in this transaction every persoon of the partition was judged anew."""

    van: str  # the version of the catalogue before
    tijd: int  # when it was decided, in milliseconds since the epoch, UTC


class Verloop(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One transaction; ``catalogus`` is the version of the catalogue whose rules were applied."""

    catalogus: str
    genomen: tuple[Taken, ...]
    omslag: Omslag | None = None


encode_verloop = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Verloop).decode


def verloop_topic(toepassing: str) -> str:
    """The topic of an engine; it has the partitions of the engine's state."""
    return f"{toepassing}-verloop"


def is_verloop(topic: str) -> bool:
    """Whether a topic is the verloop of some engine: a signaal names it as its cause when rules were switched."""
    return topic.endswith("-verloop")


def decode_verloop(data: bytes | None) -> Verloop:
    """The transaction in a value; raises ValueError."""
    if data is None:
        raise ValueError("no transaction is stated")
    try:
        return _decode(data)
    except msgspec.MsgspecError as e:
        raise ValueError(str(e)) from e
