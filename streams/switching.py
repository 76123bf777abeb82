"""One partition from the rules of one catalogue to those of another: every persoon is judged anew, at one place of the verloop.

Used by the switch-over itself, by whoever wants to know before what it would say, and by a replay that comes to its place.
"""

from collections.abc import Iterator, Mapping

from schemas.codec import Codec, WireError
from schemas.values import Mutatie, Place
from schemas.verloop import Omslag
from streams.core.messages import Cause
from streams.core.rulebook import Soort
from streams.core.step import Outcome
from streams.core.switch import Switch
from streams.core.timeline import is_head, keys_of, timeline_of
from streams.effects import Effects
from streams.fold import Folder

Values = Mapping[str, Mapping[int, bytes | None]]  # topic → offset in the partition → value, of those that are there


class PartitionSwitch:
    """Takes the rows of partitions over from ``old`` to ``new``; raises SwitchError where that cannot be."""

    def __init__(self, old: Folder, new: Folder, codec: Codec) -> None:
        self._old, self._new, self._codec = old, new, codec
        self._switch = Switch(old.rulebook, new.rulebook)

    def needed(self, rows: Mapping[bytes, bytes]) -> dict[str, set[int]]:
        """By topic the offsets of the mutaties that must be read again: more is to be known of them than was kept."""
        found: dict[str, set[int]] = {}
        if self._switch.needs_records:
            soorten = [s for s in self._old.rulebook.soorten.values() if self._switch.needs(s)]
            for persoon in filter(is_head, rows):
                timeline = timeline_of(persoon, rows.get)
                for soort in soorten:
                    offsets = [r.offset for r in timeline.of(soort) if r.period is not None and r.offset >= 0]
                    if offsets:
                        found.setdefault(soort.topic, set()).update(offsets)
        return found

    def effects(self, rows: Mapping[bytes, bytes], klok: int | None, omslag: Omslag, place: Place, values: Values) -> Effects:
        """What is said and what is kept when the rules change at ``place`` in the verloop; raises SwitchError.

        ``rows`` are those of the partition, ``klok`` the day of its newest tick, ``values`` what stands where ``needed`` says.
        """
        changes, cause = dict[bytes, bytes | None](), Cause(omslag.tijd, place)

        def source(soort: Soort, offset: int) -> Mutatie | None:
            try:
                return self._codec.decode_mutatie(soort.topic, values.get(soort.topic, {}).get(offset))
            except WireError:
                return None

        def outcomes() -> Iterator[tuple[bytes, Outcome]]:
            for persoon in sorted(filter(is_head, rows)):
                before = timeline_of(persoon, rows.get)
                outcome = self._switch.take_over(before, klok, source, cause)
                kept = {**dict.fromkeys(keys_of(persoon, before.head.pages)), **outcome.timeline.rows()}
                changes.update((key, row) for key, row in kept.items() if row != rows.get(key))
                yield persoon, outcome

        effects = self._new.said(place.partition, outcomes())
        effects.changes, effects.klok = changes, klok
        return effects
