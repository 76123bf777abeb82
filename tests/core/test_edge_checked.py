"""The lines of a file one behind another: each with its number, and a key that came before is refused, however long ago."""

from connectors.bronnen.lines import LineReader, Published
from connectors.bronnen.pseudonym import Pseudonymiser
from connectors.bronnen.publish import checked
from connectors.bronnen.rejections import RejectedError, RejectionCode
from schemas.catalogue import Catalogue
from tests.core.edge import KEY, opgave, raw


def test_a_key_that_came_before_is_refused_in_the_same_block_of_lines_and_in_a_later_one() -> None:
    reader = LineReader(Catalogue.load(), "uwv.inkomstenopgave", Pseudonymiser(KEY))
    lines = [raw(opgave(record_id=f"ikv-{n}")) + b"\n" for n in range(1_200)]
    lines[7], lines[1_100], lines[1_150] = lines[3], lines[3], raw(opgave(record_id="ikv-3", versie=2))
    lines[5] = b"no line\n"
    told: list[int] = []
    found = dict(checked(lines, reader, told.append))
    refused = {n: m.code for n, m in found.items() if isinstance(m, RejectedError)}
    assert refused == {6: RejectionCode.GEEN_JSON, 8: RejectionCode.DUBBELE_SLEUTEL, 1_101: RejectionCode.DUBBELE_SLEUTEL}
    assert [m.record_id for m in found.values() if isinstance(m, Published)][:4] == ["ikv-0", "ikv-1", "ikv-2", "ikv-3"]
    assert list(found) == [*range(1, 1_201)]
    assert sum(told) == sum(map(len, lines))
