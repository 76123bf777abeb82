"""The switch to other rules: a persoon as the new rules keep it, and what is to be said because of them.

Level-triggered as ``step`` is: what should stand under the new rules, minus what was sent. Nothing that is known is lost: of each record
the same version stands afterwards. What the new rules want to know and nobody kept, the bronnen are asked for.
"""

from collections.abc import Callable, Iterator, Mapping

from schemas.values import Mutatie, Volgverzoek, Waarde
from streams.core.held import let_go
from streams.core.messages import Cause
from streams.core.pairs import judge_pairs
from streams.core.period import BEFORE
from streams.core.record import Record
from streams.core.retention import taken_over
from streams.core.rulebook import Rulebook, Soort
from streams.core.step import Fate, Outcome, follow, forget, weigh
from streams.core.timeline import Follow, Timeline, timeline_of
from streams.core.withdrawing import withdrawn

Source = Callable[[Soort, int], Mutatie | None]  # a soort and an offset in the partition of the persoon → the mutatie that stands there


class SwitchError(Exception):
    """The rules cannot be switched; the text says why, without data of a record."""


class Switch:
    """From the rules ``old`` to ``new``."""

    def __init__(self, old: Rulebook, new: Rulebook) -> None:
        """Raises SwitchError when what is known under the old rules cannot be read under the new ones."""
        self.old, self.new = old, new
        _check_soorten(old, new)
        _check_diensten(old, new)
        self._anew = frozenset(_bronnen_of_more(old, new))

    @property
    def needs_records(self) -> bool:
        """Whether the new rules list fields that were not kept."""
        return any(self.needs(s) for s in self.old.soorten.values())

    def needs(self, soort: Soort) -> bool:
        """The same of one soort of the old rules."""
        return not set(self.new.soorten[soort.nummer].velden) <= set(soort.velden)

    def take_over(self, before: Timeline, klok: int | None, source: Source, cause: Cause) -> Outcome:
        """What becomes of a timeline under the old rules; raises SwitchError when a record is gone that is needed.

        ``klok`` is the day of the newest tick, in days since 1970-01-01; None: there was none.
        """
        day = BEFORE if klok is None else klok
        gone = [d for d in self.old.diensten.values() if d.nummer not in self.new.diensten]
        ended, signalen = withdrawn(self.old, before, gone, cause)
        timeline = let_go(self.new, self._projected(ended, source), day)
        timeline, of_pairs = judge_pairs(self.new, timeline, timeline, day, cause)
        timeline, of_gronden = weigh(self.new, timeline, timeline, day, cause)
        timeline, volgverzoeken = follow(self.new, forget(self.new, timeline), cause.registratietijd, self._anew)
        timeline, left = self._let_go(timeline, cause.registratietijd)
        said, asked = (*signalen, *of_pairs, *of_gronden), (*volgverzoeken, *left)
        timeline = taken_over(self.old, self.new, before, timeline, klok, told=bool(said or asked))
        return Outcome(timeline, Fate.OPGESLAGEN, said, asked)

    def _projected(self, timeline: Timeline, source: Source) -> Timeline:
        """The same records with the fields that the new rules list."""
        head, after = timeline.head, timeline_of(timeline.persoon, lambda _: None)
        after = after.with_follows(head.follows).with_handled(head.handled).with_nummer(head.nummer)
        for nummer, held in head.held.items():
            for name, first in held.items():
                after = after.with_held(self.new.soorten[nummer], name, first)
        for nummer, soort in self.old.soorten.items():
            records = [(self.new.soorten[nummer], self._record(soort, r, source)) for r in timeline.of(soort)]
            after = after.with_records(self.new.soorten, records)
        return after

    def _record(self, soort: Soort, record: Record, source: Source) -> Record:
        velden = self.new.soorten[soort.nummer].velden
        if record.period is None or velden == soort.velden:
            return record
        if not self.needs(soort):
            known: Mapping[str, Waarde] = dict(zip(soort.velden, record.values, strict=True))
        else:
            if record.offset < 0:
                raise SwitchError(f"a mutatie of {soort.topic} came under an earlier number of a persoon, and a field of it is needed")
            mutatie = source(soort, record.offset)
            if mutatie is None or mutatie.feit is None or (mutatie.record_id, mutatie.versie) != (record.record_id, record.versie):
                raise SwitchError(f"the mutatie of {soort.topic} at offset {record.offset} is no longer there, and a field of it is needed")
            known = mutatie.feit
        return Record(record.name, record.versie, record.offset, record.period, tuple([known.get(v) for v in velden]), record.sent)

    def _let_go(self, timeline: Timeline, registratietijd: int) -> tuple[Timeline, list[tuple[str, Volgverzoek]]]:
        """Tell the bronnen that no dienst asks any more that the persoon is not followed."""
        asked = {bron for dienst in self.new.diensten.values() for bron in dienst.bronnen}
        ended = {b: Follow(f.versie + 1, ()) for b, f in sorted(timeline.head.follows.items()) if b not in asked and f.since}
        told = [(b, Volgverzoek(f.versie, registratietijd, ())) for b, f in ended.items()]
        return timeline.with_follows({**timeline.head.follows, **ended}) if ended else timeline, told


def _check_soorten(old: Rulebook, new: Rulebook) -> None:
    for nummer, was in old.soorten.items():
        now = new.soorten.get(nummer)
        if now is None or now.naam != was.naam:
            raise SwitchError(f"{was.naam} must stay in the catalogue, with nummer {nummer}: there may be records of it")
        known = was.is_basisfeit or was.filtert_zelf or bool(was.gebruikt_door)
        if now.rol != was.rol and known:
            raise SwitchError(f"{was.naam} is kept as a {was.rol}, and cannot become a {now.rol}")
        if now.rol in {"basisfeit", "opgave"} and not known:  # of both nobody is asked, so that they would not come again
            raise SwitchError(f"mutaties of {was.naam} were taken before any dienst kept them: a {now.rol} needs a soort of its own")


def _check_diensten(old: Rulebook, new: Rulebook) -> None:
    names = {d.naam: d for d in old.diensten.values()}
    for now in new.diensten.values():
        was = names.get(now.naam) or old.diensten.get(now.nummer)
        if was is not None and (was.naam, was.nummer) != (now.naam, now.nummer):
            raise SwitchError(f"dienst {now.naam} has nummer {now.nummer}: a name and a nummer belong together for ever")
        if was is not None and (was.basis, was.van_paren) != (now.basis, now.van_paren):
            raise SwitchError(f"dienst {now.naam} has another basisfeit, or is about something else than a pair: give it another name")
        if was is not None and not was.ontvangers <= now.ontvangers:
            raise SwitchError(f"ontvangers of dienst {now.naam} are gone that may hold signals of it")


def _bronnen_of_more(old: Rulebook, new: Rulebook) -> Iterator[str]:
    """Of which a dienst now uses another soort: a volgverzoek names diensten, so that the last one asks for less than it says."""
    for nummer, now in new.diensten.items():
        was = old.diensten.get(nummer)
        yield from (new.soorten[n].bron for n in now.gevraagd if was is not None and n not in was.gevraagd)
