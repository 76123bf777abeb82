"""The catalogue as the rules need it: every name looked up once, every projection reduced to positions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from schemas.bewaren import SIGNALEN, bewaardagen
from schemas.catalogue import Catalogue, Dienst, Feitsoort, feit_fields
from schemas.opvolging import Opvolging
from schemas.regels import Regel
from streams.core.period import BEFORE, Period, day_number

Rol = Literal["basisfeit", "feit", "einde", "opgave"]

_FORM = "3"  # of the rows in which state is kept; another form is another layout


@dataclass(frozen=True, slots=True)
class Soort:
    """A kind of record, and which of its fields the node may keep."""

    nummer: int
    naam: str
    topic: str
    bron: str
    filtert_zelf: bool  # its bron does, or who delivers it knows of whom it is wanted
    velden: tuple[str, ...]  # kept fields, in the order of the schema: the union of what the diensten list
    datums: frozenset[str]  # those of them that are days
    teksten: tuple[bool, ...]  # of each of them, whether it is a text or a symbol
    grond_voor: tuple[int, ...]  # diensten for which a record is a basisfeit
    gebruikt_door: tuple[int, ...]  # diensten that use it beside their basisfeiten: as a feit, or as what ends these
    is_basisfeit: bool  # whether a record gives a ground to follow somebody
    rol: Rol
    voor_alle: bool  # whether a record counts for all pairs and basisfeiten of a persoon: it ends these, or says what is known
    paar_in: tuple[int, ...]  # those of ``gebruikt_door`` that judge it beside each basisfeit alone
    paren_van: tuple[int, ...]  # those of ``grond_voor`` that judge each feit beside it alone
    aanhouden: str | None  # how long a new record is not told
    telt_mee: bool  # whether some dienst judges all feiten together, and this soort among them, as the basisfeit or as what ends it
    in_kop: bool  # whether its records stand in the head of a persoon: they are few, and needed for every mutatie


@dataclass(frozen=True, slots=True)
class Most:
    """That the amount of a feit is no more than was declared: positions in the feit, and of the amount a month in the opgave."""

    bedrag: int
    tijdvak: int | None
    grens: int


@dataclass(frozen=True, slots=True)
class Known:
    """When a feit is known, by positions among the kept fields."""

    soort: int  # nummer of what is declared
    houder: int  # in it
    gelijk: tuple[tuple[int, int], ...]  # in the feit, and in it
    hoogstens: Most | None
    dossiers: Mapping[str, str]  # houder that ends → the last that has its dossiers, on whatever day

    def of_one(self, houder: object, other: object) -> bool:
        """Whether what two houders hold is, in the end, in the dossiers of one: a merger forgets nothing that was declared."""
        return self.dossiers.get(str(houder), houder) == self.dossiers.get(str(other), other)


@dataclass(frozen=True, slots=True)
class DienstRule:
    """One dienst as a rule."""

    nummer: int
    naam: str
    regel: Regel
    basis: int  # soort nummer
    velden: Mapping[str, int]  # listed fields of the basisfeit and their positions
    houder: int  # position of the field among the kept fields of the basis
    kenmerk: int
    eindigt_bij: int | None  # nummer of the soort that ends its basisfeiten
    feiten: Mapping[int, tuple[tuple[str, int], ...]]  # soort nummer → listed fields and their positions
    bronnen: tuple[str, ...]  # bronnen to ask for records, sorted
    ontvangers: frozenset[str]
    beurten: Mapping[str, tuple[tuple[Period, str], ...]]  # houder that ends → who is told on which days: it, and then its opvolger
    bekend: Mapping[int, Known]  # soort nummer → when a feit of it is known already
    groepeer: Mapping[int, tuple[int, ...]]  # soort nummer → positions of the fields in which records of it go on as one; only of such
    bewaren: int  # days, for which something of a persoon is kept because of it

    @property
    def van_paren(self) -> bool:
        """Whether a signal is about a basisfeit and one feit; otherwise it is about a basisfeit and all feiten together."""
        return self.regel.patroon == "samenloop"

    @property
    def gevraagd(self) -> tuple[int, ...]:
        """The nummers of the soorten that are asked for because of its basisfeiten."""
        return (*self.feiten, *(() if self.eindigt_bij is None else (self.eindigt_bij,)))


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules of a catalogue; ``layout`` names the kept fields and the rules, so that state is never read under others."""

    soorten: Mapping[int, Soort]
    by_topic: Mapping[str, Soort]
    diensten: Mapping[int, DienstRule]
    van_gronden: tuple[DienstRule, ...]  # diensten that judge all feiten of a basisfeit together
    layout: str

    @property
    def bewaren(self) -> int:
        """The longest that anything is kept of a persoon, in days."""
        return max(d.bewaren for d in self.diensten.values())


