"""How dates, amounts and signals look to a person: in Dutch, on one line."""

from datetime import date

from schemas.values import ElkSignaal, Onderdeel, Signaal, Waarde

_MONTHS = ("jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec")
COLOURS = {"NIEUW": "green", "GEWIJZIGD": "yellow", "VERVALLEN": "red"}


def day(iso: str) -> str:
    """``2026-01-31`` as ``31 jan 2026``."""
    d = date.fromisoformat(iso)
    return f"{d.day} {_MONTHS[d.month - 1]} {d.year}"


def days(begin: str | None, end: str | None) -> str:
    """A period as the law words it: ``1 jan 2026 t/m 31 jan 2026``, or ``vanaf 1 jan 2026``."""
    if begin is None:
        return "-"
    return f"vanaf {day(begin)}" if end is None else f"{day(begin)} t/m {day(end)}"


def gegevens(values: dict[str, Waarde] | tuple[Onderdeel, ...] | None) -> str:
    """Fields on one line; amounts, which are in eurocent, as euros. That there is no part is told as well."""
    if not values:
        return "geen gegevens" if values == () else ""
    if isinstance(values, tuple):
        return "; ".join(" ".join(filter(None, (p.soort, days(p.begindatum, p.einddatum), gegevens(p.velden)))) for p in values)
    return ", ".join(f"{name} {_shown(name, value)}" for name, value in values.items() if value is not None)


def _shown(name: str, value: Waarde) -> str:
    return euros(value) if isinstance(value, int) and ("bedrag" in name or name.startswith("loon_")) else str(value)


def euros(cents: int) -> str:
    """``120050`` as ``€ 1.200,50``."""
    whole, rest = divmod(abs(cents), 100)
    return f"€ {'-' if cents < 0 else ''}{whole:,}".replace(",", ".") + f",{rest:02d}"


def subject(signaal: ElkSignaal) -> str:
    """What a signaal is about: the soort of its feit, or where there may be several the pattern of its rule."""
    return signaal.feit.soort if isinstance(signaal, Signaal) else signaal.regel.patroon


def signaal_line(signaal: ElkSignaal) -> str:
    """A signaal on one line, with rich's markup for the colour of its soort."""
    colour = COLOURS[signaal.soort]
    what = f"{subject(signaal)}  {days(signaal.begindatum, signaal.einddatum)}"
    when = signaal.registratietijd[:16].replace("T", " ")
    return (
        f"{when}  [{colour}]{signaal.soort:<9}[/]  {signaal.kenmerk:<16}  {what}  "
        f"[dim]{gegevens(signaal.gegevens)}  {signaal.signaal_id} v{signaal.versie}[/]"
    )
