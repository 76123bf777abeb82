"""What the consumer group knows of how far a partition is: for a moment less than the changelog does."""

from collections.abc import Mapping

from streams.effects import SourceOffsets


class GroupOffsets:
    """The offsets of one partition's source topics, and those of them that the group knows.

    How far a partition is stands in its changelog, in the transaction that holds the effects. The group is told for the sake of those who
    look at its lag and of the next fetch, at most once in ``interval`` seconds: two requests to Kafka that most transactions are spared.
    """

    def __init__(self, known: SourceOffsets, taken: Mapping[tuple[str, int], int], interval: float) -> None:
        """``taken``: what the changelog says of each source topic. The group forgets a topic that was removed, so that one which was made
        anew is read from its beginning."""
        self._known = dict(known)
        self.taken = {tp: max(known[tp], offset) if tp in known else 0 for tp, offset in taken.items()}
        self._interval = interval
        self._told: float | None = None

    @property
    def behind(self) -> SourceOffsets:
        """What the group does not know yet."""
        return {tp: offset for tp, offset in self.taken.items() if offset != self._known.get(tp, 0)}

    def due(self, offsets: SourceOffsets, now: float) -> SourceOffsets:
        """What a transaction that takes up to ``offsets`` tells the group: nothing, while it knows the topics and was told not long ago."""
        waits = self._told is not None and now - self._told < self._interval
        return {} if waits and offsets.keys() <= self._known.keys() else {**self.behind, **offsets}

    def stands(self, offsets: SourceOffsets, told: SourceOffsets, now: float) -> None:
        """A transaction that took up to ``offsets`` and said ``told`` to the group was committed at ``now``, in seconds."""
        self.taken |= offsets
        if told:
            self._known |= told
            self._told = now
