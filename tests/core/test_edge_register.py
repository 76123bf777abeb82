"""The register of a bron: who is followed, what goes out, and what an answer holds. Without Kafka."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from connectors.bronnen.lines import LineReader
from connectors.bronnen.pseudonym import Pseudonymiser
from connectors.bronnen.register import Register, RegisterError
from schemas.catalogue import Catalogue
from schemas.codec import Codec
from schemas.values import Volging, Volgverzoek
from tests.core.edge import BSN, KEY, opgave, raw

SOORT = "uwv.inkomstenopgave"
DIENST = "rechtmatigheidscontrole-levensonderhoud"
PERSOON = Pseudonymiser(KEY).persoon(BSN)


class Held:
    """A register, its input as lines, and its output as (record_id, versie, live)."""

    def __init__(self, register: Register, catalogue: Catalogue) -> None:
        self.register = register
        self._catalogue = catalogue
        self._codec = Codec(catalogue)
        self._volgverzoeken = 0

    def deliver(self, record_id: str, versie: int = 1, soort: str = SOORT, **changes: Any) -> bool:
        """A version of a record into the register."""
        reader = LineReader(self._catalogue, soort, Pseudonymiser(KEY))
        with self.register.batch():
            return self.register.deliver(soort, reader.read(raw(opgave(record_id=record_id, versie=versie, **changes))))

    def follow(self, *vanaf: str, versie: int | None = None) -> bool:
        """A volgverzoek from a day on; without a day the following ends."""
        self._volgverzoeken += 1
        volgt = tuple(Volging(DIENST, date.fromisoformat(v).toordinal() - date(1970, 1, 1).toordinal()) for v in vanaf)
        with self.register.batch():
            return self.register.follow(PERSOON, Volgverzoek(versie or self._volgverzoeken, 0, volgt))

    def forget(self) -> bool:
        """A null in the place of the volgverzoek."""
        with self.register.batch():
            return self.register.forget(PERSOON)

    def goes_out(self) -> list[tuple[str, int, bool]]:
        """All that is in the outbox, and acknowledge it."""
        out = self.register.outgoing(100)
        if out:
            self.register.sent(out)
        values = [self._codec.decode(m.value) for m in out]
        assert all(m.persoon == PERSOON for m in out)
        return [(v["record_id"], v["versie"], v["feit"] is not None) for v in values]


@pytest.fixture
def held(tmp_path: Path, catalogue: Catalogue) -> Iterator[Held]:
    """An empty register of UWV."""
    with closing(Register(tmp_path / "uwv.sqlite", catalogue, "uwv")) as register:
        yield Held(register, catalogue)


def test_nothing_goes_out_about_a_persoon_that_is_not_followed(held: Held) -> None:
    assert held.deliver("a")
    assert held.goes_out() == []


def test_the_answer_holds_the_current_versions_whose_period_reaches_the_followed_days(held: Held) -> None:
    held.deliver("before", begindatum="2025-11-01", einddatum="2025-11-30")
    held.deliver("on the day", begindatum="2025-12-01", einddatum="2025-12-31")
    held.deliver("open", begindatum="2020-01-01", einddatum=None)
    held.deliver("open", versie=2, begindatum="2020-02-01", einddatum=None)
    held.follow("2025-12-31")
    assert sorted(held.goes_out()) == [("on the day", 1, True), ("open", 2, True)]


def test_whoever_the_node_has_erased_is_not_followed_any_more_and_may_be_asked_for_anew_from_versie_1(held: Held) -> None:
    held.follow("2025-01-01", versie=7)
    held.deliver("a", begindatum="2025-02-01", einddatum=None)
    held.deliver("b", begindatum="2025-02-01", einddatum="2025-02-28")
    held.goes_out()
    held.deliver("a", versie=2, begindatum="2025-02-01", einddatum=None)
    assert held.forget()
    held.deliver("a", versie=3, begindatum="2025-02-01", einddatum=None)
    assert held.goes_out() == []
    assert not held.forget()
    assert held.follow("2027-01-01", versie=1)
    assert held.goes_out() == [("a", 3, True)], "the node holds nothing of b, so that it need not hear of it"


def test_a_bron_that_missed_a_null_sees_from_the_topic_as_a_whole_who_was_erased(held: Held) -> None:
    held.follow("2025-01-01", versie=7)
    held.deliver("a", begindatum="2025-02-01", einddatum=None)
    held.goes_out()
    anew = Volgverzoek(1, 0, (Volging(DIENST, 20_000),))
    for standing, out in (
        ({PERSOON: Volgverzoek(7, 0, anew.volgt)}, []),
        ({PERSOON: anew}, [("a", 1, True)]),
        ({PERSOON: None}, []),
        ({}, []),
    ):
        with held.register.batch():
            held.register.compare(standing)
        assert held.goes_out() == out
    held.deliver("a", versie=2, begindatum="2025-02-01", einddatum=None)
    assert held.goes_out() == []


@pytest.mark.parametrize("vanaf", [("2026-01-01", "2025-01-01"), ("2025-01-01", "2026-01-01")])
def test_the_earliest_day_of_a_volgverzoek_counts(held: Held, vanaf: tuple[str, str]) -> None:
    held.deliver("a", begindatum="2025-11-01", einddatum="2025-11-30")
    held.follow(*vanaf)
    assert held.goes_out() == [("a", 1, True)]


def test_a_new_version_of_a_followed_persoon_goes_out_and_an_old_one_does_not(held: Held) -> None:
    held.follow("2026-01-01")
    assert held.deliver("a", versie=2)
    assert held.goes_out() == [("a", 2, True)]
    assert not held.deliver("a", versie=2)
    assert not held.deliver("a", versie=1)
    assert held.goes_out() == []


def test_a_published_record_is_kept_up_to_date_when_it_no_longer_reaches_the_followed_days(held: Held) -> None:
    held.follow("2026-01-15")
    held.deliver("a", versie=1, einddatum="2026-01-31")
    held.deliver("never", versie=1, einddatum="2026-01-10")
    held.goes_out()
    held.deliver("a", versie=2, einddatum="2026-01-10")
    held.deliver("never", versie=2, einddatum="2026-01-09")
    assert held.goes_out() == [("a", 2, True)]
    held.follow("2026-02-15")
    assert held.goes_out() == [("a", 2, True)]
    held.deliver("a", versie=3, feit=None)
    assert held.goes_out() == [("a", 3, False)]


def test_an_answer_names_the_withdrawal_of_a_record_that_the_node_may_have(held: Held) -> None:
    held.follow("2026-01-01")
    held.deliver("a")
    held.goes_out()
    held.follow()
    held.deliver("a", versie=2, feit=None)
    held.deliver("b", versie=1, feit=None)
    assert held.goes_out() == []
    held.follow("2026-01-01")
    assert held.goes_out() == [("a", 2, False)]


@pytest.mark.parametrize("arrival", [(1, 2), (2, 1)])
def test_a_correction_that_ends_a_record_before_the_followed_days_is_part_of_the_answer(held: Held, arrival: tuple[int, int]) -> None:
    """An older version of it may have come to the node by another way."""
    for versie in arrival:
        held.deliver("a", versie=versie, einddatum={1: "2026-06-30", 2: "2026-01-02"}[versie])
    held.follow("2026-03-01")
    assert held.goes_out() == [("a", 2, True)]


def test_a_volgverzoek_that_is_not_newer_changes_nothing(held: Held) -> None:
    held.follow("2026-01-01", versie=7)
    held.deliver("a")
    held.goes_out()
    assert not held.follow(versie=7)
    assert not held.follow("2020-01-01", versie=6)
    held.deliver("a", versie=2)
    assert held.goes_out() == [("a", 2, True)]


def test_what_waits_does_not_go_out_after_the_following_has_ended(held: Held) -> None:
    held.follow("2026-01-01")
    held.deliver("a")
    held.follow()
    held.deliver("a", versie=2)
    assert held.goes_out() == []


def test_an_answer_goes_out_even_when_the_same_version_was_on_its_way_before_it_was_asked(held: Held) -> None:
    """The node may have dropped the first one, because it did not follow the persoon when it came in."""
    held.follow("2026-01-01")
    held.deliver("a")
    on_its_way = held.register.outgoing(100)
    held.follow()
    held.follow("2026-01-01")
    held.register.sent(on_its_way)
    assert held.goes_out() == [("a", 1, True)]


def test_a_version_that_comes_while_the_one_before_is_on_its_way_goes_out_too(held: Held) -> None:
    held.follow("2026-01-01")
    held.deliver("a")
    on_its_way = held.register.outgoing(100)
    held.deliver("a", versie=2)
    held.register.sent(on_its_way)
    assert held.goes_out() == [("a", 2, True)]


def test_what_waits_longest_goes_first(held: Held) -> None:
    held.follow("2026-01-01")
    for name in ("c", "a", "b"):
        held.deliver(name)
    assert [name for name, _, _ in held.goes_out()] == ["c", "a", "b"]


def test_records_of_different_soorten_with_one_name_are_different_records(held: Held) -> None:
    verhouding = {"begindatum": "2026-01-01", "loonheffingennummer": "001234567L01", "ikv_nummer": 1, "soort_inkomstenverhouding": "15"}
    held.follow("2026-01-01")
    held.deliver("a", versie=2)
    assert held.deliver("a", versie=1, soort="uwv.inkomstenverhouding", feit=verhouding)
    assert held.goes_out() == [("a", 2, True), ("a", 1, True)]
    held.deliver("a", versie=2, soort="uwv.inkomstenverhouding", feit=None)
    assert held.goes_out() == [("a", 2, False)]


def test_a_batch_that_fails_leaves_nothing(held: Held) -> None:
    def fail() -> None:
        with held.register.batch():
            held.register.deliver(SOORT, LineReader(Catalogue.load(), SOORT, Pseudonymiser(KEY)).read(raw(opgave())))
            raise RuntimeError

    held.follow("2026-01-01")
    with pytest.raises(RuntimeError):
        fail()
    assert held.register.waiting() == 0
    assert held.deliver("ikv-1")


def test_all_of_a_basisfeit_and_of_a_bron_that_filters_itself_goes_out(tmp_path: Path, catalogue: Catalogue) -> None:
    feit = {"begindatum": "2026-01-01", "houder": "gm0363", "kenmerk": "K-1", "wet": "PARTICIPATIEWET"}
    with closing(Register(tmp_path / "gemeente.sqlite", catalogue, "gemeente")) as register:
        held = Held(register, catalogue)
        held.deliver("a", soort="gemeente.bijstand", feit=feit)
        assert held.goes_out() == [("a", 1, True)]


def test_a_basisfeit_that_waits_goes_out_whatever_the_bron_is_asked_meanwhile(tmp_path: Path, catalogue: Catalogue) -> None:
    feit = {"begindatum": "2026-01-01", "houder": "svb", "kenmerk": "AIO-1"}
    with closing(Register(tmp_path / "svb.sqlite", catalogue, "svb")) as register:
        held = Held(register, catalogue)
        held.deliver("a", soort="svb.aio", feit=feit)
        held.follow("2026-01-01")
        held.follow()
        assert held.goes_out() == [("a", 1, True)]


def test_a_register_is_for_its_owner_only_and_for_one_bron(tmp_path: Path, catalogue: Catalogue) -> None:
    file = tmp_path / "r.sqlite"
    Register(file, catalogue, "uwv").close()
    assert file.stat().st_mode & 0o777 == 0o600
    Register(file, catalogue, "uwv").close()
    with pytest.raises(RegisterError, match="holds the register of uwv in form 1; that of svb"):
        Register(file, catalogue, "svb")


def test_another_file_than_a_register_is_refused_by_name(tmp_path: Path, catalogue: Catalogue) -> None:
    (tmp_path / "text").write_text("this is no database " * 100)
    with pytest.raises(RegisterError, match=r"text: file is not a database"):
        Register(tmp_path / "text", catalogue, "uwv")
    with pytest.raises(RegisterError, match=r"nowhere.*No such file"):
        Register(tmp_path / "nowhere" / "r.sqlite", catalogue, "uwv")


def test_no_bsn_stands_in_the_file(tmp_path: Path, catalogue: Catalogue) -> None:
    file = tmp_path / "uwv.sqlite"
    with closing(Register(file, catalogue, "uwv")) as register:
        held = Held(register, catalogue)
        held.deliver("a")
        held.follow("2026-01-01")
        written = b"".join(f.read_bytes() for f in tmp_path.iterdir())
        assert PERSOON.encode() in written
        assert BSN.encode() not in written
        assert sqlite3.connect(file).execute("SELECT count(*) FROM record").fetchone() == (1,)