def rulebook_of(catalogue: Catalogue) -> Rulebook:
    """The rules that a catalogue declares."""
    soorten = {t.nummer: _soort(catalogue, naam) for naam, t in catalogue.mutatie_topics.items()}
    diensten = {d.nummer: _dienst(catalogue, d, soorten) for d in sorted(catalogue.diensten.values(), key=lambda d: d.nummer)}
    return Rulebook(
        soorten=soorten,
        by_topic={s.topic: s for s in soorten.values()},
        diensten=diensten,
        van_gronden=tuple(d for d in diensten.values() if not d.van_paren),
        layout=_layout(soorten, diensten),
    )


def _layout(soorten: Mapping[int, Soort], diensten: Mapping[int, DienstRule]) -> str:
    more = {
        n: "".join(f" {part}" for part in (d.eindigt_bij, sorted(d.bekend.items()), sorted(d.groepeer.items()), d.bewaren) if part)
        for n, d in diensten.items()
    }
    kept = [f"{n} {s.naam} {' '.join(s.velden)}" for n, s in sorted(soorten.items())]
    ended = sorted({f"{houder} {beurten}" for d in diensten.values() for houder, beurten in d.beurten.items()})
    waiting = [f"{n} {s.aanhouden}" for n, s in sorted(soorten.items()) if s.aanhouden is not None]
    rules = [f"{n} {d.naam} {d.regel.model_dump_json()} {d.basis} {sorted(d.feiten.items())}{more[n]}" for n, d in sorted(diensten.items())]
    return sha256("\n".join([_FORM, *kept, *rules, *ended, *waiting]).encode()).hexdigest()[:16]


def _soort(catalogue: Catalogue, naam: str) -> Soort:
    topic = catalogue.mutatie_topics[naam]
    basis = [d for d in catalogue.diensten.values() if d.basisfeit.soort == naam]
    users = [(d, f) for d in catalogue.diensten.values() for f in d.feiten if f.soort == naam]
    listed = {v.veld for d in catalogue.diensten.values() for part in d.delen if part.soort == naam for v in part.velden}
    fields = feit_fields(catalogue.latest_schema(topic.topic))
    bron = catalogue.bron_of(naam)
    velden = tuple(f for f in fields if f in listed)
    known = any(d.opgaven is not None and d.opgaven.soort == naam for d in catalogue.diensten.values())
    ended = [d for d in catalogue.diensten.values() if naam in d.einden]
    involved = [*basis, *(d for d, _ in users), *ended]
    paren = {d.nummer for d in involved if d.regel.patroon == "samenloop"}
    return Soort(
        nummer=topic.nummer,
        naam=naam,
        topic=topic.topic,
        bron=bron.id,
        filtert_zelf=bron.filtert_zelf or known,
        velden=velden,
        datums=frozenset(f for f in listed if "date" in str(fields[f]["type"])),
        teksten=tuple(any(t in str(fields[f]["type"]) for t in ("string", "enum")) for f in velden),
        grond_voor=tuple(sorted(d.nummer for d in basis)),
        gebruikt_door=tuple(sorted({d.nummer for d, _ in users} | {d.nummer for d in ended})),
        is_basisfeit=bool(basis),
        rol="basisfeit" if basis else "einde" if ended else "opgave" if known else "feit",
        voor_alle=bool(ended or known),
        paar_in=tuple(sorted(paren & {d.nummer for d, _ in users})),
        paren_van=tuple(sorted(paren & {d.nummer for d in basis})),
        aanhouden=None if basis else bron.aanhouden,
        telt_mee=any(d.regel.patroon != "samenloop" for d in involved),
        in_kop=bool(basis or ended or known),
    )


