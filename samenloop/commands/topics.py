"""``samenloop topics``: what the cluster lacks of the catalogue, and making it so."""

import json
from typing import Annotated

import typer

from connectors.broker.acls import AclsDiff, AclsError, Rule, apply_acls, wanted_acls
from connectors.broker.topics import TopicsDiff, TopicsError, apply_topics, diff_topics
from samenloop.context import BrokersOption, DataOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.running import run
from samenloop.settings import Settings

topics = typer.Typer(no_args_is_help=True, help="Compare the cluster's topics with the catalogue, or make the missing ones.")


@topics.command()
def diff(brokers: BrokersOption = None, data: DataOption = None) -> None:
    """Show what the cluster lacks of the catalogue; exit 1 when it lacks anything."""
    settings = settings_of(brokers=brokers, data=data)
    found = run(diff_topics(brokers_of(settings), catalogue_of(settings), partities=settings.partities, toepassing=settings.toepassing))
    if found:
        _show(found, "missing")
        raise typer.Exit(1)
    typer.echo("the cluster has all topics of the catalogue")


@topics.command()
def apply(brokers: BrokersOption = None, data: DataOption = None) -> None:
    """Make the topics that are missing; exit 1 when one has another number of partitions, which is left as it is."""
    settings = settings_of(brokers=brokers, data=data)
    found = run(make_topics(settings, brokers_of(settings)))
    if found:
        _show(found, "made")
        if found.partitions_differ:
            raise typer.Exit(1)
    else:
        typer.echo("the cluster had all topics of the catalogue")


@topics.command()
def acls(
    *,
    principal: Annotated[str | None, typer.Option(help="Only what this one may do, e.g. User:gm0363.")] = None,
    make: Annotated[bool, typer.Option("--apply", help="Make on the cluster what it lacks; nothing is taken away.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Show who may do what by the catalogue. With --apply: exit 1 when the cluster allows more than that."""
    settings = settings_of(brokers=brokers, data=data)
    rules = wanted_acls(catalogue_of(settings), settings.toepassing, settings.principaal)
    rules = [rule for rule in rules if principal in {None, rule.principal}]
    if not rules:
        raise NotDoneError(f"the catalogue has nothing for {principal}")
    found = run(_make_acls(brokers_of(settings), rules)) if make else AclsDiff((), ())
    if found is None:
        raise typer.Exit(2)
    shown = list(found.missing) if make else rules
    if as_json:
        told = {"rules": [rule._asdict() for rule in shown], "besides": list(found.besides)}
        typer.echo(json.dumps(told, indent=2))
    else:
        for rule in shown:
            typer.echo(f"made  {rule}" if make else str(rule))
        if make and not shown:
            typer.echo("the cluster had all rules of the catalogue")
        for other in found.besides:
            typer.echo(f"besides  {other}", err=True)
    raise typer.Exit(1 if found.besides else 0)


async def _make_acls(brokers: str, rules: list[Rule]) -> AclsDiff:
    try:
        return await apply_acls(brokers, rules)
    except AclsError as e:
        raise NotDoneError(str(e)) from e


async def make_topics(settings: Settings, brokers: str) -> TopicsDiff:
    """Make the missing topics; raises NotDoneError."""
    try:
        return await apply_topics(
            brokers, catalogue_of(settings), partities=settings.partities, replicatie=settings.replicatie, toepassing=settings.toepassing
        )
    except TopicsError as e:
        raise NotDoneError(str(e)) from e


def _show(found: TopicsDiff, word: str) -> None:
    for topic in found.missing:
        typer.echo(f"{word}  {topic.naam}  {topic.partities} partitions")
    for topic, there in found.partitions_differ:
        typer.echo(f"differs  {topic.naam}  has {there} partitions, the settings say {topic.partities}", err=True)
