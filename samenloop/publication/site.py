"""The site: every page, schema and example of the published catalogue, by the path of its file. The same catalogue gives the same bytes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from samenloop.publication.asyncapi import asyncapi_of, channel_of
from samenloop.publication.examples import Example, golden_of, signalen_of
from samenloop.publication.json_schemas import mutatie_schema, signaal_schema
from samenloop.publication.lineage import lineage_of
from samenloop.publication.words import ONTVANGERS, UITLEG, duration, heading, inline, rule_of, who_receives
from schemas.catalogue import Catalogue, Deel, Dienst, Ontvanger, Topic, feit_fields

_SIGNALEN: Final = ("signalen.v1", "signalen.v2", "signalen.v3")


@dataclass(frozen=True)
class Content:
    """What the pages are made of."""

    catalogue: Catalogue
    golden: Mapping[str, Example]
    signalen: Mapping[tuple[str, str], list[dict[str, Any]]]  # (dienst, soort) → examples
    signaal: Mapping[str, Mapping[str, Any]]  # the JSON Schema of each kind of signal

    def users(self, soort: str) -> list[tuple[Dienst, Deel]]:
        """The diensten that use a soort, each with the part of it that says how."""
        parts = ((d, part) for d in self.catalogue.diensten.values() for part in d.delen)
        return [(d, part) for d, part in parts if part.soort == soort]

    def bronnen_of(self, dienst: Dienst) -> list[str]:
        """The names of the bronnen whose records a dienst uses, each once."""
        return list(dict.fromkeys(self.catalogue.bron_of(part.soort).naam for part in dienst.delen))

    def manner(self, topic: Topic) -> str:
        """On whose initiative records of a soort come to the node, in Dutch."""
        if any(d.basisfeit.soort == topic.soort for d in self.catalogue.diensten.values()):
            return "Geeft de grondslag om iemand te volgen."
        if any(d.opgaven is not None and d.opgaven.soort == topic.soort for d in self.catalogue.diensten.values()):
            return "De bron levert over wie een uitkering van haar heeft, en heeft dit zelf geregistreerd."
        if self.catalogue.bron_of(topic.soort).filtert_zelf:
            return "De bron levert zelf alleen over mensen die gevolgd worden."
        return "De bron levert over wie gevolgd wordt, op verzoek van het knooppunt; van ieder ander wordt niets bewaard."

    def fields(self, topic: Topic) -> dict[str, str]:
        """The fields of a feit and what they mean, in Dutch."""
        return {name: topic.velden.get(name) or UITLEG[name] for name in feit_fields(self.catalogue.latest_schema(topic.topic))}

    def writer_of(self, topic: Topic) -> str:
        """Who writes a topic, in Dutch."""
        bron = self.catalogue.bronnen[topic.eigenaar]
        return "De ontvanger" if topic.topic.startswith("terugmeldingen.") else f"{bron.naam} (OIN {bron.oin})"

    def diensten_of(self, ontvanger: Ontvanger) -> list[Dienst]:
        """The diensten whose signals an ontvanger gets."""
        return [d for d in self.catalogue.diensten.values() if ontvanger.soort in d.ontvanger.soorten]

    def voorgangers_of(self, ontvanger: Ontvanger) -> list[Ontvanger]:
        """Those whose dossiers it took over."""
        return [o for o in self.catalogue.ontvangers.values() if o.opgegaan_in == ontvanger.id]

    def examples_of(self, topic: Topic) -> list[Example]:
        """The golden records of a topic, those of its newest schema first."""
        return [e for ref in reversed(topic.schemas) for e in self.golden.values() if e.schema_id == ref.id]


def site_of(root: Path) -> dict[str, bytes]:
    """All files of the site for the catalogue in the folder ``root``, by path; raises CatalogueError."""
    catalogue = Catalogue.load(root)
    golden = golden_of(root)
    signaal = {name: json.loads((root / "json" / f"{name}.schema.json").read_text(encoding="utf-8")) for name in _SIGNALEN}
    content = Content(catalogue, golden, signalen_of(catalogue, golden), signaal)
    return dict(sorted([*_pages(content), *_schemas(content), *_messages(content), *_asyncapi(content)]))


def _pages(content: Content) -> Iterator[tuple[str, bytes]]:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("samenloop.publication"), PackageLoader("streams.audit")]),  # the reports share the look
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        content=content,
        catalogue=content.catalogue,
        kinds=ONTVANGERS,
        who_receives=who_receives,
        rule_of=rule_of,
        lineage_of=lineage_of,
        channel_of=channel_of,
        writer_of=content.writer_of,
    )
    environment.filters.update(duration=duration, inline=inline, heading=heading, shown=_shown)

    def page(path: str, template: str, **given: object) -> tuple[str, bytes]:
        root = "../" * path.count("/")
        return path, environment.get_template(f"{template}.html.jinja").render(path=path, root=root, **given).encode()

    for name in ("index", "gegevens", "herkomst", "topics", "ontvangers", "techniek"):
        yield page(f"{name}.html", name)
    for dienst in content.catalogue.diensten.values():
        yield page(f"diensten/{dienst.dienst}.html", "dienst", dienst=dienst)
    for topic in content.catalogue.topics.values():
        yield page(f"topics/{channel_of(topic)}.html", "topic", topic=topic)
    for ontvanger in content.catalogue.ontvangers.values():
        yield page(f"ontvangers/{ontvanger.id}.html", "ontvanger", ontvanger=ontvanger)
    yield "style.css", "".join(environment.get_template(name).render() for name in ("style.css", "site.css")).encode()


def _schemas(content: Content) -> Iterator[tuple[str, bytes]]:
    for path, data in content.catalogue.bestanden.items():
        if path.startswith("avro/"):
            yield f"schemas/{path.removeprefix('avro/')}", data
    for schema in content.catalogue.schemas.values():
        if schema.topic.waarde == "avro":
            yield f"schemas/{schema.bestand.removesuffix('.avsc')}.schema.json", _shown(mutatie_schema(schema)).encode()
    for name, found in content.signaal.items():
        yield f"schemas/{name}.schema.json", _shown(found).encode()
    for dienst in content.catalogue.diensten.values():
        yield f"schemas/signaal.{dienst.dienst}.schema.json", _shown(signaal_schema(content.catalogue, dienst)).encode()


def _messages(content: Content) -> Iterator[tuple[str, bytes]]:
    for example in content.golden.values():
        shown = {k: getattr(example, k) for k in ("topic", "schema_id", "key", "headers")}
        yield f"voorbeelden/{example.name}.json", _shown(shown | {"value_hex": example.raw.hex(), "value": example.value}).encode()
    for (dienst, soort), signalen in content.signalen.items():
        yield f"voorbeelden/{dienst}.{soort}.json", _shown(signalen).encode()


def _asyncapi(content: Content) -> Iterator[tuple[str, bytes]]:
    document = asyncapi_of(content.catalogue, content.signaal, content.golden, [s for found in content.signalen.values() for s in found])
    text = _shown(document)
    yield "asyncapi.json", text.encode()
    plain = json.loads(text)  # without parts that are shared, which YAML would write as aliases
    yield "asyncapi.yaml", yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=120).encode()


def _shown(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=dict).translate(_UNSEEN) + "\n"


_UNSEEN: Final = {n: f"\\u{n:04x}" for n in range(0x7F, 0xA0)}  # bytes in a golden record: no page may have them, and JSON need not