def _dienst(catalogue: Catalogue, dienst: Dienst, soorten: Mapping[int, Soort]) -> DienstRule:
    def number(naam: str) -> int:
        return catalogue.mutatie_topics[naam].nummer

    def projection(feit: Feitsoort) -> tuple[tuple[str, int], ...]:
        kept = soorten[number(feit.soort)].velden
        return tuple((v.veld, kept.index(v.veld)) for v in feit.velden)

    basis = soorten[number(dienst.basisfeit.soort)]
    asked = {catalogue.bron_of(soort) for soort in dienst.gevraagd}
    einde = dienst.basisfeit.eindigt_bij
    signalen = catalogue.topics.get(SIGNALEN)  # a signaal of which nothing is known any more has to be gone
    kept = [dienst.bewaartermijn, *([signalen.bewaartermijn] if signalen is not None and signalen.bewaartermijn is not None else [])]
    ontvangers = frozenset(o.id for o in catalogue.ontvangers.values() if o.soort in dienst.ontvanger.soorten)
    return DienstRule(
        nummer=dienst.nummer,
        naam=dienst.dienst,
        regel=dienst.regel,
        basis=basis.nummer,
        velden={v.veld: basis.velden.index(v.veld) for v in dienst.basisfeit.velden},
        houder=basis.velden.index("houder"),
        kenmerk=basis.velden.index("kenmerk"),
        eindigt_bij=None if einde is None else number(einde.soort),
        feiten={number(f.soort): projection(f) for f in dienst.feiten},
        bronnen=tuple(sorted(b.id for b in asked if not b.filtert_zelf)),
        ontvangers=ontvangers,
        beurten={houder: _beurten(houder, opvolgers) for houder, opvolgers in catalogue.opvolging.items() if houder in ontvangers},
        bekend=dict(_bekend(catalogue, dienst, soorten)),
        groepeer={
            number(f.soort): tuple(soorten[number(f.soort)].velden.index(veld) for veld in f.groepeer) for f in dienst.feiten if f.groepeer
        },
        bewaren=max(map(bewaardagen, kept)),
    )


def _beurten(houder: str, opvolgers: tuple[Opvolging, ...]) -> tuple[tuple[Period, str], ...]:
    """Who is told on which days in the place of a houder that ends; on some nobody, where nobody took over."""
    days = [BEFORE, *(day_number(o.vanaf) for o in opvolgers)]
    wie = [houder, *(o.ontvanger for o in opvolgers)]
    return tuple((Period(begin, end), naam) for begin, end, naam in zip(days, [*days[1:], None], wie, strict=True) if naam is not None)


def _bekend(catalogue: Catalogue, dienst: Dienst, soorten: Mapping[int, Soort]) -> Iterator[tuple[int, Known]]:
    if dienst.opgaven is None:
        return
    opgave = soorten[catalogue.mutatie_topics[dienst.opgaven.soort].nummer]
    dossiers = {houder: _beurten(houder, opvolgers)[-1][1] for houder, opvolgers in catalogue.opvolging.items()}
    for feit in dienst.feiten:
        soort = soorten[catalogue.mutatie_topics[feit.soort].nummer]
        if feit.bekend is not None:
            most, of, at = feit.bekend.hoogstens, soort.velden.index, opgave.velden.index
            hoogstens = None if most is None else Most(of(most.veld), None if most.tijdvak is None else of(most.tijdvak), at(most.grens))
            gelijk = tuple((of(veld), at(veld)) for veld in feit.bekend.gelijk)
            yield soort.nummer, Known(opgave.nummer, at("houder"), gelijk, hoogstens, dossiers)
