"""What stands on the topics of the ontvangers, sorted by the partition of its cause: of each message a digest and its place."""

from array import array
from hashlib import blake2b
from typing import Final

import msgspec

from schemas.values import Oorzaak, Place
from streams.audit.archive import Archive
from streams.audit.history import Reach
from streams.encoded import fields_of

DIGEST: Final = 16  # bytes


class Sent(msgspec.Struct):
    """The messages on one topic of signals that mutaties of one partition caused, in the order of the topic."""

    digests: bytes = b""
    offsets: bytes = b""  # of eight bytes each

    def offset(self, number: int) -> int:
        """Where a message stands."""
        return int.from_bytes(self.offsets[8 * number : 8 * number + 8], "little")

    def digest(self, number: int) -> bytes:
        """The digest of a message."""
        return self.digests[DIGEST * number : DIGEST * number + DIGEST]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.digests) // DIGEST


NOTHING: Final = Sent()


class Stray(msgspec.Struct, frozen=True):
    """A message on a topic of signals that no replay can have made there."""

    topic: str
    offset: int
    why: str


class TopicIndex(msgspec.Struct):
    """A topic of signals."""

    topic: str
    sent: dict[int, Sent] = {}  # partition of the cause → messages
    stray: list[Stray] = []
    late: list[Stray] = []  # that stand behind a later version
    unread: str | None = None  # why nothing of it could be read
    later: int = 0  # caused by what the engine had taken only after the verloop of the archive ends


class _Caused(msgspec.Struct, frozen=True, gc=False):
    versie: int
    oorzaak: Oorzaak


_caused = msgspec.json.Decoder(_Caused).decode


def digest_of(fields: bytes) -> bytes:
    """Sixteen bytes that differ when anything of a message differs; ``fields`` is what ``fields_of`` makes of it."""
    return blake2b(fields, digest_size=DIGEST).digest()


def index_of(archive: Archive, topic: str, reaches: dict[int, Reach], *, limited: bool) -> TopicIndex:
    """Sort the messages of a topic of signals; ``limited`` says that the scope has an end. Raises ArchiveError."""
    index, offsets = TopicIndex(topic), dict[int, "array[int]"]()
    digests, newest = dict[int, list[bytes]](), dict[bytes | None, int]()
    for row in archive.rows(topic, 0):
        try:
            caused = _caused(row.value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            index.stray.append(Stray(topic, row.offset, "it is no signaal"))
            continue
        cause, last = caused.oorzaak, newest.get(row.key, 0)
        if caused.versie < last:
            index.late.append(Stray(topic, row.offset, f"version {caused.versie} stands behind version {last}"))
        newest[row.key] = max(last, caused.versie)
        reach = reaches.get(cause.partition)
        if reach is None or cause.topic not in reach.after:
            why = f"the engine took nothing from {cause.topic}-{cause.partition}, which it names as its cause"
            index.stray.append(Stray(topic, row.offset, why))
        elif cause.offset >= reach.after[cause.topic]:
            if limited or cause.offset < archive.end(cause.topic, cause.partition):
                index.later += 1
            else:
                place = Place(cause.topic, cause.partition, cause.offset)
                index.stray.append(Stray(topic, row.offset, f"its cause, {place}, is not on the log"))
        elif cause.offset >= reach.before.get(cause.topic, 0):
            digests.setdefault(cause.partition, []).append(digest_of(fields_of(row.key, row.value, row.headers)))
            offsets.setdefault(cause.partition, array("q")).append(row.offset)
    index.sent = {p: Sent(b"".join(d), offsets[p].tobytes()) for p, d in digests.items()}
    return index
