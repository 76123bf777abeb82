"""The catalogue: diensten, topics, bronnen and ontvangers, read from YAML and checked as a whole."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field

from schemas import aanhouden, bewaren, naast_elkaar, opvolging, orphans
from schemas.opvolging import Opvolging, opvolging_of
from schemas.parts import CatalogueError, Part, by, read, read_list
from schemas.regels import Bekend, Regel, Termijn, bekend_faults, faults, groepeer_faults

Oin = Field(pattern=r"^[0-9]{20}$")
Ontvangersoort = Literal["gemeente", "svb", "waterschap", "rmc"]
Duration = Field(pattern=r"^P([0-9]+M|[0-9]+D)$")

PUBLISHED: Final = Path(str(files("schemas")))
ONZEKER: Final = "onzeker"  # the field that says which of them the bron knows in part only
PERIODE: Final = ("begindatum", "einddatum")  # every feit has them, and every rule uses them
BESTANDEN: Final = ("*.yaml", "topics/*.yaml", "diensten/*.yaml", "avro/*.avsc")


class Bron(Part):
    """An agency that delivers records."""

    id: str = Field(pattern=r"^[a-z][a-z0-9]*$")
    naam: str
    oin: str = Oin
    filtert_zelf: bool
    aanhouden: Termijn | None = Field(default=None, pattern=r"[1-9]")  # it registers and corrects within so long: only then it is told


class Ontvanger(Part):
    """An authority that receives signals, the days on which it exists (half-open), and who has its dossiers afterwards."""

    id: str = Field(pattern=r"^[a-z][a-z0-9]*$")
    naam: str
    soort: Ontvangersoort
    oin: str = Oin
    vanaf: date | None = None
    tot: date | None = None
    opgegaan_in: str | None = None


class SchemaRef(Part):
    """A version of a topic's schema under its stable id on the wire."""

    id: int = Field(ge=1)
    bestand: str
    naast: bool = False  # another kind of message beside those before it, told apart by ce_dataschema; not a version of them


class Topic(Part):
    """One topic, or a family of topics with a ``<part>`` in the name."""

    topic: str
    over: str
    naam: str = Field(min_length=1)  # in Dutch, for the published catalogue, as is the uitleg
    uitleg: str = Field(min_length=1)
    eigenaar: str
    nummer: int = Field(ge=1)
    sleutel: str
    waarde: Literal["avro", "json", "bytes"]
    schemas: tuple[SchemaRef, ...]
    compatibiliteit: Literal["NONE", "BACKWARD", "FULL"]
    bewaartermijn: str | None = Duration
    opruiming: Literal["delete", "compact"]
    onbekende_datums: Literal["ruim"] | None = None  # how the edge takes a period's dates that are known in part; else it refuses them
    velden: Mapping[str, str] = {}  # what each field of a feit means, in Dutch; PERIODE goes without saying

    @property
    def soort(self) -> str:
        """``bron.soort`` of a mutatie topic."""
        return self.topic.removeprefix("mutaties.")


class Veld(Part):
    """A field that a dienst uses, with its purpose and its ground in law."""

    veld: str
    doel: str = Field(min_length=1)
    grondslag: str = Field(min_length=1)


class Einde(Part):
    """A soort whose records end all basisfeiten of a persoon: none counts behind the begindatum of the first of them."""

    soort: str
    doel: str = Field(min_length=1)
    grondslag: str = Field(min_length=1)

    @property
    def velden(self) -> tuple[Veld, ...]:
        """None: the day is all that is used, and nobody is told of it."""
        return ()


class Basisfeit(Part):
    """The soort whose records give the ground, what ends it, and the fields of it that are used."""

    soort: str
    eindigt_bij: Einde | None = None
    velden: tuple[Veld, ...]


class Feitsoort(Part):
    """A soort that may overlap the basisfeit, why, and the fields that go into a signaal."""

    soort: str
    doel: str = Field(min_length=1)
    grondslag: str = Field(min_length=1)
    groepeer: tuple[str, ...] = ()  # records that are equal in these and leave no day between them count as one
    ander: naast_elkaar.Ander | None = None  # what is to be another one than in the basisfeit, of which it has the soort
    bekend: Bekend | None = None  # when the ontvanger knows it already
    velden: tuple[Veld, ...]


