"""A basisfeit beside another one of its own soort: what the catalogue refuses, with file and key."""

from pathlib import Path

import pytest

from schemas.catalogue import Catalogue
from schemas.parts import CatalogueError
from tests.contract.spoiling import copied, drop, put, spoil

DIENST = "diensten/rechtmatigheidscontrole-levensonderhoud.yaml"
AIO = "diensten/rechtmatigheidscontrole-aio.yaml"
ALONE = "diensten/jongeren-zonder-startkwalificatie.yaml"
BIJSTAND = next(i for i, f in enumerate(Catalogue.load().diensten[Path(DIENST).stem].feiten) if f.ander is not None)
HOUDER = {"veld": "houder", "doel": "x", "grondslag": "x"}
FEIT = {"soort": "gemeente.jongere", "doel": "x", "grondslag": "x", "ander": "houder", "velden": [HOUDER]}

REFUSED: list[tuple[str, tuple[str | int, ...], object, str]] = [
    (DIENST, ("feiten", BIJSTAND, "ander"), drop, f"feiten.{BIJSTAND}.ander: houder is needed: gemeente.bijstand is the basisfeit"),
    (DIENST, ("feiten", BIJSTAND, "ander"), put("wet"), f"feiten.{BIJSTAND}.ander: Input should be 'houder'"),
    (DIENST, ("feiten", BIJSTAND, "ander"), put("houder != kenmerk"), f"feiten.{BIJSTAND}.ander: Input should be 'houder'"),
    (DIENST, ("feiten", 0, "ander"), put("houder"), "feiten.0.ander: only a feit of the soort of the basisfeit has it: gemeente.bijstand"),
    (
        DIENST,
        ("feiten", BIJSTAND, "groepeer"),
        put(["wet"]),
        f"feiten.{BIJSTAND}.groepeer: gemeente.bijstand is the basisfeit: each record",
    ),
    (DIENST, ("feiten", BIJSTAND, "velden", 0), drop, f"feiten.{BIJSTAND}.velden: houder is needed"),
    (
        DIENST,
        ("feiten", BIJSTAND, "velden", 1, "veld"),
        put("kenmerk"),
        f"feiten.{BIJSTAND}.velden.1: kenmerk names the file of one houder",
    ),
    (
        DIENST,
        ("feiten", BIJSTAND, "velden", 1, "grondslag"),
        put(""),
        f"feiten.{BIJSTAND}.velden.1.grondslag: String should have at least 1",
    ),
    (DIENST, ("feiten", 0, "soort"), put("gemeente.bijstand"), "basisfeit.soort: gemeente.bijstand is named twice"),
    (DIENST, ("basisfeit", "eindigt_bij", "soort"), put("gemeente.bijstand"), "basisfeit.soort: gemeente.bijstand is named twice"),
    (
        AIO,
        ("feiten", 0, "soort"),
        put("gemeente.bijstand"),
        "feiten.0.soort: gemeente.bijstand is a basisfeit in rechtmatigheidscontrole-lev",
    ),
    (ALONE, ("feiten", 0), put(FEIT), "feiten.0.soort: gemeente.jongere is the basisfeit: only a rule of the patroon samenloop"),
]


@pytest.mark.parametrize(("file", "path", "change", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_a_basisfeit_is_a_feit_only_beside_one_of_another_houder(
    file: str, path: tuple[str | int, ...], change, said: str, tmp_path: Path
) -> None:
    folder = copied(tmp_path)
    spoil(folder, file, path, change)
    with pytest.raises(CatalogueError) as e:
        Catalogue.load(folder)
    assert str(e.value).startswith(f"{Path(file).name}: {said}")


def test_nobody_is_asked_for_what_is_a_ground_and_comes_unasked() -> None:
    dienst = Catalogue.load().diensten[Path(DIENST).stem]
    assert "gemeente.bijstand" in {f.soort for f in dienst.feiten}
    assert "gemeente.bijstand" not in dienst.gevraagd
