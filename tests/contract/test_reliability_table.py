"""docs/reliability.md names the faults that the suite knows, and no others."""

from pathlib import Path

from tests.faults.selection import table


def test_the_table_of_faults_is_that_of_the_suite() -> None:
    assert table() in (Path(__file__).parents[2] / "docs" / "reliability.md").read_text()