class Opgave(Part):
    """The soort whose records say what an ontvanger knows already, why, and the fields that are compared; nobody is told of them."""

    soort: str
    doel: str = Field(min_length=1)
    grondslag: str = Field(min_length=1)
    velden: tuple[Veld, ...]


def _listed(given: object) -> object:
    return (given,) if isinstance(given, str) else given


class OntvangerKeuze(Part):
    """Which kinds of ontvangers get the signals of a dienst."""

    soorten: Annotated[tuple[Ontvangersoort, ...], BeforeValidator(_listed)] = Field(alias="soort", min_length=1)  # one, or a list


class Dienst(Part):
    """One service of the node: its ground in law, what it uses and who gets it."""

    dienst: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    nummer: int = Field(ge=1)
    naam: str
    doel: str = Field(min_length=1)
    grondslag: tuple[str, ...] = Field(min_length=1)
    verwerkingsverantwoordelijke: str = Field(min_length=1)
    inzage: str = Field(min_length=1)
    bewaartermijn: str = Duration
    regel: Regel
    ontvanger: OntvangerKeuze
    basisfeit: Basisfeit
    feiten: tuple[Feitsoort, ...] = Field(min_length=1)
    opgaven: Opgave | None = None

    @property
    def over_paren(self) -> bool:
        """Whether a signal is about a basisfeit and one feit; otherwise it is about a basisfeit and all feiten together."""
        return self.regel.patroon == "samenloop"

    @property
    def einden(self) -> tuple[str, ...]:
        """The soorten that end its basisfeiten."""
        return () if self.basisfeit.eindigt_bij is None else (self.basisfeit.eindigt_bij.soort,)

    @property
    def verzwegen(self) -> tuple[str, ...]:
        """The soorten of which nobody is told anything."""
        return self.einden if self.opgaven is None else (*self.einden, self.opgaven.soort)

    @property
    def gevraagd(self) -> tuple[str, ...]:
        """The soorten that are asked for because of its basisfeiten; these come unasked, also as a feit."""
        return (*(f.soort for f in self.feiten if f.soort != self.basisfeit.soort), *self.einden)

    @property
    def delen(self) -> tuple["Deel", ...]:
        """Everything of which it uses records."""
        return (self.basisfeit, *self.feiten, *(part for part in (self.basisfeit.eindigt_bij, self.opgaven) if part is not None))


Deel = Basisfeit | Feitsoort | Einde | Opgave


@dataclass(frozen=True)
class Schema:
    """An Avro schema of the catalogue and the topic it belongs to."""

    id: int
    bestand: str
    topic: Topic
    definitie: Mapping[str, Any]


@dataclass(frozen=True)
class Catalogue:
    """Everything that the node may do, by name."""

    diensten: Mapping[str, Dienst]
    topics: Mapping[str, Topic]
    bronnen: Mapping[str, Bron]
    ontvangers: Mapping[str, Ontvanger]  # also those that no longer exist: whether one does depends on the day
    schemas: Mapping[int, Schema]
    bestanden: Mapping[str, bytes] = field(repr=False)  # what it was read from, by path inside its folder

    @classmethod
    def load(cls, folder: Path | None = None) -> Self:
        """Read and check the catalogue in ``folder`` (the published one by default); raises CatalogueError."""
        root = folder or PUBLISHED
        topics = by("topic", [read(p, Topic) for p in sorted((root / "topics").glob("*.yaml"))])
        catalogue = cls(
            diensten=by("dienst", [read(p, Dienst) for p in sorted((root / "diensten").glob("*.yaml"))]),
            topics=topics,
            bronnen=by("id", read_list(root / "bronnen.yaml", Bron)),
            ontvangers=by("id", read_list(root / "ontvangers.yaml", Ontvanger)),
            schemas=_schemas(root / "avro", topics),
            bestanden={str(p.relative_to(root)): p.read_bytes() for pattern in BESTANDEN for p in sorted(root.glob(pattern))},
        )
        _check(catalogue)
        return catalogue

    @cached_property
    def versie(self) -> str:
        """The SHA-256 of all its files, in hex: the same content has the same version, whatever it is called."""
        return version_of(self.bestanden)

    @cached_property
    def blijvende_ontvangers(self) -> Mapping[str, Ontvanger]:
        """Those of which no last day is known."""
        return {o.id: o for o in self.ontvangers.values() if o.tot is None}

    @cached_property
    def opvolging(self) -> Mapping[str, tuple[Opvolging, ...]]:
        """Ontvanger that ends → who is told in its place, and from which day."""
        return opvolging_of(self.ontvangers)

    @cached_property
    def mutatie_topics(self) -> Mapping[str, Topic]:
        """soort → topic, for all soorten that bronnen deliver."""
        return {t.soort: t for t in self.topics.values() if t.topic.startswith("mutaties.")}

    def bron_of(self, soort: str) -> Bron:
        """The bron that delivers ``soort``."""
        return self.bronnen[soort.split(".", 1)[0]]

    def latest_schema(self, topic: str) -> Schema:
        """The newest schema of a topic or topic family."""
        return self.schemas[self.topics[topic].schemas[-1].id]


