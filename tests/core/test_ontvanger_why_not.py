"""``explain --why-not`` without a broker: whose basisfeit may be spoken of."""

from samenloop.why_not import _pairs
from schemas.catalogue import Catalogue
from schemas.values import Mutatie
from streams.core.record import Record, pack
from streams.core.rulebook import rulebook_of
from streams.core.timeline import timeline_of


def test_a_withdrawn_basisfeit_is_told_to_its_own_ontvanger_only(catalogue: Catalogue) -> None:
    rulebook = rulebook_of(catalogue)
    dienst = next(iter(rulebook.diensten.values()))
    feit = next(iter(dienst.feiten))
    timeline = timeline_of(b"", lambda _: None).with_records(
        rulebook.soorten, [(rulebook.soorten[dienst.basis], Record(pack("b-1"), 2, 5, None, ()))]
    )
    log = {(feit, "f-1"): Mutatie("f-1", 1, 0, None)}
    told = _pairs(rulebook, timeline, log, {(dienst.basis, "b-1"): "gm0363"})
    assert [(p.basisfeit, p.ontvanger, p.code) for p in told] == [("b-1", "gm0363", "BASISFEIT_INGETROKKEN")]
    assert _pairs(rulebook, timeline, log, {(dienst.basis, "b-2"): "gm0363"}) == []
