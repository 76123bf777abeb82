"""Catalogues for the benchmark: the job of the comparison, in which every bron filters itself; smaller or with more diensten."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

_PUBLISHED: Final = Path(__file__).parents[1] / "schemas"
_DIENST: Final = "rechtmatigheidscontrole-levensonderhoud.yaml"
_JOB: Final[Mapping[str, tuple[str, ...]]] = {
    "gemeente.bijstand": ("houder", "kenmerk"),
    "uwv.inkomstenverhouding": ("loonheffingennummer", "soort_inkomstenverhouding"),
    "uwv.inkomstenopgave": ("loonheffingennummer", "tijdvak", "loon_sv"),
    "uwv.uitkering": ("regeling", "bruto_bedrag"),
    "svb.pensioen": ("regeling", "bruto_bedrag"),
    "duo.studiefinanciering": ("regeling", "onderwijssoort", "maandbedrag"),
}
"""What the compared systems do, soort → fields. It stays as it is when the published catalogue grows: figures have to be comparable."""


def job_catalogue(work: Path) -> Path:
    """A folder under ``work`` with the published catalogue, of which only the job of the comparison is left."""
    folder = work / "catalogus"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_PUBLISHED, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    _keep_the_job(folder)
    return folder


def own_filtering_catalogue(work: Path, *, ontvangers: int | None = None, diensten: int = 1) -> Path:
    """A folder under ``work`` with a catalogue in which the job stores whatever comes, as in the comparison with other systems.

    ``ontvangers``: keep so many of the gemeenten that exist. With several ``diensten`` each uses one soort of feit, in turn.
    """
    folder = job_catalogue(work)
    bronnen = folder / "bronnen.yaml"
    bronnen.write_text(bronnen.read_text().replace("filtert_zelf: false", "filtert_zelf: true"))
    if ontvangers is not None:
        _keep_ontvangers(folder / "ontvangers.yaml", ontvangers)
    if diensten > 1:
        _multiply(folder / "diensten" / _DIENST, diensten)
    return folder


def _keep_the_job(folder: Path) -> None:
    for file in (folder / "diensten").iterdir():
        if file.name != _DIENST:
            file.unlink()
    dienst = yaml.safe_load((folder / "diensten" / _DIENST).read_text())
    dienst["feiten"] = [f for f in dienst["feiten"] if f["soort"] in _JOB and f["soort"] != dienst["basisfeit"]["soort"]]
    dienst["basisfeit"].pop("eindigt_bij")
    dienst.pop("opgaven")
    for feit in dienst["feiten"]:
        feit.pop("bekend", None)
        feit.pop("groepeer", None)  # each record is told alone there
    for part in (dienst["basisfeit"], *dienst["feiten"]):
        part["velden"] = [veld for veld in part["velden"] if veld["veld"] in _JOB[part["soort"]]]
    (folder / "diensten" / _DIENST).write_text(yaml.safe_dump(dienst, sort_keys=False))
    for file in (folder / "topics").glob("mutaties.*.yaml"):
        if file.stem.removeprefix("mutaties.") not in _JOB:
            file.unlink()
        else:  # the comparison knows every date
            file.write_text(file.read_text().replace("onbekende_datums: ruim\n", ""))
    owners = {soort.split(".")[0] for soort in _JOB} | {"knooppunt", "rvig"}
    _keep(folder / "bronnen.yaml", lambda row: row["id"] in owners)
    _keep(folder / "ontvangers.yaml", lambda row: row["soort"] == dienst["ontvanger"]["soort"])


def _keep(file: Path, wanted: Callable[[dict[str, Any]], bool]) -> None:
    """Those lines of a list that hold a wanted row: to read and write it as a whole would take longer than all the rest."""
    lines = [line for line in file.read_text().splitlines() if not line.startswith("- ") or wanted(yaml.safe_load(line)[0])]
    file.write_text("\n".join(lines) + "\n")


def _keep_ontvangers(file: Path, number: int) -> None:
    """Amsterdam among them: the synthetic population knows it by name."""
    existing = [o for o in yaml.safe_load(file.read_text()) if "tot" not in o]
    existing.sort(key=lambda o: o["id"] != "gm0363")
    file.write_text(yaml.safe_dump(existing[:number]))


def _multiply(published: Path, number: int) -> None:
    dienst: dict[str, Any] = yaml.safe_load(published.read_text())
    published.unlink()
    for nummer in range(1, number + 1):
        feit = dienst["feiten"][nummer % len(dienst["feiten"])]
        one = {**dienst, "dienst": f"proef-{nummer}", "nummer": nummer, "feiten": [feit]}
        published.with_name(f"proef-{nummer}.yaml").write_text(yaml.safe_dump(one))