def version_of(files: Mapping[str, bytes]) -> str:
    """The version of a catalogue with these files, by path inside its folder: a SHA-256 over the path and SHA-256 of each."""
    return sha256("".join(f"{sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items())).encode()).hexdigest()


def _schemas(folder: Path, topics: Mapping[str, Topic]) -> dict[int, Schema]:
    found: dict[int, Schema] = {}
    for topic in topics.values():
        for ref in topic.schemas:
            if ref.id in found:
                raise CatalogueError(f"{topic.place}: schemas: id {ref.id} is taken by {found[ref.id].bestand}")
            try:
                definition = json.loads((folder / ref.bestand).read_text(encoding="utf-8"))
            except (OSError, ValueError) as e:
                raise CatalogueError(f"{topic.place}: schemas: {ref.bestand}: {e}") from e
            found[ref.id] = Schema(ref.id, ref.bestand, topic, definition)
    return found


def feit_fields(schema: Schema) -> dict[str, Any]:
    """The fields of the feit inside a mutatie schema: name → Avro field definition."""
    union = next(f["type"] for f in schema.definitie["fields"] if f["name"] == "feit")
    record = next(t for t in union if isinstance(t, dict))
    return {f["name"]: f for f in record["fields"]}


def _check(catalogue: Catalogue) -> None:
    _unique(list(catalogue.topics.values()))
    _unique(list(catalogue.diensten.values()))
    for topic in catalogue.topics.values():
        _check_topic(catalogue, topic)
    for dienst in catalogue.diensten.values():
        _check_dienst(catalogue, dienst)
    aanhouden.check(catalogue)
    for fault in opvolging.faults(catalogue.ontvangers):
        raise catalogue.ontvangers[fault.id].fault(fault.key, fault.tekst)
    orphans.check(catalogue)


def _unique(parts: list[Topic] | list[Dienst]) -> None:
    taken: dict[int, str] = {}
    for part in parts:
        if part.nummer in taken:
            raise CatalogueError(f"{part.place}: nummer: {part.nummer} is given twice, first in {taken[part.nummer]}")
        taken[part.nummer] = part.place


def _check_topic(catalogue: Catalogue, topic: Topic) -> None:
    if topic.eigenaar not in catalogue.bronnen:
        raise CatalogueError(f"{topic.place}: eigenaar: {topic.eigenaar} is not in bronnen.yaml")
    if topic.topic.startswith("mutaties."):
        if topic.soort.split(".")[0] != topic.eigenaar:
            raise CatalogueError(f"{topic.place}: eigenaar: the topic's bron is expected, not {topic.eigenaar}")
        if not topic.schemas:
            raise CatalogueError(f"{topic.place}: schemas: a topic of mutaties has at least one")
        fields = feit_fields(catalogue.latest_schema(topic.topic)).keys()
        _check_explained(topic, fields)
        if topic.onbekende_datums is not None and ONZEKER not in fields:
            raise CatalogueError(f"{topic.place}: onbekende_datums: the newest schema has no field {ONZEKER} to say so")
    if topic.bewaartermijn is None and topic.opruiming != "compact":
        raise CatalogueError(f"{topic.place}: bewaartermijn: only a compacted topic may be without")


def _check_explained(topic: Topic, fields: Collection[str]) -> None:
    for name in fields:
        if name not in PERIODE and not topic.velden.get(name):
            raise CatalogueError(f"{topic.place}: velden.{name}: what the field means is not said")
    for name in topic.velden:
        if name not in fields:
            raise CatalogueError(f"{topic.place}: velden.{name}: the field is not in the newest schema")


def _check_dienst(catalogue: Catalogue, dienst: Dienst) -> None:
    keys: dict[str, Deel | None] = {"basisfeit": dienst.basisfeit, **{f"feiten.{i}": feit for i, feit in enumerate(dienst.feiten)}}
    keys |= {"basisfeit.eindigt_bij": dienst.basisfeit.eindigt_bij, "opgaven": dienst.opgaven}
    parts = [(key, part) for key, part in keys.items() if part is not None]
    used = [part.soort for _, part in parts]
    for key, part in parts:
        if part.soort not in catalogue.mutatie_topics:
            raise dienst.fault(f"{key}.soort", f"there is no topic mutaties.{part.soort}")
    naast_elkaar.check(dienst, parts, catalogue.diensten.values())
    _check_alone(catalogue, dienst)
    listed = [_listed_fields(catalogue, dienst, key, part) for key, part in parts]
    if not {"houder", "kenmerk"} <= listed[0].keys():
        raise dienst.fault("basisfeit.velden", "houder and kenmerk are needed to address a signaal")
    told = dict(zip(used[1:], listed[1:], strict=True))
    for place, text in faults(dienst.regel, listed[0], {f.soort: told[f.soort] for f in dienst.feiten}):
        raise dienst.fault(".".join(map(str, ("regel", *place))), text)
    _check_bekend(dienst, told)
    for i, f in enumerate(dienst.feiten):
        for place, text in groepeer_faults(dienst.regel, f.groepeer, f.bekend, told[f.soort]):
            raise dienst.fault(".".join(map(str, ("feiten", i, "groepeer", *place))), text)
    if (fault := bewaren.too_short(dienst.bewaartermijn, catalogue.topics, used)) is not None:
        raise dienst.fault("bewaartermijn", fault)


def _check_alone(catalogue: Catalogue, dienst: Dienst) -> None:
    """What ends a basisfeit, or says what is known, is nothing else for anybody: it stands beside basisfeiten, and is told to nobody."""
    for key, part in (("basisfeit.eindigt_bij.soort", dienst.basisfeit.eindigt_bij), ("opgaven.soort", dienst.opgaven)):
        for other in catalogue.diensten.values():
            if part is not None and part.soort in {other.basisfeit.soort, *(f.soort for f in other.feiten)}:
                raise dienst.fault(key, f"{part.soort} is a basisfeit or a feit in {other.place}")
            if isinstance(part, Opgave) and part.soort in other.einden:
                raise dienst.fault(key, f"{part.soort} ends basisfeiten in {other.place}")


def _check_bekend(dienst: Dienst, listed: Mapping[str, Mapping[str, Any]]) -> None:
    known = [(i, f.soort, f.bekend) for i, f in enumerate(dienst.feiten) if f.bekend is not None]
    if known and (dienst.opgaven is None or not dienst.over_paren):
        raise dienst.fault(f"feiten.{known[0][0]}.bekend", "opgaven are needed, and a rule of the patroon samenloop")
    if dienst.opgaven is None:
        return
    if not known or "houder" not in listed[dienst.opgaven.soort]:
        raise dienst.fault("opgaven", "a feit that may be bekend is needed, and houder among the listed velden")
    for i, soort, bekend in known:
        for place, text in bekend_faults(bekend, listed[soort], listed[dienst.opgaven.soort]):
            raise dienst.fault(".".join(map(str, ("feiten", i, "bekend", *place))), text)


def _listed_fields(catalogue: Catalogue, dienst: Dienst, key: str, part: Basisfeit | Feitsoort | Einde | Opgave) -> dict[str, Any]:
    """The Avro types of the fields that a dienst uses of a soort, by name."""
    topic = catalogue.mutatie_topics[part.soort]
    known, names = feit_fields(catalogue.latest_schema(topic.topic)), [v.veld for v in part.velden]
    for i, name in enumerate(names):
        if name not in known:
            raise dienst.fault(f"{key}.velden.{i}", f"{name} is not in the schema of {part.soort}")
        if name in names[:i]:
            raise dienst.fault(f"{key}.velden.{i}", f"{name} is named twice")
    if topic.onbekende_datums is not None and ONZEKER not in names:
        raise dienst.fault(f"{key}.velden", f"{ONZEKER} is needed: dates of {part.soort} may be known in part only")
    return {name: known[name]["type"] for name in names}
