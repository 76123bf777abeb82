"""What the engine sent, topic by topic, sorted by the partition of its cause: of each message a digest and its place."""

from array import array
from collections.abc import Mapping
from functools import cached_property
from typing import Final

import msgspec

from schemas.codec import Codec, WireError
from schemas.quarantine import QUARANTAINE, Refused, read_headers
from schemas.sources import is_overdrachten
from schemas.values import Oorzaak, Place
from streams.audit.archive import Archive
from streams.audit.history import Reach
from streams.audit.packed import DIGEST, digest_of, digests_of, packed_files
from streams.effects import Encoded
from streams.encoded import fields_of

VOLGVERZOEKEN: Final = "volgverzoeken."


class Sent(msgspec.Struct):
    """The messages on one topic that mutaties of one partition caused, in the order of the topic."""

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
    """A message that no replay can have made there."""

    topic: str
    offset: int
    why: str
    partition: int = 0


class TopicIndex(msgspec.Struct):
    """A topic that the engine writes to."""

    topic: str
    sent: dict[int, Sent] = {}  # partition of the cause → messages
    stray: list[Stray] = []
    late: list[Stray] = []  # that stand behind a later version
    unread: str | None = None  # why nothing of it could be read
    later: int = 0  # caused by what the engine had taken only after the verloop of the archive ends


class _Caused(msgspec.Struct, frozen=True, gc=False):
    versie: int
    oorzaak: Oorzaak
    dienst: str = ""


_caused = msgspec.json.Decoder(_Caused).decode


_OFFSET_BITS: Final = 46


def place_of(topic: str, partition: int, offset: int) -> Place:
    """Where a message of ``topic`` stands that was caused in ``partition``, by its offset in ``Sent``.

    What went over stands in the partitions of other personen, so that there the offset holds both.
    """
    if is_overdrachten(topic):
        return Place(topic, offset >> _OFFSET_BITS, offset & (1 << _OFFSET_BITS) - 1)
    return Place(topic, partition if topic.startswith(VOLGVERZOEKEN) else 0, offset)


class Indexer:
    """Makes indexes of topics; of signals only those of ``dienst``, if there is one."""

    def __init__(self, archive: Archive, reaches: Mapping[int, Reach], dienst: str | None = None) -> None:
        self._archive, self._reaches, self._dienst = archive, reaches, dienst
        self._newest: dict[bytes | None, int] = {}
        self._torn: set[bytes | None] = set()  # of which the first version that stands is not version 1
        self._digests: dict[int, list[bytes]] = {}
        self._offsets: dict[int, array[int]] = {}

    def index(self, topic: str) -> TopicIndex:
        """The messages of a topic; raises ArchiveError."""
        index = TopicIndex(topic)
        self._newest, self._torn, self._digests, self._offsets = {}, set(), {}, {}
        if topic.startswith(VOLGVERZOEKEN):
            self._take_volgverzoeken(topic)
        elif topic == QUARANTAINE:
            self._take_refused(index)
        elif is_overdrachten(topic):
            self._take_handed_over(index)
        else:
            self._take_signals(index)
        index.sent = {p: Sent(b"".join(d), self._offsets[p].tobytes()) for p, d in self._digests.items()}
        return index

    def _put(self, partition: int, digest: bytes, offset: int) -> None:
        self._digests.setdefault(partition, []).append(digest)
        self._offsets.setdefault(partition, array("q")).append(offset)

    def _take_signals(self, index: TopicIndex) -> None:
        for packed in packed_files(self._archive, index.topic, 0, headers=True):
            every = digests_of(Encoded(len(packed), packed.data))
            for number, (key, value) in enumerate(packed.contents()):
                cause = self._cause(index, packed.offsets[number], key, value)
                if cause is not None and self._is_in_scope(index, packed.offsets[number], cause):
                    self._put(cause.partition, every[DIGEST * number : DIGEST * number + DIGEST], packed.offsets[number])

    def _cause(self, index: TopicIndex, offset: int, key: bytes | None, value: bytes | None) -> Oorzaak | None:
        try:
            caused = _caused(value or b"")
        except (msgspec.MsgspecError, UnicodeDecodeError):
            index.stray.append(Stray(index.topic, offset, "it is no signaal"))
            return None
        if self._dienst is not None and caused.dienst != self._dienst:
            return None
        last = self._newest.get(key, 0)
        if not last and caused.versie > 1:
            self._torn.add(key)
        if caused.versie < last and (caused.versie > 1 or key in self._torn):
            index.late.append(Stray(index.topic, offset, f"version {caused.versie} stands behind version {last}"))
        else:  # a version 1 behind a whole row of them: the persoon was erased and came again, or what stands here was made by nobody
            self._newest[key] = caused.versie
        return caused.oorzaak

    def _take_refused(self, index: TopicIndex) -> None:
        for row in self._archive.rows(index.topic, 0):
            found = read_headers([(name, content or b"") for name, content in row.headers])
            if found is None:
                index.stray.append(Stray(index.topic, row.offset, "neither the engine nor an operator's command wrote it"))
            elif isinstance(found, Refused) and self._is_in_scope(index, row.offset, found.place):
                self._put(found.place.partition, digest_of(fields_of(row.key, row.value, row.headers)), row.offset)

    def _take_handed_over(self, index: TopicIndex) -> None:
        """In each partition what went over to its personen: because of what was taken in any."""
        for partition in self._archive.partitions(index.topic):
            for packed in packed_files(self._archive, index.topic, partition, headers=True):
                every = digests_of(Encoded(len(packed), packed.data))
                for number, (_, value) in enumerate(packed.contents()):
                    offset = packed.offsets[number]
                    try:
                        cause = self._codec.decode_overdracht(value).oorzaak
                    except WireError:
                        index.stray.append(Stray(index.topic, offset, "it is no overdracht", partition))
                        continue
                    if self._is_in_scope(index, offset, cause, partition):
                        digest = every[DIGEST * number : DIGEST * number + DIGEST]
                        self._put(cause.partition, digest, partition << _OFFSET_BITS | offset)

    @cached_property
    def _codec(self) -> Codec:
        return Codec(self._archive.catalogue(self._archive.catalogues[-1], verified=False))

    def _take_volgverzoeken(self, topic: str) -> None:
        """All of them: they name no cause. Those of before the scope are made again, and not counted."""
        for partition in self._archive.partitions(topic):
            for packed in packed_files(self._archive, topic, partition, headers=True):
                every = digests_of(Encoded(len(packed), packed.data))
                for number, offset in enumerate(packed.offsets):
                    self._put(partition, every[DIGEST * number : DIGEST * number + DIGEST], offset)

    def _is_in_scope(self, index: TopicIndex, offset: int, cause: Oorzaak | Place, partition: int = 0) -> bool:
        """Whether the engine took the cause in the scope; otherwise ``index`` knows what is wrong, if anything is."""
        reach = self._reaches.get(cause.partition)
        if reach is not None and cause.offset < reach.after.get(cause.topic, 0):
            return cause.offset >= reach.before.get(cause.topic, 0)
        if reach is not None and cause.offset < self._archive.end(cause.topic, cause.partition):
            index.later += 1
            return False
        why = f"its cause, {Place(cause.topic, cause.partition, cause.offset)}, is not on the log"
        if reach is None or cause.topic not in reach.after:
            why = f"the engine took nothing from {cause.topic}-{cause.partition}, which it names as its cause"
        index.stray.append(Stray(index.topic, offset, why, partition))
        return False
