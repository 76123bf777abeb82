"""Catalogues for the benchmark: the published one in which every bron filters itself, smaller or with more diensten."""

import shutil
from pathlib import Path
from typing import Any

import yaml

_PUBLISHED = Path(__file__).parents[1] / "schemas"


def own_filtering_catalogue(work: Path, *, ontvangers: int | None = None, diensten: int = 1) -> Path:
    """A folder under ``work`` with a catalogue in which the job stores whatever comes, as in the comparison with other systems.

    ``ontvangers``: keep so many of the gemeenten that exist. With several ``diensten`` each uses one soort of feit, in turn.
    """
    folder = work / "catalogus"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_PUBLISHED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    bronnen = folder / "bronnen.yaml"
    bronnen.write_text(bronnen.read_text().replace("filtert_zelf: false", "filtert_zelf: true"))
    if ontvangers is not None:
        _keep_ontvangers(folder / "ontvangers.yaml", ontvangers)
    if diensten > 1:
        _multiply(folder / "diensten", diensten)
    return folder


def _keep_ontvangers(file: Path, number: int) -> None:
    """Amsterdam among them: the synthetic population knows it by name."""
    existing = [o for o in yaml.safe_load(file.read_text()) if "tot" not in o]
    existing.sort(key=lambda o: o["id"] != "gm0363")
    file.write_text(yaml.safe_dump(existing[:number]))


def _multiply(folder: Path, number: int) -> None:
    (published,) = folder.glob("*.yaml")
    dienst: dict[str, Any] = yaml.safe_load(published.read_text())
    published.unlink()
    for nummer in range(1, number + 1):
        feit = dienst["feiten"][nummer % len(dienst["feiten"])]
        one = {**dienst, "dienst": f"proef-{nummer}", "nummer": nummer, "feiten": [feit]}
        (folder / f"proef-{nummer}.yaml").write_text(yaml.safe_dump(one))
