"""Golden records: read by fastavro and by Apache's own reader with the same result, and written again to the same bytes."""

import io
import json
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
import fastavro
import msgspec
import pytest

from schemas.catalogue import Catalogue, feit_fields
from schemas.codec import Codec, decode_signaal, encode_signaal
from tests.contract.examples import AVRO, HEADER, MUTATIES, SIGNALEN, Example, examples

EPOCH = date(1970, 1, 1).toordinal()
AVSC = Path(__file__).parents[2] / "schemas" / "avro"

# What has been published never changes: a new version gets a new id and a line of its own.
PUBLISHED = {
    1: ("mutaties.gemeente.bijstand.v1.avsc", "cadb136482e5b06484cb34f25ad3844923863b14ffc72787444fbef78dc9e6d8"),
    2: ("mutaties.uwv.inkomstenverhouding.v1.avsc", "e13c90bb08784ddfc2c4842d4aa4fa624824d5990c4bd8d427e30b48d0b79e1b"),
    3: ("mutaties.uwv.inkomstenopgave.v1.avsc", "9f46f103ad3b6055a31d895726e914aa297dd778e2b9129837cc71b89a28172f"),
    4: ("mutaties.uwv.inkomstenopgave.v2.avsc", "b3e0dce3e390f5c8b7f92af4afc2e8b9daae599c435bed682c6cd6a27d5c7dd3"),
    5: ("mutaties.uwv.uitkering.v1.avsc", "a08d13fb3f5804f04fb3ac2190f843689e666c9a143e86912a8bb37b747976a0"),
    6: ("mutaties.svb.pensioen.v1.avsc", "5dc660b245107f23abc8a0228424416559fa9aff27608bf24884090ed707a031"),
    7: ("mutaties.duo.studiefinanciering.v1.avsc", "fae5dd6e50d795735057beabca05077bea83309b61fa7747ca15a911ff46fb20"),
    10: ("mutaties.gemeente.jongere.v1.avsc", "7b11a5340094ab3e5aba0f5785eacc21dc32a5816c042e19083ea8c04faf1e2d"),
    11: ("mutaties.duo.inschrijving.v1.avsc", "e26fa75c84ead6d2104b46c6fe47887ee4c8369b2e8f0ec0527218710be5c1b8"),
    12: ("mutaties.duo.startkwalificatie.v1.avsc", "737211e70c3d0a8ed8d4b1309640df1839ae2b2f09f6879b4d1628e519a98c87"),
    20: ("mutaties.rdw.voertuig.v1.avsc", "d54fe5171457bc8126edf256724b181d1484800fb7c32a872fcbc29eca9541a4"),
    21: ("mutaties.belastingdienst.vermogen.v1.avsc", "c8af48b1f3e3c6d4306cb4883c61df8369703803538b0675f74afac8c2dfb53c"),
    22: ("mutaties.dji.detentie.v1.avsc", "b3278fa71552ec593a43aeb665721742d03911cc38eedfe5d4c00c4ff9e53561"),
    23: ("mutaties.duo.hogeronderwijs.v1.avsc", "bacd4321bbc004839478a13fcd80505215f82d08b72b17ad5afa1ea82c8c9f02"),
    24: ("mutaties.svb.aio.v1.avsc", "4929f5cbb4d0771e704b9f0469bbd2cc0ee1825c1fdc4a5ac8eb1151dec868f6"),
    25: ("mutaties.rmc.overstap.v1.avsc", "dd80f1f23e4ed9cc45981b5d6ab7a862e79f5d56eec45129fef9928b1967c6c3"),
    60: ("terugmeldingen.v1.avsc", "ffa697578229e5d121579ec36415a1baeea57d76fe8be664fea94ae708686225"),
    61: ("afhandelingen.v1.avsc", "b25864df919536608d035309cd133040322dd77cb6fdecdc1859750e990e8c56"),
    62: ("nummerwijzigingen.v1.avsc", "cc7fa273e09306da6b59d3d73748fa8448034517fab3a1136543aa238b6efce9"),
    107: ("overdrachten.v1.avsc", "a5c421417d755f5d505277d073fe1a0ceb7a03cfbec878c1c1f6adca1624817f"),
    114: ("overdrachten.v2.avsc", "2465af3319aa1acc13c8fbae27c8343e068c7bb6a9079ee71739d9f7d2d98917"),
    30: ("mutaties.gemeente.terugvordering.v1.avsc", "60e2598b666e86c9c8600a1834140759c7bb293b1dc17daf3db014b7cad10086"),
    40: ("mutaties.gemeente.regelingaanvraag.v1.avsc", "ab4ef74dc57eb03eb5a0d79c0cf21dade88de4461e4c35f0e05e12085253e1ba"),
    41: ("mutaties.invorderaar.beslagverzoek.v1.avsc", "caebcc3ee8284412d0022c639974eb9caf518cdeea5d9fb873bd011e74e7260a"),
    42: ("mutaties.rvig.huishouden.v1.avsc", "56a8997df36d87b9f4122c87e54a2042493320f475d27d536f772ba6e5dbccbc"),
    43: ("mutaties.gemeente.voorzieningaanvraag.v1.avsc", "dfda8427dc7ccb020f664e12a32c137749b7011ca3c16776b277bb61f7b50db2"),
    44: ("mutaties.invorderaar.kwijtscheldingsaanvraag.v1.avsc", "17a0138fe70abb1956a8e191956ae94baf9c15c3ebd53e444072213ca9b35572"),
    45: ("mutaties.rvig.overlijden.v1.avsc", "a1f44b9415fc31d6246bc8eb70c9934db6e010da56fef5a2c5d1712b2a0ccaea"),
    46: ("mutaties.gemeente.opgegeveninkomen.v1.avsc", "bce19b3770da4c78b3a77713b875a3cb9da89a44a70eed10ff1e174815f23024"),
    111: ("mutaties.svb.pensioen.v2.avsc", "0bf9d3e3b99276c4d21a6e6412b0dbda03366ae57a714e08fa864dea68e58439"),
    112: ("mutaties.uwv.uitkering.v2.avsc", "a2d52cd130894559216b558dddbb4fc659617968e0ebc00de5b3082e089d8bea"),
    100: ("klok.v1.avsc", "f82cfc3c6add6b6dc435beb48c4317b138c3d1e35c934b3fafea258b9382f3bf"),
    101: ("volgverzoeken.v1.avsc", "4691e222b2add6821708088ee49fec643abc353d1d4fd9471b31b289fc6fc893"),
    102: ("signalen.v1.avsc", "2fafb31e6de2536eb2275d256269e41e1879e439b9868fe6a1b08360002e0b0b"),
    106: ("signalen.v2.avsc", "fcc8619c7e04cb6a403dd83b6c5c1ef3d94060774def88a41b31366e3e8b90ff"),
    113: ("signalen.v3.avsc", "9c62c4946a906ef929b6e475373b6126d0ec668853a684d85b5eefa7b4d5563a"),
}


