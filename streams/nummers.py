"""Numbers that change, in a fold: from what is read to the core and back, and what goes over by the log."""

from collections.abc import Mapping

from schemas.cloudevents import overdracht_headers
from schemas.codec import Codec, WireError
from schemas.nummers import Doorgegeven, Nummerwijziging, Overdracht
from schemas.reasons import Reason
from schemas.sources import AFHANDELINGEN
from schemas.values import Afhandeling, Place
from streams.core.handled import handle
from streams.core.messages import iso_time
from streams.core.nummer import hand_further, hand_on, join, renumber, with_earlier
from streams.core.retention import touched
from streams.core.rulebook import Rulebook
from streams.core.step import Fate, Outcome, step
from streams.core.timeline import Timeline, keys_of
from streams.effects import BY_KEY, Effects


class Nummers:
    """Takes nummerwijzigingen and overdrachten; the effects get what changes of personen, and what goes over."""

    def __init__(self, rulebook: Rulebook, codec: Codec, overdrachten: str, source: str) -> None:
        self._rulebook, self._codec = rulebook, codec
        self._overdrachten, self._source = overdrachten, source

    def renumber(self, effects: Effects, before: Timeline, wijziging: Nummerwijziging, place: Place) -> Outcome:
        """A nummerwijziging; raises WireError."""
        outcome, overdrachten = renumber(self._rulebook, before, wijziging, place)
        for overdracht in overdrachten:
            self._send(effects, wijziging.nieuw or "", overdracht)
        self._keep(effects, before, outcome.timeline)
        return outcome

    def hand_on(self, effects: Effects, before: Timeline, registratietijd: int, place: Place, value: bytes | None) -> Outcome:
        """A record that came for a persoon who became another one."""
        after, overdracht = hand_on(before, registratietijd, Doorgegeven(*place, value or b""))
        self._send(effects, _new_name(before), overdracht)
        return Outcome(touched(self._rulebook, after, effects.klok), Fate.DOORGEGEVEN)

    def take_over(self, effects: Effects, before: Timeline, overdracht: Overdracht, place: Place) -> Outcome:
        """What goes over to a persoon; raises WireError."""
        if before.head.nummer.nieuw is not None:
            after, further = hand_further(before, overdracht, place)
            after = touched(self._rulebook, after, effects.klok)
            self._send(effects, _new_name(before), further)
            outcome = Outcome(after, Fate.DOORGEGEVEN)
        elif overdracht.doorgegeven is None:
            outcome = join(self._rulebook, before, overdracht, place, effects.klok)
        else:
            outcome = self._take_on(before, overdracht, overdracht.doorgegeven, place, effects.klok)
        self._keep(effects, before, outcome.timeline)
        return outcome

    def _take_on(self, before: Timeline, overdracht: Overdracht, record: Doorgegeven, place: Place, klok: int | None) -> Outcome:
        """A record as if it had come under this number, but for where it stands."""
        soort = self._rulebook.by_topic.get(record.topic)
        if record.topic == AFHANDELINGEN:
            outcome = handled_by(self._rulebook, before, self._codec.decode_afhandeling(record.waarde), klok)
        elif soort is None:
            raise WireError(Reason.NIET_LEESBAAR)
        else:
            mutatie = self._codec.decode_mutatie(record.topic, record.waarde)
            outcome = step(self._rulebook, before, soort, mutatie, record.place, klok, place)
        if outcome.timeline is before:
            return outcome
        return Outcome(with_earlier(outcome.timeline, overdracht), outcome.fate, outcome.signalen, outcome.volgverzoeken)

    def _keep(self, effects: Effects, before: Timeline, after: Timeline) -> None:
        """The rows of a persoon as they are now; of one who became another nothing of those that were is left."""
        if after is before:
            return
        rows: Mapping[bytes, bytes | None] = touched(self._rulebook, after, effects.klok).rows()
        if after.head.nummer.nieuw is not None and before.head.nummer.nieuw is None:
            gone = [key for key in keys_of(before.persoon, before.head.pages) if before.read(key) is not None]
            rows = {**dict.fromkeys(gone), **rows}
        effects.changes.update(rows)

    def _send(self, effects: Effects, persoon: str, overdracht: Overdracht) -> None:
        time = iso_time(overdracht.registratietijd)
        headers = overdracht_headers(persoon, overdracht.oorzaak, overdracht.deel, time, self._source)
        effects.send(self._overdrachten, BY_KEY, (persoon.encode(), self._codec.encode_overdracht(overdracht), headers))


def handled_by(rulebook: Rulebook, before: Timeline, afhandeling: Afhandeling, klok: int | None) -> Outcome:
    """What a report of an ontvanger does."""
    after = handle(rulebook, before, afhandeling)
    if after is None:
        return Outcome(before, Fate.NIET_BEWAARD)
    return Outcome(before, Fate.BEKEND) if after is before else Outcome(touched(rulebook, after, klok), Fate.OPGESLAGEN)


def _new_name(timeline: Timeline) -> str:
    return (timeline.head.nummer.nieuw or b"").decode()
