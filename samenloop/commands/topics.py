"""``samenloop topics``: what the cluster lacks of the catalogue, and making it so."""

import typer

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