def plain(value: Any) -> Any:
    """Dates and times as the numbers that Apache's reader returns."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, datetime):
        return int(value.timestamp()) * 1000 + value.microsecond // 1000
    return value.toordinal() - EPOCH if isinstance(value, date) else value


def readable(value: Any) -> Any:
    """Dates and times as a golden record states them."""
    if isinstance(value, dict):
        return {k: readable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [readable(v) for v in value]
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.decode("latin-1")  # as Avro's own JSON has it
    return value.isoformat() if isinstance(value, date) else value


def by_apache(definition: Any, body: bytes) -> tuple[Any, int]:
    """The value that Apache's reader finds, and how many bytes it took."""
    source = io.BytesIO(body)
    reader = avro.io.DatumReader(avro.schema.Parse(json.dumps(definition)))
    return reader.read(avro.io.BinaryDecoder(source)), source.tell()


@pytest.mark.parametrize("example", AVRO, ids=str)
def test_fastavro_and_apaches_reader_read_the_same(example: Example, catalogue: Catalogue) -> None:
    ours = Codec(catalogue).decode(example.raw)
    theirs, taken = by_apache(catalogue.schemas[example.schema_id].definitie, example.raw[HEADER:])
    assert plain(ours) == theirs
    assert taken == len(example.raw) - HEADER


