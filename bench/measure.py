"""Measures part after part of a plan."""

from collections.abc import Iterator

from bench.audit import audit
from bench.catalogues import job_catalogue
from bench.growth import growth
from bench.plan import Part, Plan
from bench.publishing import publishing
from bench.results import Finding
from bench.rounds import rounds
from bench.state import state
from schemas.catalogue import Catalogue


def measure(plan: Plan) -> Iterator[Finding]:
    """What was found, as soon as it is."""
    if Part.STATE in plan.parts:
        yield state(Catalogue.load(job_catalogue(plan.work)))
    if Part.PUBLISH in plan.parts:
        yield publishing(plan.lines)
    if Part.ROUNDS in plan.parts:
        yield from rounds(plan)
    if Part.GROWTH in plan.parts:
        yield from growth(len(plan.rounds))
    if Part.AUDIT in plan.parts:
        yield audit(plan)
