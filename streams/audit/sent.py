"""What stands on the topics of the ontvangers, sorted by the partition of its cause: of each message a digest and its place."""

from array import array
from typing import Final

import msgspec

from schemas.values import Oorzaak, Place
from streams.audit.archive import Archive
from streams.audit.history import Reach
from streams.audit.packed import DIGEST, digests_of, packed_files
from streams.effects import Encoded


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


def index_of(archive: Archive, topic: str, reaches: dict[int, Reach], *, limited: bool) -> TopicIndex:
    """Sort the messages of a topic of signals; ``limited`` says that the scope has an end. Raises ArchiveError."""
    index, newest = TopicIndex(topic), dict[bytes | None, int]()
    digests, offsets = dict[int, list[bytes]](), dict[int, "array[int]"]()
    for packed in packed_files(archive, topic, 0, headers=True):
        every = digests_of(Encoded(len(packed), packed.data))
        for number, (key, value) in enumerate(packed.contents()):
            partition = _sorted(index, archive, reaches, newest, packed.offsets[number], key, value, limited=limited)
            if partition is not None:
                digests.setdefault(partition, []).append(every[DIGEST * number : DIGEST * number + DIGEST])
                offsets.setdefault(partition, array("q")).append(packed.offsets[number])
    index.sent = {p: Sent(b"".join(d), offsets[p].tobytes()) for p, d in digests.items()}
    return index


def _sorted(  # noqa: PLR0913 - a message beside all that is known before it
    index: TopicIndex,
    archive: Archive,
    reaches: dict[int, Reach],
    newest: dict[bytes | None, int],
    offset: int,
    key: bytes | None,
    value: bytes | None,
    *,
    limited: bool,
) -> int | None:
    """The partition of the cause of a message; None when it is not to be compared, and then ``index`` knows why."""
    try:
        caused = _caused(value or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        index.stray.append(Stray(index.topic, offset, "it is no signaal"))
        return None
    cause, last = caused.oorzaak, newest.get(key, 0)
    if caused.versie < last:
        index.late.append(Stray(index.topic, offset, f"version {caused.versie} stands behind version {last}"))
    else:
        newest[key] = caused.versie
    reach = reaches.get(cause.partition)
    taken = None if reach is None else reach.after.get(cause.topic)
    if reach is None or taken is None:
        why = f"the engine took nothing from {cause.topic}-{cause.partition}, which it names as its cause"
        index.stray.append(Stray(index.topic, offset, why))
    elif cause.offset < taken:
        return cause.partition if cause.offset >= reach.before.get(cause.topic, 0) else None
    elif limited or cause.offset < archive.end(cause.topic, cause.partition):
        index.later += 1
    else:
        place = Place(cause.topic, cause.partition, cause.offset)
        index.stray.append(Stray(index.topic, offset, f"its cause, {place}, is not on the log"))
    return None
