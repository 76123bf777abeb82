"""What must be true of every seed: in the end, and at any moment at which no transaction is half visible."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from schemas.sources import is_overdrachten
from schemas.values import Volgverzoek
from streams.effects import META_KEY
from streams.encoded import rows_in
from streams.fold import Folder
from streams.store import PartitionStore
from tests.oracle import Live, fold
from tests.simulation.folding import folder
from tests.simulation.kafka import TP, Entry
from tests.simulation.process import CHANGELOG, PARTITIES, VERLOOP
from tests.simulation.world import POISON, codec

if TYPE_CHECKING:
    from tests.simulation.scheduler import Simulation

_HONEST_FOLD = Folder.fold  # as it is before anything is planted


def sources() -> list[str]:
    """The topics that the engine reads."""
    return folder().topics


def decode_volgverzoek(value: bytes | None) -> Volgverzoek:
    """A volgverzoek as a bron reads it."""
    return codec().decode_volgverzoek(value)


def lag(s: "Simulation") -> int:
    """Records that are not done, whether published already or not."""
    undone = sum(1 for tp in _source_partitions() for _ in _delivered(s, tp, s.cluster.group.get(tp, 0)))
    return undone + len(s.world.waiting)


def meanwhile(s: "Simulation") -> None:
    """What holds whenever no transaction is decided but not yet marked."""
    _versions_run_on(s)
    _all_is_accounted_for(s)


def final(s: "Simulation") -> None:
    """The global assertion."""
    _what_stands_is_the_truth(s)
    _versions_run_on(s)
    _all_is_accounted_for(s)
    _poison_is_in_quarantine_once(s)
    _bronnen_are_asked_in_order(s)
    _memory_is_the_changelog(s)
    if keeps_order(s):
        _who_reads_uncommitted_ends_right(s)
    if not s.outside_only:
        _each_transaction_is_a_fresh_fold(s)


def keeps_order(s: "Simulation") -> bool:
    """Whether the records of a partition number are taken in the same order again after a crash.

    What goes over from one persoon to another comes when its transaction ends, whatever else was taken meanwhile.
    """
    return s.rules.ordered and not s.world.became


def _source_partitions() -> list[TP]:
    return [(topic, p) for topic in sources() for p in range(PARTITIES)]


def _delivered(s: "Simulation", tp: TP, since: int = 0) -> Iterator[Entry]:
    """The records of a source partition; what goes over from one persoon to another is only there when its transaction is."""
    return s.cluster.read(tp, since, committed=is_overdrachten(tp[0]))


def _signalen(s: "Simulation", *, committed: bool) -> Iterator[tuple[str, Entry]]:
    for tp in list(s.cluster.logs):
        if tp[0].startswith("signalen."):
            for entry in s.cluster.read(tp, 0, committed=committed):
                yield tp[0], entry


def _stands(live: set[Live]) -> set[tuple[Any, ...]]:
    return {(x.ontvanger, x.kenmerk, x.basisfeit, x.feit, x.begindatum, x.einddatum, x.gegevens) for x in live}


def _messages(s: "Simulation", *, committed: bool) -> list[tuple[str, bytes]]:
    return [(topic, e.value) for topic, e in _signalen(s, committed=committed) if e.value is not None]


def _what_stands_is_the_truth(s: "Simulation") -> None:
    missing, beyond = _differences(s, fold(_messages(s, committed=True)).live)
    assert not missing | beyond, f"{len(missing)} signals are missing, {len(beyond)} should not stand"


def _differences(s: "Simulation", live: set[Live]) -> tuple[set[Any], set[Any]]:
    """What the truth has and the ontvangers lack, but for what may have been handled (a fresh fold judges that), and the reverse."""
    stands, truth = _stands(live), s.world.truth()
    return {x for x in truth - stands if (x[0], x[2], x[3]) not in s.world.reported}, stands - truth


def _versions_run_on(s: "Simulation") -> None:
    """Each signal is sent once, in the order 1, 2, 3 …"""
    last: Counter[str] = Counter()
    for topic, entry in _signalen(s, committed=True):
        assert entry.value is not None
        signaal = json.loads(entry.value)
        name, versie = signaal["signaal_id"], signaal["versie"]
        assert topic == f"signalen.{signaal['ontvanger']}", "a signal on another ontvanger's topic"
        assert versie == last[name] + 1, f"versie {versie} of a signal comes after {last[name]}"
        last[name] = versie


def _metas(s: "Simulation") -> Iterator[tuple[int, dict[str, Any]]]:
    for p in range(PARTITIES):
        rows = [e.value for e in s.cluster.read((CHANGELOG, p), 0, committed=True) if e.key == META_KEY]
        if rows and rows[-1] is not None:
            yield p, json.loads(rows[-1])


def _all_is_accounted_for(s: "Simulation") -> None:
    """Stored, known, not kept and quarantined add up to the records that are done, for each topic and partition; of more the group
    does not know."""
    counted, done = Counter[TP](), Counter[TP]()
    for p, meta in _metas(s):
        done.update({(topic, p): offset for topic, offset in meta["offsets"].items()})
        for key, number in meta["counts"].items():
            counted[key.split(" ")[0], p] += number
    for tp in _source_partitions():
        delivered = sum(1 for e in _delivered(s, tp) if e.offset < max(done[tp], s.cluster.group.get(tp, 0)))
        assert counted[tp] == delivered, f"{counted[tp]} records of {tp[0]}-{tp[1]} are accounted for, {delivered} are done"


def _poison_is_in_quarantine_once(s: "Simulation") -> None:
    sent = Counter((t, p, e.offset) for t, p in _source_partitions() for e in s.cluster.read((t, p), 0, committed=False) if _is_poison(e))
    found: Counter[tuple[str, int, int]] = Counter()
    for entry in s.cluster.read(("quarantaine", 0), 0, committed=True):
        named = dict(entry.headers)
        found[named["topic"].decode(), int(named["partition"]), int(named["offset"])] += 1
    assert found == sent, f"{sum(found.values())} records are in quarantine, {sum(sent.values())} belong there"


def _is_poison(entry: Entry) -> bool:
    return any(name == POISON for name, _ in entry.headers)


def _bronnen_are_asked_in_order(s: "Simulation") -> None:
    for tp in list(s.cluster.logs):
        if tp[0].startswith("volgverzoeken."):
            last: Counter[bytes | None] = Counter()
            for entry in s.cluster.read(tp, 0, committed=True):
                versie = decode_volgverzoek(entry.value).versie
                assert versie == last[entry.key] + 1, f"volgverzoek {versie} comes after {last[entry.key]}"
                last[entry.key] = versie


def _each_transaction_is_a_fresh_fold(s: "Simulation") -> None:
    """The committed frames are each record once, and a fold of them that never failed says the same bytes."""
    states = defaultdict[int, PartitionStore](lambda: PartitionStore(folder().rulebook.layout))
    taken: dict[TP, list[int]] = defaultdict(list)
    for t in s.cluster.ended:
        if not t.committed or not t.partitions:
            continue
        partition = next((p for topic, p in t.rows if topic == CHANGELOG), None)
        if partition is None:
            assert not t.rows, f"a transaction of {t.by} sends something and keeps nothing"
            continue
        for topic, records in t.frames:
            taken[topic, partition] += [r.offset for r in records]
        effects = _HONEST_FOLD(folder(), states[partition], partition, t.frames)
        states[partition].apply(effects)
        said = {tp: rows for tp, rows in t.rows.items() if tp[0] not in {CHANGELOG, VERLOOP}}
        should = {tp: [(k, v) for k, v, _ in rows_in(rows)] for tp, rows in effects.routed(PARTITIES).items()}
        assert said == should, f"a transaction of {t.by} sends something else than a fresh fold of its records"
        kept = dict(t.rows.get((CHANGELOG, partition), []))
        kept.pop(META_KEY, None)
        assert kept == effects.changes, f"a transaction of {t.by} keeps something else than a fresh fold of its records"
    for tp in _source_partitions():
        assert taken[tp] == [e.offset for e in _delivered(s, tp)], f"records of {tp[0]} were not taken once each, in order"


def _memory_is_the_changelog(s: "Simulation") -> None:
    for process in s.processes:
        for number, partition in process.engine.partitions.items():
            newest = {e.key: e.value for e in s.cluster.read((CHANGELOG, number), 0, committed=True)}
            rows = {k: v for k, v in newest.items() if k != META_KEY and v is not None}
            assert partition.store.rows == rows, f"the memory of {process.name} is not what the changelog says"


def _who_reads_uncommitted_ends_right(s: "Simulation") -> None:
    """Invariant 4: the same records in the same order, taken again after a crash, give the same bytes."""
    folded = fold(_messages(s, committed=False))
    assert not folded.conflicts, f"{len(folded.conflicts)} duplicates are not the same bytes"
    missing, beyond = _differences(s, folded.live)
    assert not missing | beyond, f"uncommitted: {len(missing)} signals are missing, {len(beyond)} should not stand"
