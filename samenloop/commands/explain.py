"""``samenloop explain``: the records, days and rule behind a signaal, or why there is none."""

import json
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from connectors.ontvangers.topic_reader import read_places, read_topics
from samenloop.cited import places_of
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.explanation import Explanation, explanation_of, explanation_text
from samenloop.known import known
from samenloop.moments import AboutOption, KnownOnOption, day_named, last_millisecond
from samenloop.ontvanger import ontvanger_of
from samenloop.quarantine import read_quarantine
from samenloop.reproduction import check_signaal
from samenloop.running import run
from samenloop.why_not import WhyNot, why_not, why_not_text
from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError, decode_signaal
from schemas.values import ElkSignaal


def explain(  # noqa: PLR0913 - one parameter an option
    signaal_id: Annotated[str | None, typer.Argument(metavar="SIGNAAL_ID")] = None,
    *,
    ontvanger: Annotated[str | None, typer.Option(help="Look only in this ontvanger's topic.")] = None,
    about: Annotated[
        str | None,
        typer.Option("--why-not", metavar="PERSOON|KENMERK", help="Say for each record of this persoon why there is a signal or none."),
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Replay the records behind it; exit 1 when they do not make it.")] = False,
    known_on: KnownOnOption = None,
    day: AboutOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Explain a signal: which records and days, which rule, and what made each version. Or, with --why-not, why there is none."""
    settings = settings_of(brokers=brokers, data=data)
    catalogue = catalogue_of(settings)
    name = None if ontvanger is None else ontvanger_of(catalogue, ontvanger)
    found: WhyNot | Explanation | None
    if about is not None:
        if known_on is not None or day is not None or verify:
            raise NotDoneError("--why-not is about what stands now: it takes no --known-on, --about or --verify")
        found = run(why_not(brokers_of(settings), catalogue, settings.toepassing, name, about))
    elif signaal_id is not None:
        moment = None if known_on is None else last_millisecond(known_on)
        about_day = None if day is None else day_named(day)
        asked = Asked(moment, about_day, settings.toepassing if verify else None)
        found = run(_explanation(brokers_of(settings), catalogue, signaal_id, name, asked))
    else:
        raise NotDoneError("name a SIGNAAL_ID, or --why-not with a persoon, or with a kenmerk and --ontvanger")
    if found is None:
        raise typer.Exit(2)
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2, default=str))
    else:
        text = why_not_text(found) if isinstance(found, WhyNot) else explanation_text(found)
        Console(highlight=False, soft_wrap=True).print(text, markup=False)
    if isinstance(found, Explanation) and found.check is not None and not found.check.holds:
        raise typer.Exit(1)


class Asked(NamedTuple):
    """What is asked about a signal beside its explanation."""

    known_on: int | None  # milliseconds since the epoch
    day: str | None  # ISO 8601
    verify: str | None  # the toepassing whose engine sent it, when it is to be replayed


async def _explanation(brokers: str, catalogue: Catalogue, signaal_id: str, ontvanger: str | None, asked: Asked) -> Explanation:
    sent = await _sent(brokers, [ontvanger] if ontvanger else list(catalogue.ontvangers), signaal_id)
    if not sent:
        raise NotDoneError(f"there is no signal {signaal_id}{f' for {ontvanger}' if ontvanger else ''}")
    history = [decode_signaal(sent[v][0]) for v in sorted(sent)]
    for s in history:
        dienst = catalogue.diensten.get(s.dienst)
        soorten = set() if dienst is None else {dienst.basisfeit.soort, *(f.soort for f in dienst.feiten)}
        odd = [r.soort for r in s.bewijs if r.soort not in soorten]
        if odd:
            raise NotDoneError(f"versie {s.versie} names dienst {s.dienst} and {odd[-1]}, which the catalogue does not have together")
    places = await read_places(brokers, sorted({p for s in history for p in places_of(s)}))
    check = None
    if asked.verify is not None:
        check = await check_signaal(brokers, catalogue, asked.verify, places, history, sent)
    if asked.known_on is not None:
        history = known(Codec(catalogue), places, history, asked.known_on)
        if not history:
            raise NotDoneError(f"signal {signaal_id} could not be known yet: what it cites was registered later")
    return explanation_of(catalogue, history, places, await read_quarantine(brokers), check, asked.day)


async def _sent(brokers: str, ontvangers: list[str], signaal_id: str) -> dict[int, list[bytes]]:
    """versie → the values that stand on the topic, one when all is well."""
    sent: dict[int, list[bytes]] = {}
    async for record in read_topics(brokers, [f"signalen.{o}" for o in ontvangers]):
        if record.key == signaal_id.encode():
            try:
                signaal: ElkSignaal = decode_signaal(record.value)
            except WireError as e:
                raise NotDoneError(f"{record.topic}-{record.partition}@{record.offset}: {e}") from e
            sent.setdefault(signaal.versie, []).append(record.value)
    return sent
