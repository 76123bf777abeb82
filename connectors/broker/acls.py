"""Who may do what on the cluster, derived from the catalogue: what each bron, each ontvanger and the node needs, and nothing else."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from connectors.broker.topics import wanted_topics
from schemas.brokers import client_options
from schemas.catalogue import Catalogue
from schemas.checkpoints import CHECKPOINTS
from schemas.quarantine import QUARANTAINE
from schemas.sources import AFHANDELINGEN, NUMMERWIJZIGINGEN, PLAIN, overdrachten_topic

AUDIT: Final = "audit"  # who keeps an archive and the logs, signs checkpoints and proves signals
BEHEER: Final = "beheer"  # who retries, closes and looks after it all
_RESOURCES: Final = {"topic": 2, "group": 3, "transactional-id": 5}  # as the protocol numbers them; so are the following
_PATTERNS: Final = {False: 3, True: 4}
_OPERATIONS: Final = {"READ": 3, "WRITE": 4}  # each implies DESCRIBE
_ANY, _ALLOW, _EVERY_HOST = 1, 3, "*"
_PATIENCE: Final = 30.0  # seconds
_AT_ONCE: Final = 500  # rules of one request: the broker writes them together


class AclsError(Exception):
    """The cluster would not tell or take a rule; the text says why."""


class Rule(NamedTuple):
    """One thing that a principal may do."""

    principal: str
    operation: str  # READ or WRITE
    resource: str  # topic, group or transactional-id
    name: str
    prefixed: bool = False  # whether ``name`` is how the names begin

    def __str__(self) -> str:
        """For people."""
        return f"{self.principal}  {self.operation:<5}  {self.resource}  {self.name}{'*' if self.prefixed else ''}"


@dataclass(frozen=True)
class AclsDiff:
    """How the rules of a cluster differ from those of the catalogue."""

    missing: tuple[Rule, ...]
    besides: tuple[str, ...]  # what the catalogue's principals may do besides, or others with the catalogue's topics


def wanted_acls(catalogue: Catalogue, toepassing: str, principal: str) -> list[Rule]:
    """What each may do; ``principal``: a template, ``User:{naam}`` with the name of a bron, an ontvanger, the node, or a role."""
    own = [t.naam for t in wanted_topics(catalogue, partities=1, toepassing=toepassing) if t.naam.startswith(f"{toepassing}-")]
    rules = [*_of_node(toepassing, own), *_of_bronnen(catalogue), *_of_ontvangers(catalogue), *_of_beheer(toepassing, own)]
    return [rule._replace(principal=principal.format(naam=rule.principal)) for rule in dict.fromkeys(rules)]


def _of_node(name: str, own: Sequence[str]) -> Iterator[Rule]:
    yield Rule(name, "READ", "topic", "mutaties.", prefixed=True)
    for topic in PLAIN:
        yield Rule(name, "READ", "topic", topic)
    for begin in ("signalen.", "terugmeldingen."):  # for the relay, which writes the afhandelingen
        yield Rule(name, "READ", "topic", begin, prefixed=True)
    yield Rule(name, "WRITE", "topic", AFHANDELINGEN)
    yield Rule(name, "READ", "group", f"{name}-terugmeldingen")
    for topic in own:
        yield Rule(name, "READ", "topic", topic)
        yield Rule(name, "WRITE", "topic", topic)
    for begin in ("signalen.", "volgverzoeken."):
        yield Rule(name, "WRITE", "topic", begin, prefixed=True)
    yield Rule(name, "WRITE", "topic", QUARANTAINE)
    yield Rule(name, "READ", "group", name)
    yield Rule(name, "WRITE", "transactional-id", f"{name}-", prefixed=True)


def _of_bronnen(catalogue: Catalogue) -> Iterator[Rule]:
    for soort in catalogue.mutatie_topics:
        bron = catalogue.bron_of(soort)
        yield Rule(bron.id, "WRITE", "topic", f"mutaties.{soort}")
        if not bron.filtert_zelf:
            yield Rule(bron.id, "READ", "topic", f"volgverzoeken.{bron.id}")
    yield Rule(catalogue.topics[NUMMERWIJZIGINGEN].eigenaar, "WRITE", "topic", NUMMERWIJZIGINGEN)


def _of_ontvangers(catalogue: Catalogue) -> Iterator[Rule]:
    for ontvanger in catalogue.ontvangers:
        yield Rule(ontvanger, "READ", "topic", f"signalen.{ontvanger}")
        yield Rule(ontvanger, "WRITE", "topic", f"terugmeldingen.{ontvanger}")
        yield Rule(ontvanger, "READ", "group", ontvanger)
        yield Rule(ontvanger, "READ", "group", f"{ontvanger}-", prefixed=True)
        yield Rule(ontvanger, "READ", "topic", CHECKPOINTS)
        yield Rule(ontvanger, "WRITE", "topic", CHECKPOINTS)  # its countersignatures; what no known key signed is passed over


def _of_beheer(toepassing: str, own: Sequence[str]) -> Iterator[Rule]:
    changelog = f"{toepassing}-personen-changelog"
    for who in (AUDIT, BEHEER):
        for begin in ("mutaties.", "signalen.", "terugmeldingen.", "volgverzoeken."):
            yield Rule(who, "READ", "topic", begin, prefixed=True)
        for topic in (*PLAIN, QUARANTAINE, CHECKPOINTS, *own):
            if who == BEHEER or topic != changelog:
                yield Rule(who, "READ", "topic", topic)
    yield Rule(AUDIT, "WRITE", "topic", CHECKPOINTS)
    yield Rule(BEHEER, "WRITE", "topic", "mutaties.", prefixed=True)  # a retry writes a record again where it came from
    for topic in (*PLAIN, QUARANTAINE, overdrachten_topic(toepassing)):
        yield Rule(BEHEER, "WRITE", "topic", topic)
    yield Rule(BEHEER, "WRITE", "transactional-id", f"{toepassing}-quarantaine")


async def diff_acls(brokers: str, wanted: Iterable[Rule]) -> AclsDiff:
    """Compare the rules of the cluster with ``wanted``; raises AclsError, and KafkaError."""
    wanted = list(wanted)
    there = await _described(brokers)
    missing = tuple(rule for rule in wanted if _numbers(rule) not in there)
    known, ours = {_numbers(rule) for rule in wanted}, {rule.principal for rule in wanted}
    topics = {(2, rule.name) for rule in wanted if rule.resource == "topic"}
    besides = sorted(_told(acl) for acl in there - known if acl[3] in ours or acl[:2] in topics)
    return AclsDiff(missing, tuple(besides))


async def apply_acls(brokers: str, wanted: Iterable[Rule]) -> AclsDiff:
    """Make the rules that are missing, and return what differed; nothing is taken away. Raises AclsError, and KafkaError."""
    diff = await diff_acls(brokers, wanted)
    admin = AIOKafkaAdminClient(**client_options(brokers))
    await admin.start()
    try:
        answers: list[Any] = []
        for i in range(0, len(diff.missing), _AT_ONCE):
            some = diff.missing[i : i + _AT_ONCE]
            answers += (await _ask(admin, _CreateAcls([_numbers(rule) for rule in some]))).creation_responses
    finally:
        await admin.close()
    for rule, (code, text) in zip(diff.missing, answers, strict=True):
        if code:
            raise AclsError(f"{rule} could not be made: {text or for_code(code).__name__}")
    await _until_followed(brokers, diff.missing)
    return diff


async def _until_followed(brokers: str, made: Iterable[Rule]) -> None:
    """Wait until a broker follows what the controller took: behind topics that were made just before, that may last for seconds."""
    wanted = {_numbers(rule) for rule in made}
    try:
        async with asyncio.timeout(_PATIENCE):
            while not wanted <= await _described(brokers):  # noqa: ASYNC110 - Kafka has no other way to tell
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AclsError(f"the cluster took the rules, and does not follow them after {_PATIENCE:g} s") from None


_Acl = tuple[int, str, int, str, str, int, int]  # resource type and name, pattern, principal, host, operation, permission


class _CreateAcls(CreateAclsRequest):  # type: ignore[misc]  # aiokafka has no types
    """Several rules in one request, as the protocol has it; aiokafka's own asks for one at a time."""

    def __init__(self, acls: Sequence[_Acl]) -> None:
        self._acls = list(acls)

    def build(self, request_struct_class: Any) -> Any:  # noqa: ANN401
        """The request on the wire; brokers have known its version 1 since Kafka 2.0."""
        return request_struct_class(self._acls)


