"""A switch to other rules forgets nobody whom the klok is to look at, and takes another bewaartermijn over at once."""

import shutil
from pathlib import Path

import pytest

from schemas.bewaren import bewaardagen
from schemas.catalogue import PUBLISHED, Catalogue
from schemas.codec import Codec
from schemas.values import Place
from schemas.verloop import Omslag
from streams.fold import Folder
from streams.store import PartitionStore
from streams.switching import PartitionSwitch
from tests.property.basis_worlds import Tick, delivered
from tests.property.kerns import PARTITION, Both
from tests.property.number_worlds import PERSONEN
from tests.property.test_nummer import GROUND, STUDY, stated

A, B, _ = PERSONEN
FIRST = 20_100


def catalogue_of(folder: Path, termijn: str, doel: str) -> Catalogue:
    shutil.copytree(PUBLISHED, folder)
    for file in [*folder.glob("diensten/*.yaml"), *folder.glob("topics/*.yaml")]:
        file.write_text(file.read_text().replace("bewaartermijn: P15M", f"bewaartermijn: {termijn}").replace("doel: De gemeente", doel))
    return Catalogue.load(folder)


@pytest.mark.parametrize("termijn", ["P10M", "P20M"])
def test_whoever_was_to_be_looked_at_is_erased_on_the_day_of_the_new_bewaartermijn(tmp_path: Path, termijn: str) -> None:
    old, new = Catalogue.load(), catalogue_of(tmp_path / "new", termijn, "doel: Een gemeente")
    engine = Both(0)
    ended = GROUND | {"einddatum": FIRST - 1}
    study = stated(A, "duo.studiefinanciering", STUDY)
    engine.take([delivered(Tick(FIRST)), stated(A, "gemeente.bijstand", ended), study, stated(B, "gemeente.bijstand", GROUND)])
    engine.take([delivered(Tick(FIRST + 1))])
    switched = PartitionStore(Folder(new, "beide").rulebook.layout)
    switched.restore(engine.store.rows.items())
    switched.restored()
    switched.meta = type(switched.meta)(switched.meta.layout, FIRST + 1)
    switch = PartitionSwitch(Folder(old, "beide"), Folder(new, "beide"), Codec(new))
    place = Place("beide-verloop", PARTITION, 9)
    effects = switch.effects(engine.store.rows, FIRST + 1, Omslag(old.versie, FIRST * 86_400_000), place, {})
    assert effects.messages == {}
    switched.apply(effects)
    assert {key for key in switched.rows if key.endswith(b".due")} == {A + b".due"}
    engine.native = engine.python = Folder(new, "beide")
    engine.store = switched
    over = FIRST + 1 + bewaardagen(termijn)
    assert (engine.take([delivered(Tick(over - 1))]).erased, engine.take([delivered(Tick(over))]).erased) == (0, 1)
    assert [key for key in engine.rows if key.startswith(A)] == []
    assert B in engine.rows
