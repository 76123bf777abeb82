"""Signalen with which their ontvanger is done: what they said then is not said again after a withdrawal.

Only a NIEUW is left out, and only one that says what the ontvanger was told before, and reported as AFGEHANDELD. What has changed is
always said, and so is a withdrawal: whoever holds a signal has to know that it no longer holds.
"""

from collections.abc import Iterable, Iterator

from schemas.values import Afhandeling
from streams.core.diff import Change, W, diff
from streams.core.messages import signaal_id
from streams.core.record import Record, Sent
from streams.core.rulebook import DienstRule, Rulebook
from streams.core.timeline import Handled, Timeline


def unhandled(
    handled: Handled, rulebook: Rulebook, dienst: DienstRule, changes: Iterable[Change[W]], basis: Record, feit: tuple[str, str] = ("", "")
) -> list[Change[W]]:
    """Those of ``changes`` that are to be said; ``feit`` is (soort, record_id), of a signaal about a basisfeit alone empty."""
    grond = rulebook.soorten[dienst.basis].naam, basis.record_id
    return [c for c in changes if c.soort != "NIEUW" or c.sent.content not in handled.get(_name(dienst, c.sent, grond, feit), ())]


def is_left_out(
    rulebook: Rulebook,
    timeline: Timeline,
    dienst: DienstRule,
    basis: Record,
    sent: tuple[Sent, ...],
    wanted: W | None,
    feit: tuple[str, str],
) -> bool:
    """Whether what should stand does not, because it was handled; ``sent`` is what was sent of it."""
    changes = list(diff(sent, dienst.nummer, timeline.position(dienst.basis, basis.name), wanted))
    return len(unhandled(timeline.head.handled, rulebook, dienst, changes, basis, feit)) < len(changes)


def handle(rulebook: Rulebook, timeline: Timeline, afhandeling: Afhandeling) -> Timeline | None:
    """Remember what the signaal says, when it stands in the version that was handled; None when it was never sent about this persoon.

    The same timeline comes back when it says something else by now, was withdrawn, or is known as handled.
    """
    wanted = name_of(afhandeling.signaal_id)
    for name, sent in _said(rulebook, timeline):
        if name == wanted:
            known = timeline.head.handled.get(name, ())
            if sent.versie != afhandeling.versie or sent.content is None or sent.content in known:
                return timeline
            return timeline.with_handled({**timeline.head.handled, name: (*known, sent.content)})
    return None


def name_of(signaal: str) -> bytes:
    """A signaal_id as state keeps it."""
    return bytes.fromhex(signaal.replace("-", ""))


def _said(rulebook: Rulebook, timeline: Timeline) -> Iterator[tuple[bytes, Sent]]:
    """Everything that was ever sent about a persoon, by name."""
    for soort in rulebook.soorten.values():
        for record in timeline.of(soort):
            for sent in record.sent:
                dienst = rulebook.diensten.get(sent.dienst)
                if dienst is not None:
                    basis = timeline.gronden(dienst.basis)[sent.basis]
                    feit = (soort.naam, record.record_id) if dienst.van_paren else ("", "")
                    yield _name(dienst, sent, (rulebook.soorten[dienst.basis].naam, basis.record_id), feit), sent


def _name(dienst: DienstRule, sent: Sent, grond: tuple[str, str], feit: tuple[str, str]) -> bytes:
    return name_of(signaal_id(dienst.naam, sent.ontvanger, grond, feit))