def _numbers(rule: Rule) -> _Acl:
    resource, operation = _RESOURCES[rule.resource], _OPERATIONS[rule.operation]
    return resource, rule.name, _PATTERNS[rule.prefixed], rule.principal, _EVERY_HOST, operation, _ALLOW


def _told(acl: _Acl) -> str:
    resource, name, pattern, principal, host, operation, permission = acl
    what = {number: word for word, number in _OPERATIONS.items()}.get(operation, f"operation {operation}")
    where = {number: word for word, number in _RESOURCES.items()}.get(resource, f"resource {resource}")
    denied = "" if permission == _ALLOW else "is denied "
    return f"{principal} from {host}  {denied}{what}  {where}  {name}{'*' if pattern == _PATTERNS[True] else ''}"


async def _described(brokers: str) -> set[_Acl]:
    admin = AIOKafkaAdminClient(**client_options(brokers))
    await admin.start()
    try:
        answer = await _ask(admin, DescribeAclsRequest(_ANY, None, _ANY, None, None, _ANY, _ANY))
    finally:
        await admin.close()
    if answer.error_code:
        raise AclsError(f"the cluster does not tell its rules: {answer.error_message or for_code(answer.error_code).__name__}")
    return {(kind, name, pattern, *acl) for kind, name, pattern, acls in answer.resources for acl in acls}


async def _ask(admin: AIOKafkaAdminClient, request: Any) -> Any:  # noqa: ANN401 - aiokafka has no types
    return await admin._send_request(request)  # noqa: SLF001 - its admin client knows the requests, but has no method for them
