"""The report of a replay, and what a switch would say, as a page for people: one file that needs nothing from elsewhere."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from streams.audit.findings import Kind
from streams.audit.preview import SOORTEN, Preview
from streams.audit.report import Report

_SHOWN: Final = 1_000  # findings on the page
_WIDTH: Final = 960
_HEIGHT: Final = 160

MEANINGS: Final = {
    Kind.MISSING: "a message follows from the records and was not sent",
    Kind.EXTRA: "a message was sent that follows from nothing",
    Kind.DIFFERENT: "a message was sent with other content",
    Kind.MOVED: "a version of a signal stands behind a later one",
    Kind.INPUT: "what a transaction took is not what the archive holds",
    Kind.CATALOGUE: "a version of the catalogue is not there, or was changed",
    Kind.ARCHIVE: "a file cannot be read as it was written",
}


class Bar(NamedTuple):
    """One day of the chart."""

    day: str
    records: int
    made: int
    x: float
    width: float
    height: float


def preview_page_of(preview: Preview, names: Mapping[str, str]) -> str:
    """The page of what a switch would say; ``names`` are those of the ontvangers."""
    return _template("preview.html.jinja").render(preview=preview, soorten=SOORTEN, names=names, shown=preview.changes[:_SHOWN])


def page_of(report: Report) -> str:
    """The page of a replay as HTML."""
    bars = _bars(report)
    return _template("report.html.jinja").render(
        report=report,
        meanings={kind.value: text for kind, text in MEANINGS.items()},
        bars=bars,
        top=max((b.made for b in bars), default=0),
        width=_WIDTH,
        shown=report.findings[:_SHOWN],
    )


def _template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("streams.audit"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template(name)


def _bars(report: Report) -> list[Bar]:
    top = max((d.made for d in report.days.values()), default=0)
    step = _WIDTH / max(1, len(report.days))
    return [
        Bar(day, d.records, d.made, round(i * step, 2), round(0.9 * step, 2), round(_HEIGHT * d.made / max(1, top), 2))
        for i, (day, d) in enumerate(report.days.items())
    ]
