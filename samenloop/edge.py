"""What the commands of a bron share: the key of the pseudonyms, and a reader of the lines of a soort."""

from collections.abc import Iterable

from connectors.bronnen.lines import LineReader
from connectors.bronnen.numbers import NUMMERWIJZIGING, NumberReader
from connectors.bronnen.pseudonym import KeyFileError, Pseudonymiser, read_key, read_or_make_key
from connectors.bronnen.publish import Message, Reader
from samenloop.errors import NotDoneError
from samenloop.settings import Settings
from schemas.catalogue import Catalogue


def pseudonymiser_of(settings: Settings) -> Pseudonymiser:
    """Made with the key of the settings; raises NotDoneError.

    Only the data directory's own key is made when absent: behind a mistyped name, a new key would silently make strangers of all persons.
    """
    try:
        key = read_key(settings.sleutel) if settings.sleutel else read_or_make_key(settings.sleutelbestand)
    except KeyFileError as e:
        raise NotDoneError(f"key: {e}") from e
    return Pseudonymiser(key)


def publisher_of(settings: Settings, catalogue: Catalogue, soort: str) -> Reader[Message]:
    """Reads the lines of ``soort``, that of a number that changed among them; raises NotDoneError."""
    if soort == NUMMERWIJZIGING:
        return NumberReader(catalogue, pseudonymiser_of(settings))
    return reader_of(settings, catalogue, soort, (NUMMERWIJZIGING,))


def reader_of(settings: Settings, catalogue: Catalogue, soort: str, besides: Iterable[str] = ()) -> LineReader:
    """Reads the lines of ``soort``; raises NotDoneError, which names ``besides`` too."""
    if soort not in catalogue.mutatie_topics:
        raise NotDoneError(f"there is no {soort} in the catalogue; there are: {', '.join(sorted({*catalogue.mutatie_topics, *besides}))}")
    return LineReader(catalogue, soort, pseudonymiser_of(settings))
