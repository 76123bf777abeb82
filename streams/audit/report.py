"""The report of a replay: what was compared, and each thing that is wrong."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from streams.audit.findings import Finding, Kind
from streams.audit.replay import Day

_SIGNALEN: Final = "signalen"


class Part(msgspec.Struct, frozen=True):
    """What came of one partition."""

    partition: int
    transactions: int
    records: int
    same: dict[str, int]  # messages that were sent as they are made, by what they are
    later: int  # volgverzoeken that the engine may have sent behind the end
    unshown: int  # messages that were made and not found, beyond those of which there is a finding
    unread: str | None  # why it was not replayed to its end
    days: dict[str, Day]
    findings: list[Finding]


class Asked(msgspec.Struct, frozen=True):
    """What was to be replayed: transactions from ``begin`` until before ``end``, and for whom."""

    toepassing: str
    begin: str | None
    end: str | None
    ontvangers: Sequence[str] | None
    dienst: str | None


class Report(msgspec.Struct, frozen=True):
    """The whole."""

    asked: Asked
    catalogues: Sequence[str]
    partitions: int
    transactions: int
    records: int  # that were replayed, those before the scope too
    same: int  # signals that were sent as they are made
    beside: dict[str, int]  # the same of volgverzoeken and quarantaine, where they were compared
    later: int  # messages of transactions behind the end of the scope or of the verloop: not judged
    unshown: int
    counts: dict[str, int]  # of findings, by kind
    days: dict[str, Day]
    findings: Sequence[Finding]
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether all that was sent is what had to be sent."""
        return not self.findings and not self.unshown


def report_of(
    asked: Asked, catalogues: Sequence[str], parts: Sequence[Part], later: int, findings: Sequence[Finding], seconds: float
) -> Report:
    """The report of what all partitions came to."""
    same = sum((Counter(p.same) for p in parts), Counter[str]())
    return Report(
        asked,
        catalogues,
        partitions=len(parts),
        transactions=sum(p.transactions for p in parts),
        records=sum(p.records for p in parts),
        same=same.pop(_SIGNALEN, 0),
        beside=dict(sorted(same.items())),
        later=later + sum(p.later for p in parts),
        unshown=sum(p.unshown for p in parts),
        counts=_counts_of(findings),
        days=_days_of(parts),
        findings=findings,
        seconds=round(seconds, 3),
    )


def _counts_of(findings: Iterable[Finding]) -> dict[str, int]:
    """Findings by kind, all kinds named."""
    found = Counter(f.kind for f in findings)
    return {kind.value: found[kind] for kind in Kind}


def _days_of(parts: Iterable[Part]) -> dict[str, Day]:
    """The days of all partitions together, in order."""
    days: dict[str, Day] = {}
    for part in parts:
        for name, day in part.days.items():
            total = days.setdefault(name, Day())
            total.records += day.records
            total.made += day.made
    return dict(sorted(days.items()))