@pytest.mark.parametrize("example", AVRO, ids=str)
def test_a_golden_record_is_read_as_it_is_stated(example: Example, catalogue: Catalogue) -> None:
    codec = Codec(catalogue)
    assert codec.schema_of(example.raw).id == example.schema_id
    assert readable(codec.decode(example.raw)) == example.value


@pytest.mark.parametrize("example", AVRO, ids=str)
@pytest.mark.parametrize("logical", [True, False], ids=["dates", "numbers"])
def test_a_golden_record_is_written_to_the_same_bytes(example: Example, catalogue: Catalogue, *, logical: bool) -> None:
    codec = Codec(catalogue)
    value = codec.decode(example.raw)
    assert codec.encode(example.schema_id, value if logical else plain(value), logical=logical) == example.raw


@pytest.mark.parametrize("example", AVRO, ids=str)
def test_apaches_writer_makes_the_same_bytes(example: Example, catalogue: Catalogue) -> None:
    out = io.BytesIO()
    schema = avro.schema.Parse(json.dumps(catalogue.schemas[example.schema_id].definitie))
    avro.io.DatumWriter(schema).write(plain(Codec(catalogue).decode(example.raw)), avro.io.BinaryEncoder(out))
    assert out.getvalue() == example.raw[HEADER:]


@pytest.mark.parametrize("example", MUTATIES, ids=str)
def test_the_engine_takes_every_golden_mutatie(example: Example, catalogue: Catalogue) -> None:
    mutatie = Codec(catalogue).decode_mutatie(example.topic, example.raw)
    assert (mutatie.record_id, mutatie.versie) == (example.value["record_id"], example.value["versie"])
    assert (mutatie.feit is None) == (example.value["feit"] is None)


@pytest.mark.parametrize("example", [e for e in AVRO if e.topic.startswith("volgverzoeken.")], ids=str)
def test_a_bron_reads_every_golden_volgverzoek(example: Example, catalogue: Catalogue) -> None:
    codec = Codec(catalogue)
    volgverzoek = codec.decode_volgverzoek(example.raw)
    assert [v.dienst for v in volgverzoek.volgt] == [v["dienst"] for v in example.value["volgt"]]
    assert codec.encode_volgverzoek(volgverzoek) == example.raw


@pytest.mark.parametrize("example", [e for e in AVRO if e.topic.startswith("terugmeldingen.")], ids=str)
def test_every_golden_terugmelding_is_read_and_written_to_the_same_bytes(example: Example, catalogue: Catalogue) -> None:
    codec = Codec(catalogue)
    terugmelding = codec.decode_terugmelding(example.raw)
    assert (terugmelding.signaal_id, terugmelding.stand) == (example.key, example.value["stand"])
    assert codec.encode_terugmelding(terugmelding) == example.raw


def test_the_engine_reads_the_golden_afhandeling_and_it_is_written_to_the_same_bytes(catalogue: Catalogue) -> None:
    (example,) = [e for e in AVRO if e.topic == "afhandelingen"]
    codec = Codec(catalogue)
    assert codec.decode_afhandeling(example.raw).signaal_id == example.value["signaal_id"]
    assert codec.encode_afhandeling(codec.decode_afhandeling(example.raw)) == example.raw


@pytest.mark.parametrize("example", [e for e in AVRO if e.topic == "nummerwijzigingen"], ids=str)
def test_the_engine_reads_every_golden_nummerwijziging_and_it_is_written_to_the_same_bytes(example: Example, catalogue: Catalogue) -> None:
    codec = Codec(catalogue)
    assert codec.decode_nummerwijziging(example.raw).nieuw == example.value["nieuw"]
    assert codec.encode_nummerwijziging(codec.decode_nummerwijziging(example.raw)) == example.raw


