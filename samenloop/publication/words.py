"""The words of the published catalogue, in Dutch: durations, kinds of ontvangers, and each rule as people say it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from schemas.catalogue import Catalogue, Dienst
from schemas.regels import BEGINDATUM, TIJDVAKKEN, Beeindiging, Drempel, Informatiepakket, Leeftijd, Ontbreken

UITLEG: Final = {"begindatum": "De eerste dag.", "einddatum": "De laatste dag, tot en met; leeg zolang het duurt."}
ONTVANGERS: Final[Mapping[str, tuple[str, str]]] = {
    "gemeente": ("de gemeente", "Gemeenten"),
    "svb": ("de SVB", "Sociale Verzekeringsbank"),
    "waterschap": ("het waterschap", "Waterschappen"),
    "rmc": ("het Doorstroompunt", "Doorstroompunten"),
}
"""Kind of ontvanger → one of them in a sentence, all of them as a heading."""


def duration(iso: str | None) -> str:
    """``P15M`` as ``15 maanden``; without a duration only the newest row of each key is kept."""
    if iso is None:
        return "alleen de laatste stand van elke sleutel"
    number = int(iso[1:-1])
    one, more = ("maand", "maanden") if iso.endswith("M") else ("dag", "dagen")
    return f"{number} {one if number == 1 else more}"


def heading(text: str) -> str:
    """A text as a sentence or heading begins: with a capital."""
    return text[:1].upper() + text[1:]


def inline(naam: str) -> str:
    """A name as it stands inside a sentence: ``Uitkering van UWV`` as ``uitkering van UWV``."""
    return naam[:1].lower() + naam[1:]


def who_receives(dienst: Dienst) -> str:
    """Which ontvangers a dienst has, one of them in a sentence: ``de gemeente of het waterschap``."""
    return " of ".join(ONTVANGERS[soort][0] for soort in dienst.ontvanger.soorten)


def rule_of(catalogue: Catalogue, dienst: Dienst) -> list[str]:
    """The rule of a dienst in plain Dutch, a sentence or two a step."""
    return [
        *RULES[dienst.regel.patroon](catalogue, dienst),
        *_ander(catalogue, dienst),
        *_groepeer(catalogue, dienst),
        *_bekend(catalogue, dienst),
        *_aangehouden(catalogue, dienst),
        *_einde(catalogue, dienst),
    ]


def _groepeer(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    for feit in dienst.feiten:
        if feit.groepeer:
            naam = catalogue.mutatie_topics[feit.soort].naam
            yield (
                f"{heading(naam)}: gegevens met hetzelfde {' en '.join(feit.groepeer)} waar geen dag tussen ligt, tellen als één. Het "
                "signaal is dat over het eerste dat een dag deelt, met de dagen van alle samen en de velden van het eerste. Gaat het onder "
                "een ander nummer verder, dan wordt dat niet gemeld. Zijn er bij een melding meer dan één, dan noemt het signaal ze alle."
            )


def _ander(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    for feit in dienst.feiten:
        if feit.ander is not None:
            naam, wie = inline(catalogue.mutatie_topics[feit.soort].naam), who_receives(dienst)
            yield (
                f"Een {naam} wordt alleen gemeld naast een van een andere {feit.ander}: elk hoort dan dat de ander ook betaalt. "
                f"Van wat {wie} zelf betaalt, wordt niets gemeld, en het kenmerk van de een krijgt de ander niet."
            )


def _aangehouden(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    for feit in dienst.feiten:
        bron = catalogue.bron_of(feit.soort)
        if bron.aanhouden is not None:
            yield (
                f"Een {inline(catalogue.mutatie_topics[feit.soort].naam)} wordt pas gemeld {duration(bron.aanhouden)} nadat {bron.naam} "
                "die voor het eerst vastlegde. Wat in die tijd is hersteld of ingetrokken, wordt nooit zo gemeld; daarna volgt elke "
                "correctie meteen."
            )


def _bekend(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    for feit in dienst.feiten:
        if feit.bekend is not None and dienst.opgaven is not None:
            opgave = inline(catalogue.mutatie_topics[dienst.opgaven.soort].naam)
            most = feit.bekend.hoogstens
            amount = "" if most is None else f" en het {most.veld} per maand niet hoger is dan het {most.grens}"
            yield (
                f"Van een {inline(catalogue.mutatie_topics[feit.soort].naam)} wordt niets gemeld als elke gedeelde dag al bekend is: "
                f"als er {opgave} is bij dezelfde houder is met hetzelfde {' en '.join(feit.bekend.gelijk)}{amount}."
            )


def _einde(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    for soort in dienst.einden:
        einde, basis = inline(catalogue.mutatie_topics[soort].naam), inline(catalogue.mutatie_topics[dienst.basisfeit.soort].naam)
        yield (
            f"Na {einde} telt zo'n {basis} niet meer mee: die dag nog wel, van de dagen erna wordt niets gemeld. "
            f"Het {einde} zelf wordt niet verstrekt."
        )


def _samenloop(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    basis = inline(catalogue.mutatie_topics[dienst.basisfeit.soort].naam)
    wie = who_receives(dienst)
    yield from _grond(catalogue, dienst)
    yield (
        f"Deelt zo'n {basis} minstens één dag met een van de gegevens die hieronder staan, dan krijgt {wie} die in die dagen "
        "betaalt een signaal. De eerste en de laatste dag tellen mee."
    )
    yield "Het signaal noemt de gedeelde dagen en de velden die hieronder staan, en niets anders. Wat daarbuiten ligt, wordt niet gemeld."
    yield "Verandert er iets aan die dagen of velden, dan volgt een gewijzigd signaal. Is er geen overlap meer, dan vervalt het signaal."
    yield _OORDEELT_NIET.format(wie=wie)


def _ontbreken(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    regel, topics = dienst.regel, catalogue.mutatie_topics
    assert isinstance(regel, Ontbreken)  # noqa: S101 - the caller chooses by pattern
    yield from _grond(catalogue, dienst)
    geen = " en geen ".join(inline(topics[f.soort].naam) for f in dienst.feiten)
    wie = who_receives(dienst)
    yield f"Is er op de dag van vandaag geen {geen}, dan krijgt {wie} een signaal.{_leeftijd(regel.leeftijd)}"
    if regel.wachttijd[1:-1] != "0":
        yield f"Het signaal gaat pas uit als dat {duration(regel.wachttijd)} zo is."
    yield "Het signaal noemt de dagen waarop dat zo is, en wat er het laatst was voor het begon: alleen de velden die hieronder staan."
    yield "Is het niet meer zo, dan vervalt het signaal. Ook alleen het verstrijken van de tijd kan een signaal geven of laten vervallen."
    yield _OORDEELT_NIET.format(wie=wie)


def _beeindiging(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    regel, topics = dienst.regel, catalogue.mutatie_topics
    assert isinstance(regel, Beeindiging)  # noqa: S101 - the caller chooses by pattern
    wie, ended = who_receives(dienst), inline(topics[f"{regel.van}"].naam)
    yield from _grond(catalogue, dienst)
    geen = " en geen ".join(inline(topics[f.soort].naam) for f in dienst.feiten)
    leeftijd = _leeftijd(regel.leeftijd)
    yield f"Eindigt een {ended}, en is er {duration(regel.termijn)} daarna geen {geen}, dan krijgt {wie} een signaal.{leeftijd}"
    yield "Het signaal noemt sinds wanneer dat zo is, en wat er eindigde: alleen de velden die hieronder staan."
    yield "Is het niet meer zo, dan vervalt het signaal. Ook alleen het verstrijken van de tijd kan een signaal geven of laten vervallen."
    yield _OORDEELT_NIET.format(wie=wie)


def _drempel(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    regel, topics = dienst.regel, catalogue.mutatie_topics
    assert isinstance(regel, Drempel)  # noqa: S101 - the caller chooses by pattern
    wie, basis = who_receives(dienst), topics[dienst.basisfeit.soort]
    yield from _grond(catalogue, dienst)
    inkomen = " en elke ".join(f"{inline(topics[b.soort].naam)} ({b.veld})" for b in regel.bedragen)
    yield f"Van elke dag worden de bedragen per maand van elke {inkomen} opgeteld, ook als er meer zijn bij één werkgever."
    if any(b.tijdvak for b in regel.bedragen):
        yield f"Een bedrag over een ander tijdvak dan een maand wordt eerst omgerekend: {_tijdvakken()}. Er wordt naar beneden afgerond."
    yield (
        f"Is de som hoger dan het {regel.grens} van de {inline(basis.naam)}, dan krijgt {wie} een signaal; bij precies dat bedrag niet. "
        "Een bedrag dat de bron nog niet kent, telt niet mee."
    )
    yield (
        "Het signaal noemt de aaneengesloten dagen waarop dat zo is, en de gegevens van die dagen: alleen de velden die hieronder staan. "
        "Het gaat altijd over de laatste keer dat het zo werd, en blijft gelden als het inkomen daarna weer daalt."
    )
    yield "Verandert er iets aan die dagen of velden, dan volgt een gewijzigd signaal. Was het achteraf nooit zo, dan vervalt het signaal."
    yield _OORDEELT_NIET.format(wie=wie)


def _tijdvakken() -> str:
    """How an amount of each tijdvak is made one of a month."""
    known = [f"{inline(symbol.replace('_', ' ').lower())} maal {f[0]}/{f[1]}" for symbol, f in TIJDVAKKEN.items() if f and f[0] != f[1]]
    return ", ".join([*known, "een ander tijdvak naar het aantal dagen (een jaar heeft 365 dagen en twaalf maanden)"])


def _informatiepakket(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    regel, topics = dienst.regel, catalogue.mutatie_topics
    assert isinstance(regel, Informatiepakket)  # noqa: S101 - the caller chooses by pattern
    basis, wie = inline(topics[dienst.basisfeit.soort].naam), who_receives(dienst)
    yield from _grond(catalogue, dienst)
    day = f"de {'eerste dag' if regel.peildatum == BEGINDATUM else regel.peildatum} van zo'n {basis}"
    before = "" if regel.terug is None else f"de {duration(regel.terug)} voor "
    yield f"Het gaat om {before}{day}. Wat dan niet geldt, wordt niet gemeld."
    wait = "" if regel.wachttijd[1:-1] == "0" else f", {duration(regel.wachttijd)} na die eerste dag"
    yield f"Zolang die loopt, krijgt {wie} één pakket{wait}: de velden die hieronder staan. Ook dat er niets bekend is, is een antwoord."
    yield "Verandert er in die tijd iets aan die gegevens, dan volgt een gewijzigd pakket."
    yield f"Eindigt zo'n {basis}, dan vervalt het pakket: de grond is weg, en wat er daarna verandert, wordt niet meer gemeld."
    yield _OORDEELT_NIET.format(wie=wie)


def _grond(catalogue: Catalogue, dienst: Dienst) -> Iterator[str]:
    basis = inline(catalogue.mutatie_topics[dienst.basisfeit.soort].naam)
    yield f"Alleen wie een {basis} heeft, wordt gevolgd. Van ieder ander wordt niets bewaard."


def _leeftijd(leeftijd: Leeftijd | None) -> str:
    if leeftijd is None:
        return ""
    begin = [] if leeftijd.vanaf is None else [f"vanaf de {leeftijd.vanaf}e verjaardag"]
    end = [] if leeftijd.tot is None else [f"tot de {leeftijd.tot}e verjaardag"]
    return f" Dat geldt {' '.join(begin + end)}."


_OORDEELT_NIET: Final = "De regel oordeelt niet: {wie} onderzoekt en beslist zelf."
RULES: Final[Mapping[str, Callable[[Catalogue, Dienst], Iterator[str]]]] = {
    "samenloop": _samenloop,
    "ontbreken": _ontbreken,
    "beeindiging": _beeindiging,
    "drempel": _drempel,
    "informatiepakket": _informatiepakket,
}
