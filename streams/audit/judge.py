"""What the replay of a partition makes beside what was sent because of it: signals, volgverzoeken and what was refused."""

from collections.abc import Callable, Mapping

import msgspec

from schemas.codec import Codec, WireError
from streams.audit.archive import Archive
from streams.audit.compare import Comparison, Unsent
from streams.audit.packed import DIGEST, digests_of, packed_files
from streams.audit.sent import NOTHING, VOLGVERZOEKEN, Sent
from streams.effects import Effects, Encoded, Row
from streams.encoded import as_one, encode_rows, row_of, rows_in

SIGNALEN = "signalen."


class Judge:
    """Compares the topics that ``compares`` says; with ``dienst``, of signals only those of that dienst."""

    def __init__(
        self, archive: Archive, partition: int, sent: Mapping[str, Sent], compares: Callable[[str], bool], dienst: str | None = None
    ) -> None:
        self._archive, self._partition = archive, partition
        self._sent = sent
        self._compares = compares
        self._dienst = dienst
        self._newest: dict[str, dict[bytes, int]] = {}

    def take(self, effects: Effects, compared: dict[str, Comparison], codec: Codec, *, counts: bool) -> int:
        """Compare what was made, in the scope if it ``counts``; returns the number of signals."""
        looked_at = [t for t, _ in effects.messages if self._compares(t) and (counts or t.startswith(VOLGVERZOEKEN))]
        made = [(topic, self._chosen(messages)) for (topic, _), messages in effects.messages.items() if topic in looked_at]
        digests = digests_of(as_one(records for _, records in made))
        at = signals = 0
        for topic, records in made:
            end = at + DIGEST * records.count
            comparison = compared.setdefault(topic, Comparison())
            same = comparison.same
            unsent = comparison.take(self._sent.get(topic, NOTHING), records, digests[at:end])
            if counts:
                self._miss(topic, comparison, unsent, codec)
            else:
                comparison.same = same
            signals += records.count if topic.startswith(SIGNALEN) else 0
            at = end
        if effects.erased:
            self._erased(effects, compared)
        return signals

    @staticmethod
    def _erased(effects: Effects, compared: dict[str, Comparison]) -> None:
        """What was asked about personen who are erased: Kafka may have cleaned it up, and later the null as well."""
        for (topic, _), messages in effects.messages.items():
            if topic in compared and topic.startswith(VOLGVERZOEKEN):
                compared[topic].excuse({key for key, value, _ in rows_in(messages) if value is None})

    def _chosen(self, messages: list[Row | Encoded]) -> Encoded:
        """Those that are looked at."""
        if self._dienst is None:
            return as_one(messages)
        return encode_rows(row for row in rows_in(messages) if _dienst_of(row[1] or b"").dienst == self._dienst)

    def _miss(self, topic: str, comparison: Comparison, unsent: list[Unsent], codec: Codec) -> None:
        for made in unsent:
            if topic.startswith(VOLGVERZOEKEN) and self._is_superseded(topic, made, codec):
                comparison.optional.add(made.digest)
            else:
                comparison.miss(made)

    def _is_superseded(self, topic: str, made: Unsent, codec: Codec) -> bool:
        """Whether a later volgverzoek about the same persoon stands there: Kafka may have cleaned this one up."""
        if topic not in self._newest:
            self._newest[topic] = self._newest_of(topic, codec)
        key, value, _ = row_of(made.fields)
        return value is None or self._newest[topic].get(key or b"", 0) > _versie(codec, value)

    def _newest_of(self, topic: str, codec: Codec) -> dict[bytes, int]:
        found = dict[bytes, int]()
        for packed in packed_files(self._archive, topic, self._partition, headers=False):
            for key, value in packed.contents():
                found[key or b""] = max(found.get(key or b"", 0), _versie(codec, value))
        return found


def _versie(codec: Codec, value: bytes | None) -> int:
    try:
        return codec.decode_volgverzoek(value).versie
    except WireError:
        return 0


class _Dienst(msgspec.Struct, frozen=True, gc=False):
    dienst: str


_dienst_of = msgspec.json.Decoder(_Dienst).decode
