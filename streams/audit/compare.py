"""What a replay makes for one ontvanger beside what was sent to it: almost always the same, in the same order.

The versions of a signaal follow one another; between signals the order is free. It depends on how many records were folded at a time.
"""

from collections.abc import Collection
from typing import Final

import msgspec

from streams.audit.packed import DIGEST
from streams.audit.sent import Sent
from streams.effects import Encoded
from streams.encoded import fields_in, row_of

_AHEAD: Final = 4_096  # messages that are looked at for the one that should come next
MOST_KEPT: Final = 10_000  # messages of which all is kept for the report; of more it only says how many there are


class Unsent(msgspec.Struct, frozen=True):
    """A message that the replay made and that is not where it should be."""

    digest: bytes
    fields: bytes  # see encoded.py
    behind: int  # number of the sent message behind which it should stand


class Comparison(msgspec.Struct):
    """How far the messages of one topic and partition of causes are compared."""

    at: int = 0  # number of the sent message that should come next
    same: int = 0
    passed: dict[bytes, list[int]] = {}  # digest → numbers of the sent messages that were passed over
    unsent: list[Unsent] = []
    more: int = 0  # unsent ones of which nothing is kept
    optional: set[bytes] = set()  # digests of those that may be there and need not

    def take(self, sent: Sent, records: Encoded, digests: bytes) -> list[Unsent]:
        """The next messages that the replay makes, with their digests; returns those that are not there."""
        if sent.digests.startswith(digests, self.at * DIGEST):
            self.at += records.count
            self.same += records.count
            return []
        fields, unsent = list[bytes](), list[Unsent]()
        for number in range(records.count):
            digest = digests[DIGEST * number : DIGEST * number + DIGEST]
            if not self._found(sent, digest):
                fields = fields or [*fields_in([records])]
                unsent.append(Unsent(digest, fields[number], self.at))
        return unsent

    def miss(self, unsent: Unsent) -> None:
        """One that should be there."""
        if len(self.unsent) < MOST_KEPT:
            self.unsent.append(unsent)
        else:
            self.more += 1

    def excuse(self, keys: Collection[bytes | None]) -> None:
        """Messages with these keys that should be there need not be."""
        self.optional |= {u.digest for u in self.unsent if row_of(u.fields)[0] in keys}
        self.unsent = [u for u in self.unsent if u.digest not in self.optional]

    def _found(self, sent: Sent, digest: bytes) -> bool:
        """Whether the next message is there."""
        begin = self.at * DIGEST
        if sent.digests.startswith(digest, begin):
            self.at += 1
        elif not self._passed(digest):
            found = _find(sent.digests, digest, begin)
            if found is None:
                return False
            for number in range(self.at, found):
                self.passed.setdefault(sent.digest(number), []).append(number)
            self.at = found + 1
        self.same += 1
        return True

    def settle(self, sent: Sent) -> list[int]:
        """Numbers of the sent messages that the replay did not make, once it has made all; ``unsent`` is then final too."""
        for number in range(self.at, len(sent)):
            self.passed.setdefault(sent.digest(number), []).append(number)
        self.at = len(sent)
        return self.unmade()

    def unmade(self) -> list[int]:
        """Numbers of the sent messages that were passed over and have not come since."""
        for digest in self.optional:
            self._passed(digest)
        found = [u for u in self.unsent if not self._passed(u.digest)]
        self.same += len(self.unsent) - len(found)
        self.unsent = found
        return sorted(number for numbers in self.passed.values() for number in numbers)

    def _passed(self, digest: bytes) -> bool:
        """Whether a message was passed over before; it then no longer counts as that."""
        numbers = self.passed.get(digest)
        if not numbers:
            return False
        numbers.pop(0)
        if not numbers:
            del self.passed[digest]
        return True


def _find(digests: bytes, digest: bytes, begin: int) -> int | None:
    """The number of the message with that digest, a little further on."""
    end = begin + _AHEAD * DIGEST
    at = digests.find(digest, begin, end)
    while at >= 0 and at % DIGEST:
        at = digests.find(digest, at + 1, end)
    return at // DIGEST if at >= 0 else None
