"""The seeded scheduler: decides, event by event, what happens next to the simulated cluster and its workers.

A seed gives a world, which faults occur in it at all, and a list of events. After those nothing fails any more: what was stopped starts
again, and all work is done. Then everything must be right. A run is the same every time, and a failing list of events can be made shorter.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from aiokafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from tests.simulation import check
from tests.simulation.clients import Request
from tests.simulation.folding import watching
from tests.simulation.kafka import TP, Cluster, NotYetError, Transaction
from tests.simulation.process import CHANGELOG, PARTITIES, Process
from tests.simulation.world import ASKED, catalogue, world_of

CALM_EVENTS = 20_000  # most events until all is done, once nothing fails any more
_MOST_WAITS = 60  # times that only the passing of time can help, before that counts as being stuck


class Event(NamedTuple):
    """Something that happens: to which of those that it can happen to, and how, both from 0 to 1."""

    name: str
    which: float
    vary: float


ORDINARY: Mapping[str, float] = {
    "publish": 10,
    "arrive": 34,
    "answer": 34,
    "fetch": 20,
    "mark": 10,
    "heartbeat": 6,
    "sync": 8,
    "deal": 8,
    "register": 4,
    "start": 3,
}
FAULTS: Mapping[str, float] = {
    "crash": 1.0,
    "stop": 0.7,
    "freeze": 1.2,
    "wake": 2.0,
    "expel": 1.0,
    "late": 0.7,
    "reject": 0.5,
    "lose": 0.8,
    "time": 2.0,
    "compact": 1.0,
    "hole": 0.5,
    "look": 0.6,
}
ALWAYS = {"wake", "time", "look"}  # not faults in themselves


class Rules(NamedTuple):
    """What a seed allows."""

    ordered: bool  # records are fetched in the order in which they were published, also by who takes over
    weights: dict[str, float]


class SimulationError(AssertionError):
    """Something is wrong; says what."""


@dataclass
class Simulation:
    """One seed."""

    seed: int
    trace: list[str] | None = None  # what happened, when somebody wants to know
    outside_only: bool = False  # judge by what ontvangers, bronnen and the auditor see, not by what a transaction is made of
    cluster: Cluster = field(default_factory=Cluster)
    processes: list[Process] = field(default_factory=list)
    members: list[Process] = field(default_factory=list)
    orphans: list[Request] = field(default_factory=list)  # on their way when their process died
    unbalanced: bool = False
    generation: int = 0
    met: Counter[str] = field(default_factory=Counter)  # what this seed has seen
    started: int = 0
    answered: dict[TP, int] = field(default_factory=dict)  # volgverzoeken, up to which offset
    calm: bool = False

    def __post_init__(self) -> None:
        draw = Random(self.seed)
        weights = {**ORDINARY, **{k: w for k, w in FAULTS.items() if draw.random() < 0.6 or k in ALWAYS}}
        if self.outside_only:
            del weights["look"]
        self.rules = Rules(draw.random() < 0.3, weights)
        self.world = world_of(draw, PARTITIES)
        self.workers = draw.choice((1, 2, 2, 3))
        self.cluster.slow = draw.choice((0.0, 0.05, 0.3))
        self.choice, self.inside, self.after = (Random(draw.random()) for _ in range(3))  # so that events can be left out alone
        self.number = draw.choice((60, 150, 300))
        self.happened: list[Event] = []

    # -- the run

    def run(self, events: Iterable[Event] | None = None) -> "Simulation":
        """All events, then calm until everything is done, then the checks; raises AssertionError."""
        with watching():
            try:
                for event in self._events() if events is None else events:
                    self._happen(event)
                self._say("calm")
                self._calm()
                check.final(self)
                self._count()
            finally:
                for process in self.processes:
                    process.kill()
        return self

    def _events(self) -> Iterator[Event]:
        for _ in range(self.number):
            name = self._choose(self.rules.weights, self.choice.random())
            if name is not None:
                self.happened.append(Event(name, self.choice.random(), self.choice.random()))
                yield self.happened[-1]

    def _choose(self, weights: Mapping[str, float], point: float) -> str | None:
        """Something that can happen now; ``point`` (0 to 1) says which."""
        left = dict(weights)
        while left:
            name, point = _pick(left, point)
            if _TARGETS[name](self):
                return name
            del left[name]
        return None

    def _happen(self, event: Event) -> None:
        targets = _TARGETS[event.name](self)
        if not targets:
            return  # only when another event was left out
        self.met[event.name] += 1
        self.cluster.events += 1
        _EVENTS[event.name](self, targets[int(event.which * len(targets))], event.vary)
        self._tidy()

    def _calm(self) -> None:
        self.calm = True
        self.orphans.clear()
        for process in self.processes:
            process.frozen = False
            process.loop.run()
        self._tidy()
        waits = 0
        for _ in range(CALM_EVENTS):
            name = self._choose(ORDINARY, self.after.random())
            if name is not None:
                self._happen(Event(name, self.after.random(), self.after.random()))
                continue
            if check.lag(self) == 0 and not self.unbalanced:
                return
            waits += 1
            if waits > _MOST_WAITS:
                break
            self._pass(2.0)
            self._tidy()
        raise SimulationError(f"never comes to rest: {check.lag(self)} records are left")

    def _tidy(self) -> None:
        """What follows by itself: who has ended is gone, and says good-bye to the group."""
        for process in list(self.processes):
            if process.failure is not None:
                raise SimulationError(f"{process.name} ended on {type(process.failure).__name__}: {process.failure}") from process.failure
            if process.exited:
                self._bury(process)

    def _bury(self, process: Process) -> None:
        process.kill()
        self.processes.remove(process)
        self._leave(process)
        self.orphans += [r for r in process.requests if not r.arrived and self.inside.random() < 0.5]

    def _count(self) -> None:
        """What else this seed has seen."""
        for transaction in self.cluster.ended:
            said = any(topic.startswith("signalen.") for topic, _ in transaction.rows)
            kind = "committed" if transaction.committed else "aborted"
            self.met[f"{kind} with signals" if said else kind] += 1
        self.met["expired"] = self.cluster.expired

    def _leave(self, process: Process) -> None:
        if process in self.members:
            self.members.remove(process)
            self.unbalanced = True

    def _say(self, text: str) -> None:
        if self.trace is not None:
            self.trace.append(text)

    def _pass(self, seconds: float) -> None:
        self.cluster.now += seconds
        self.cluster.expire()
        for process in self.processes:
            if not process.frozen:
                process.loop.run()

    # -- events: each takes one of its targets and a number that varies it

    def publish(self, _: None, vary: float) -> None:
        for __ in range(1 + int(vary * 4)):
            if self.world.waiting:
                tp, row = self.world.waiting.pop(0)
                offset = self.cluster.append(tp, [row])
                self._say(f"publish {tp[0]}-{tp[1]} @{offset}")

    def arrive(self, request: Request, _: float) -> None:
        try:
            request.result = request.apply()
        except NotYetError:
            return
        except Exception as e:  # noqa: BLE001 - it is the answer
            request.error = e
            self.met[type(e).__name__] += 1  # ProducerFenced
        request.arrived = True
        self._say(f"arrives: {request.what}{f' → {type(request.error).__name__}' if request.error else ''}")
        if request in self.orphans:
            self.orphans.remove(request)

    def answer(self, target: tuple[Process, Request], _: float) -> None:
        process, request = target
        self._say(f"answer: {request.what}")
        process.answer(request)

    def reject(self, request: Request, _: float) -> None:
        request.arrived, request.error = True, MessageSizeTooLargeError("rejected")
        self._say(f"rejected: {request.what}")

    def lose(self, request: Request, _: float) -> None:
        self.arrive(request, 0)
        if request.arrived and request.error is None:
            request.error = KafkaTimeoutError("answer lost")
            self._say(f"answer lost: {request.what}")

    def fetch(self, target: tuple[Process, TP], _: float) -> None:
        process, tp = target
        start = process.positions[tp]
        number = process.fetch(tp, ordered=self.rules.ordered)
        self._say(f"fetch by {process.name}: {number} of {tp[0]}-{tp[1]} @{start}")

    def mark(self, target: tuple[Transaction, TP], _: float) -> None:
        transaction, tp = target
        self.cluster.mark(transaction, tp)
        self._say(f"marker {'commit' if transaction.committed else 'abort'} of {transaction.name} by {transaction.by} in {tp[0]}-{tp[1]}")

    def start(self, _: None, __: float) -> None:
        self.started += 1
        process = Process(f"w{self.started}", self.cluster, catalogue(), self.inside)
        self.processes.append(process)
        self._join(process)
        self._say(f"start {process.name}")

    def _join(self, process: Process) -> None:
        if process not in self.members:
            self.members.append(process)
        process.phase = "joined"
        process.assignment = None
        self.unbalanced = True

    def heartbeat(self, process: Process, _: float) -> None:
        """A worker learns that it must join again: it gives up what it has."""
        self._say(f"revoke {process.name}")
        process.revoke()

    def deal(self, _: None, vary: float) -> None:
        """The rebalance ends: partition numbers are dealt to the members."""
        self.unbalanced = False
        self.generation += 1
        dealt: dict[Process, list[TP]] = {p: [] for p in self.members}
        for number in range(PARTITIES):
            owner = self.members[int(vary * 1000 + number) % len(self.members)]
            dealt[owner] += [(topic, number) for topic in check.sources()]
        for process, tps in dealt.items():
            process.assignment = self.generation, tps
        self._say(f"deal {'; '.join(f'{p.name}: {sorted({n for _, n in tps})}' for p, tps in dealt.items())}")

    def sync(self, process: Process, _: float) -> None:
        if process not in self.members or process.assignment is None or process.assignment[0] != self.generation or self.unbalanced:
            self._join(process)
            return
        self._say(f"assign {process.name}")
        process.assign()

    def register(self, tp: TP, _: float) -> None:
        entry = next(self.cluster.read(tp, self.answered.get(tp, 0), committed=True))
        self.answered[tp] = entry.offset + 1
        assert entry.key is not None
        if check.decode_volgverzoek(entry.value).volgt:
            self.world.waiting[:0] = self.world.answers(entry.key)
        self._say(f"register answers @{entry.offset}")

    def crash(self, process: Process, _: float) -> None:
        self._say(f"crash {process.name}")
        self._bury(process)

    def stop(self, process: Process, _: float) -> None:
        self._say(f"stop {process.name}")
        process.stop()

    def freeze(self, process: Process, _: float) -> None:
        self._say(f"freeze {process.name}")
        process.frozen = True

    def wake(self, process: Process, _: float) -> None:
        self._say(f"wake {process.name}")
        process.frozen = False
        process.loop.run()

    def expel(self, process: Process, _: float) -> None:
        """The group has not heard of a worker for too long; the worker does not know."""
        self._say(f"expel {process.name}")
        self._leave(process)

    def late(self, _: None, __: float) -> None:
        """Who has not joined again in time is expelled."""
        for process in [p for p in self.members if p.phase != "joined"]:
            self.expel(process, 0)

    def time(self, _: None, vary: float) -> None:
        seconds = vary * 4 if vary < 0.8 else vary * 50
        self._say(f"{seconds:.1f} s pass")
        self._pass(seconds)

    def compact(self, tp: TP, _: float) -> None:
        self._say(f"compact {tp[0]}-{tp[1]}")
        self.cluster.compact(tp)

    def hole(self, tp: TP, _: float) -> None:
        """A transaction of a bron ends: its marker takes an offset of the source topic."""
        self._say(f"hole in {tp[0]}-{tp[1]} @{self.cluster.ends[tp]}")
        self.cluster.append(tp, [(None, None, [])], control=True)

    def look(self, _: None, __: float) -> None:
        """A check in the middle."""
        check.meanwhile(self)


def _pick(weights: Mapping[str, float], point: float) -> tuple[str, float]:
    """The name at ``point`` (0 to 1) of the weights laid in a row, and where in it the point lies (0 to 1): the next choice."""
    rest = point * sum(weights.values())
    for name, weight in weights.items():
        if rest < weight:
            return name, rest / weight
        rest -= weight
    return name, 0.5


def _arriving(s: Simulation) -> list[Request]:
    return [*s.orphans, *(r for p in s.processes for r in _sent(s, p))]


def _sent(s: Simulation, process: Process) -> list[Request]:
    """The requests of a process that may arrive next."""
    found: list[Request] = []
    lanes: set[object] = {None}
    for r in process.requests:
        if not r.arrived and (r.lane is None or r.lane not in lanes):
            lanes.add(r.lane)
            if s.calm or r.arrives <= s.cluster.events:
                found.append(r)
    return found


def _effects(s: Simulation) -> list[Request]:
    """Requests of the engine, which may be refused, or whose answer may get lost, so that it notices."""
    return [r for p in s.processes for r in _sent(s, p) if r.by_engine]


def _alive(s: Simulation) -> list[Process]:
    return [p for p in s.processes if not p.frozen]


def _heartbeats(s: Simulation) -> list[Process]:
    return [p for p in _alive(s) if p.phase == "stable" and not p.exiting and (s.unbalanced or p not in s.members)]


def _may_deal(s: Simulation) -> list[None]:
    return [None] if s.unbalanced and s.members and all(p.phase == "joined" for p in s.members) else []


def _syncs(s: Simulation) -> list[Process]:
    return [p for p in _alive(s) if p.phase == "joined" and not p.exiting and (p.assignment is not None or p not in s.members)]


def _holes(s: Simulation) -> list[TP]:
    return [tp for tp in s.cluster.ends if tp[0].startswith("mutaties.")] if not s.calm else []


_TARGETS: dict[str, Callable[[Simulation], Sequence[Any]]] = {
    "publish": lambda s: [None] if s.world.waiting else [],
    "arrive": _arriving,
    "answer": lambda s: [(p, r) for p in _alive(s) for r in p.requests if r.arrived and (s.calm or r.answered <= s.cluster.events)],
    "fetch": lambda s: [(p, tp) for p in _alive(s) if p.positions for tp in p.ready(ordered=s.rules.ordered)],
    "mark": lambda s: [(t, tp) for t in s.cluster.unmarked for tp in sorted(t.left)],
    "heartbeat": _heartbeats,
    "sync": _syncs,
    "deal": _may_deal,
    "register": lambda s: [
        tp
        for p in range(PARTITIES)
        if s.cluster.stable(tp := (f"volgverzoeken.{ASKED.split('.')[0]}", p)) > s.answered.get(tp, 0)
        and next(s.cluster.read(tp, s.answered.get(tp, 0), committed=True), None) is not None
    ],
    "start": lambda s: [None] if len(s.processes) < s.workers else [],
    "crash": lambda s: s.processes,
    "stop": lambda s: [p for p in _alive(s) if not p.exiting],
    "freeze": _alive,
    "wake": lambda s: [p for p in s.processes if p.frozen],
    "expel": lambda s: s.members,
    "late": lambda s: [None] if s.unbalanced and not all(p.phase == "joined" for p in s.members) else [],
    "reject": _effects,
    "lose": _effects,
    "time": lambda s: [None],
    "compact": lambda s: [(CHANGELOG, p) for p in range(PARTITIES)],
    "hole": _holes,
    "look": lambda s: [None] if not s.cluster.unmarked else [],
}
_EVENTS: dict[str, Callable[[Simulation, Any, float], None]] = {name: getattr(Simulation, name) for name in _TARGETS}
