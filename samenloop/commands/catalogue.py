"""``samenloop catalogue``: whether it holds no more than is needed, and its publication as a site."""

from pathlib import Path
from typing import Annotated

import typer

from samenloop.context import settings_of
from samenloop.errors import NotDoneError
from samenloop.publication.site import site_of
from schemas.catalogue import PUBLISHED, Catalogue
from schemas.minimisation import breaches_of
from schemas.parts import CatalogueError

catalogue = typer.Typer(no_args_is_help=True, help="Check the catalogue of diensten, or publish it.")

CatalogusOption = Annotated[Path | None, typer.Option(help="Directory of another catalogue than the published one.")]


@catalogue.command()
def check(catalogus: CatalogusOption = None) -> None:
    """Fail on a field without purpose and ground, a dienst without retention or controller, or a bron's field that no dienst uses."""
    folder = settings_of(catalogus=catalogus).catalogus or PUBLISHED
    breaches = breaches_of(folder)
    for breach in breaches:
        typer.echo(str(breach), err=True)
    if breaches:
        raise typer.Exit(1)
    found = Catalogue.load(folder)
    velden = sum(len(part.velden) for d in found.diensten.values() for part in d.delen)
    typer.echo(f"{len(found.diensten)} diensten, {velden} uses of fields, each with its purpose and ground; every field of a bron is used")


@catalogue.command()
def docs(
    out: Annotated[Path, typer.Option(help="Directory to write the site to; files that are there already are replaced.")],
    catalogus: CatalogusOption = None,
) -> None:
    """Publish the catalogue as a static site: diensten, gegevensregister, topics, AsyncAPI, schemas and examples. It needs no server."""
    folder = settings_of(catalogus=catalogus).catalogus or PUBLISHED
    try:
        files = site_of(folder)
        for name, content in files.items():
            file = out / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    except (CatalogueError, OSError) as e:
        raise NotDoneError(str(e)) from e
    typer.echo(f"{len(files)} files in {out}; begin at {out / 'index.html'}")