@pytest.mark.parametrize("example", [e for e in AVRO if e.topic.endswith("-overdrachten")], ids=str)
def test_the_engine_reads_every_golden_overdracht_and_writes_it_by_the_newest_schema(example: Example, catalogue: Catalogue) -> None:
    codec = Codec(catalogue)
    overdracht = codec.decode_overdracht(example.raw)
    assert [b.record_id for b in overdracht.bekend] == [b["record_id"] for b in example.value["bekend"]]
    newest = catalogue.latest_schema(example.topic).id
    assert [b.aangehouden is None for b in overdracht.bekend] == [b.get("aangehouden") is None for b in example.value["bekend"]]
    written = codec.encode_overdracht(overdracht)
    assert codec.decode_overdracht(written) == overdracht
    assert (written == example.raw) == (example.schema_id == newest)


def test_the_engine_reads_the_golden_tick(catalogue: Catalogue) -> None:
    (tick,) = [e for e in AVRO if e.topic == "klok"]
    assert date.fromordinal(EPOCH + Codec(catalogue).decode_klok(tick.raw)).isoformat() == tick.value["datum"]


@pytest.mark.parametrize("example", SIGNALEN, ids=str)
def test_a_golden_signaal_is_read_as_stated_and_written_to_the_same_bytes(example: Example) -> None:
    signaal = decode_signaal(example.raw)
    assert json.loads(msgspec.json.encode(signaal)) == json.loads(example.raw) == example.value
    assert encode_signaal(signaal) == example.raw


@pytest.mark.parametrize("example", SIGNALEN, ids=str)
def test_a_golden_signaal_has_the_fields_of_its_avro_schema_in_their_order(example: Example, catalogue: Catalogue) -> None:
    definition = catalogue.schemas[example.schema_id].definitie
    assert list(example.value) == [f["name"] for f in definition["fields"]]
    out = io.BytesIO()
    fastavro.schemaless_writer(out, json.loads(json.dumps(definition)), example.value, strict=True)
    assert by_apache(definition, out.getvalue())[0] == example.value


@pytest.mark.parametrize("schema_id", PUBLISHED)
def test_every_schema_has_golden_records(schema_id: int, catalogue: Catalogue) -> None:
    schema = catalogue.schemas[schema_id]
    values = [e.value for e in examples() if e.schema_id == schema_id]
    assert values
    if schema.topic.topic.startswith("mutaties."):
        feiten = [v["feit"] for v in values]
        assert None in feiten, "one that is INGETROKKEN"
        assert any(f and f["einddatum"] is None for f in feiten), "one that is open-ended"
        assert any(f and f["einddatum"] for f in feiten), "one that has ended"
        for name, field in feit_fields(schema).items():
            assert any(f and f[name] is not None for f in feiten), f"one with {name}"
            assert not isinstance(field["type"], list) or any(f and f[name] is None for f in feiten), f"one without {name}"
    if schema.topic.topic.startswith("signalen."):
        (soort,) = [f["type"] for f in schema.definitie["fields"] if f["name"] == "soort"]
        assert {v["soort"] for v in values} == set(soort["symbols"])


@pytest.mark.parametrize("example", examples(), ids=str)
def test_a_golden_record_belongs_to_a_schema_and_its_topic(example: Example, catalogue: Catalogue) -> None:
    schema = catalogue.schemas[example.schema_id]
    assert example.name.startswith(schema.bestand.removesuffix(".avsc"))
    assert example.topic.split(".")[0] == schema.topic.topic.split(".")[0]
    assert example.topic == schema.topic.topic or "<" in schema.topic.topic


def test_no_schema_file_without_a_topic(catalogue: Catalogue) -> None:
    assert {p.name for p in AVSC.iterdir()} == {s.bestand for s in catalogue.schemas.values()}


@pytest.mark.parametrize("schema_id", PUBLISHED)
def test_a_published_schema_never_changes(schema_id: int, catalogue: Catalogue) -> None:
    bestand = catalogue.schemas[schema_id].bestand
    assert (bestand, sha256((AVSC / bestand).read_bytes()).hexdigest()) == PUBLISHED[schema_id]


def test_every_schema_of_the_catalogue_is_published(catalogue: Catalogue) -> None:
    assert catalogue.schemas.keys() == PUBLISHED.keys()
