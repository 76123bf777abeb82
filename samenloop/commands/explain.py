"""``samenloop explain``: the records, days and rule behind a signaal, or why there is none."""

import json
from typing import Annotated

import typer
from rich.console import Console

from connectors.ontvangers.topic_reader import read_places, read_topics
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.explanation import Explanation, explanation_of, explanation_text
from samenloop.ontvanger import ontvanger_of
from samenloop.quarantine import read_quarantine
from samenloop.running import run
from samenloop.why_not import WhyNot, why_not, why_not_text
from schemas.catalogue import Catalogue
from schemas.codec import Codec, WireError, decode_signaal
from schemas.values import Signaal


def explain(
    signaal_id: Annotated[str | None, typer.Argument(metavar="SIGNAAL_ID")] = None,
    *,
    ontvanger: Annotated[str | None, typer.Option(help="Look only in this ontvanger's topic.")] = None,
    why_not_kenmerk: Annotated[
        str | None, typer.Option("--why-not", metavar="KENMERK", help="Say for each record of this dossier why there is a signal or none.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Explain a signal: which records and days, which rule, and what made each version. Or, with --why-not, why there is none."""
    settings = settings_of(brokers=brokers, data=data)
    catalogue = catalogue_of(settings)
    name = None if ontvanger is None else ontvanger_of(catalogue, ontvanger)
    found: WhyNot | Explanation | None
    if why_not_kenmerk is not None:
        if name is None:
            raise NotDoneError("--why-not needs --ontvanger: a kenmerk has a meaning only there")
        found = run(why_not(brokers_of(settings), catalogue, settings.toepassing, name, why_not_kenmerk))
    elif signaal_id is not None:
        found = run(_explanation(brokers_of(settings), catalogue, signaal_id, name))
    else:
        raise NotDoneError("name a SIGNAAL_ID, or --why-not KENMERK with --ontvanger")
    if found is None:
        raise typer.Exit(2)
    if as_json:
        typer.echo(json.dumps(found.as_json(), ensure_ascii=False, indent=2, default=str))
        return
    text = why_not_text(found) if isinstance(found, WhyNot) else explanation_text(found)
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


async def _explanation(brokers: str, catalogue: Catalogue, signaal_id: str, ontvanger: str | None) -> Explanation:
    topics = [f"signalen.{o}" for o in ([ontvanger] if ontvanger else catalogue.ontvangers)]
    versions: dict[int, Signaal] = {}
    async for record in read_topics(brokers, topics):
        if record.key == signaal_id.encode():
            try:
                signaal = decode_signaal(record.value)
            except WireError as e:
                raise NotDoneError(f"{record.topic}-{record.partition}@{record.offset}: {e}") from e
            versions[signaal.versie] = signaal
    if not versions:
        raise NotDoneError(f"there is no signal {signaal_id}{f' for {ontvanger}' if ontvanger else ''}")
    history = [versions[v] for v in sorted(versions)]
    places = {(r.topic, r.partition, r.offset) for s in history for r in (s.basisfeit, s.feit, s.oorzaak)}
    found = await read_places(brokers, sorted(places))
    return explanation_of(catalogue, history, found, Codec(catalogue), await read_quarantine(brokers))
