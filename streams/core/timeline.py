"""What the node knows of one persoon: the versions of records, what was sent about them, and what was asked of bronnen.

A timeline is frozen and is kept as rows of bytes; a change makes a new one. The basisfeiten and what ends them, few and needed for every
mutatie, stand in the head, in the order in which they first came: what was sent refers to them by position. The feiten stand in pages. Of
most persons there is one, which the head holds; of a persoon with many records there are as many as keep a page small, so that a mutatie
reads, writes and sends to the log one small page, however many there are. Pages are read when they are asked for. A row of its own says
when the klok next matters to a persoon, so that these days can be told from all rows without reading any other.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain
from typing import Final
from zlib import crc32

import msgspec
from msgspec.structs import replace

from streams.core.due import Due, due_key, due_of
from streams.core.page import Page
from streams.core.record import Record, forgotten
from streams.core.rulebook import Soort

PAGE: Final = 24  # feiten; a page that holds more leads to twice as many pages, unless these are half empty

Read = Callable[[bytes], bytes | None]


class Follow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The last volgverzoek to one bron: its version, and per dienst (by nummer) the first day that counts."""

    versie: int
    since: tuple[tuple[int, int], ...]


Held = Mapping[int, Mapping[bytes, int]]  # nummer of the soort → packed name of a record that is held → see held.py


class Nummer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of the number of a persoon, and which personen became this one."""

    versie: int = 0  # of the newest nummerwijziging; 0: there was none
    nieuw: bytes | None = None  # the persoon that this one became
    over: bool = False  # whether anything went over to that one
    eerder: tuple[bytes, ...] = ()  # personen of whom something is known here


NO_NUMMER: Final = Nummer()
Handled = Mapping[bytes, tuple[bytes, ...]]  # name of a signaal → digests of what it said when the ontvanger was done with it


class Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The first row of a persoon."""

    gronden: dict[int, tuple[Record, ...]] = {}  # nummer of the soort → basisfeiten, and what else counts for all pairs
    follows: dict[str, Follow] = {}  # bron → volgverzoek
    pages: int = 1
    page: Page = Page()  # while there is one
    handled: Handled = {}  # in most rows there is none, and then nothing of it stands in the row
    nummer: Nummer = NO_NUMMER  # the same
    held: Held = {}  # the same


class Timeline(msgspec.Struct, frozen=True, gc=False):
    """All of one persoon."""

    persoon: bytes
    head: Head
    read: Read
    loaded: dict[int, Page]  # those pages beside the head's that were asked for, as they are now
    changed: frozenset[int]  # numbers of the pages that differ from their rows, and _HEAD
    later: Due | None = None  # when that has changed: see due

    def of(self, soort: Soort) -> Iterable[Record]:
        """The records of a soort; those in the head in the order of their positions."""
        if soort.in_kop:
            return self.head.gronden.get(soort.nummer, ())
        return chain.from_iterable(page.of(soort) for page in self.pages())

    def gronden(self, nummer: int) -> tuple[Record, ...]:
        """The basisfeiten of a soort, or the records of another one that stand beside them."""
        return self.head.gronden.get(nummer, ())

    def position(self, nummer: int, name: bytes) -> int:
        """Where the basisfeit of that packed name stands among those of its soort, or will stand."""
        return _position(self.gronden(nummer), name)

    def has_live(self, nummer: int) -> bool:
        """Whether any basisfeit of the soort stands."""
        return any(r.period is not None for r in self.gronden(nummer))

    def find(self, soort: Soort, name: bytes) -> Record | None:
        """The record of that packed name."""
        if soort.in_kop:
            return next((r for r in self.gronden(soort.nummer) if r.name == name), None)
        return self._page(self._number(name)).find(soort, name)

    def with_follows(self, follows: dict[str, Follow]) -> "Timeline":
        """With other volgverzoeken."""
        return replace(self, head=replace(self.head, follows=follows), changed=self.changed | {_HEAD})

    def with_handled(self, handled: Handled) -> "Timeline":
        """With other signalen that were handled."""
        return replace(self, head=replace(self.head, handled=handled), changed=self.changed | {_HEAD})

    def with_nummer(self, nummer: Nummer) -> "Timeline":
        """With another thing known of its number."""
        return replace(self, head=replace(self.head, nummer=nummer), changed=self.changed | {_HEAD})

    @property
    def is_empty(self) -> bool:
        """Whether no record of the persoon is known, and nothing else that may be kept only beside one."""
        return not (self.head.gronden or self.head.follows or self.head.handled or any(page.size for page in self.pages()))

    def with_held(self, soort: Soort, name: bytes, day: int | None) -> "Timeline":
        """With a record held that was first registered on a day, or no longer held."""
        mine = {n: d for n, d in self.head.held.get(soort.nummer, {}).items() if n != name} | ({} if day is None else {name: day})
        others = {n: held for n, held in self.head.held.items() if n != soort.nummer}
        held = {**others, soort.nummer: mine} if mine else others
        return replace(self, head=replace(self.head, held=held), changed=self.changed | {_HEAD})

    @property
    def due(self) -> Due:
        """The next days of the klok that matter to the persoon."""
        return due_of(self.read(due_key(self.persoon))) if self.later is None else self.later

    def with_due(self, due: Due) -> "Timeline":
        """With other days of the klok that matter."""
        return self if due == self.due else replace(self, later=due)

    def with_records(self, soorten: Mapping[int, Soort], records: Iterable[tuple[Soort, Record]]) -> "Timeline":
        """With each of ``records`` in the place of the one of that name, or behind the others; ``soorten`` are all that there are."""
        gronden, pages, full = self.head.gronden, dict[int, Page](), False
        for soort, record in records:
            if soort.in_kop:
                gronden = {**gronden, soort.nummer: _put(gronden.get(soort.nummer, ()), record)}
                continue
            number = self._number(record.name)
            page = pages[number] = (pages.get(number) or self._page(number)).put(soort, record)
            full = full or page.size > PAGE
        after = self._with(gronden, pages)
        return _divided(after, soorten) if full else after

    def forgetting(self, soorten: Mapping[int, Soort], gone: Collection[int]) -> "Timeline":
        """Of the soorten ``gone`` only what ``forgotten`` leaves of records about which signals went out, and nothing of the others."""
        pages, gronden = {}, {n: records for n, records in self.head.gronden.items() if n not in gone}
        for number, page in enumerate(self.pages()):
            if page.feiten.keys() & gone:
                kept = Page()
                for nummer in page.feiten:
                    for r in page.of(soorten[nummer]):
                        if nummer not in gone or r.sent:
                            kept = kept.put(soorten[nummer], forgotten(r) if nummer in gone else r)
                pages[number] = kept
        after = self._with(gronden, pages) if pages or len(gronden) < len(self.head.gronden) else self
        held = {n: names for n, names in after.head.held.items() if n not in gone}
        return after if held == after.head.held else replace(after, head=replace(after.head, held=held), changed=after.changed | {_HEAD})

    def rows(self) -> dict[bytes, bytes | None]:
        """What is to be written where: the head, and the pages that have changed. None where nothing is left to keep."""
        head, rows = self.head, dict[bytes, bytes | None]()
        if head.pages == 1 or _HEAD in self.changed:
            kept = head.gronden or head.follows or head.pages > 1 or head.page.size or head.nummer != NO_NUMMER
            rows[self.persoon] = _encode(_form(head)) if kept else None
        for n in self.changed - {_HEAD}:
            rows[_key(self.persoon, n)] = _encode(self.loaded[n]) if self.loaded[n].size else None
        if self.later is not None:
            key, row = due_key(self.persoon), self.later.row()
            rows |= {} if row == self.read(key) else {key: row}
        return rows

    def _number(self, name: bytes) -> int:
        return 0 if self.head.pages == 1 else crc32(name) % self.head.pages

    def _page(self, number: int) -> Page:
        if self.head.pages == 1:
            return self.head.page
        page = self.loaded.get(number)
        if page is None:
            data = self.read(_key(self.persoon, number))
            page = self.loaded[number] = Page() if data is None else _decode_page(data)
        return page

    def pages(self) -> list[Page]:
        """All pages."""
        return [self._page(number) for number in range(self.head.pages)]

    def _with(self, gronden: dict[int, tuple[Record, ...]], new: dict[int, Page]) -> "Timeline":
        head = self.head
        if head.pages == 1:
            return replace(self, head=Head(gronden, head.follows, 1, new.get(0, head.page), head.handled, head.nummer, head.held))
        changed = self.changed | new.keys()
        if gronden is not head.gronden:
            head, changed = replace(head, gronden=gronden), changed | {_HEAD}
        return replace(self, head=head, loaded={**self.loaded, **new}, changed=changed)


def timeline_of(persoon: bytes, read: Read) -> Timeline:
    """The timeline of ``persoon`` from its rows, which ``read`` gives by key; raises msgspec.DecodeError."""
    data = read(persoon)
    return Timeline(persoon, _EMPTY if data is None else _decode_head(data), read, {}, _UNCHANGED)


def _divided(timeline: Timeline, soorten: Mapping[int, Soort]) -> Timeline:
    """Over twice as many pages, unless these are half empty: then it is names that fall together."""
    old, head = timeline.pages(), timeline.head
    if 2 * sum(page.size for page in old) <= PAGE * len(old):
        return timeline
    new = dict.fromkeys(range(2 * len(old)), Page())
    for page in old:
        for nummer in page.feiten:
            for record in page.of(soorten[nummer]):
                number = crc32(record.name) % len(new)
                new[number] = new[number].put(soorten[nummer], record)
    changed = timeline.changed | {_HEAD, *new}
    return replace(timeline, head=replace(head, pages=len(new), page=Page()), loaded=new, changed=changed)


def _form(head: Head) -> tuple[object, ...]:
    """Where nothing was handled or is held, and no number changed, the row is what it was before there were such things.

    So the native core leaves exactly the others.
    """
    plain = head.gronden, head.follows, head.pages, head.page
    if head.held:
        return *plain, head.handled, head.nummer, head.held
    if head.nummer != NO_NUMMER:
        return *plain, head.handled, head.nummer
    return (*plain, head.handled) if head.handled else plain


def _position(records: tuple[Record, ...], name: bytes) -> int:
    return next((i for i, r in enumerate(records) if r.name == name), len(records))


def _put(records: tuple[Record, ...], record: Record) -> tuple[Record, ...]:
    position = _position(records, record.name)
    return (*records[:position], record, *records[position + 1 :])


def persoon_of(key: bytes) -> bytes:
    """Whose row it is."""
    return key.partition(b".")[0]


def is_head(key: bytes) -> bool:
    """Whether a row is the first one of its persoon; there is no full stop in a pseudonym."""
    return b"." not in key


def keys_of(persoon: bytes, pages: int) -> list[bytes]:
    """The keys of the rows of a persoon whose feiten stand in so many pages."""
    return [persoon, *(_key(persoon, n) for n in range(pages if pages > 1 else 0)), due_key(persoon)]


def _key(persoon: bytes, page: int) -> bytes:
    return b"%b.%d" % (persoon, page)


_EMPTY: Final = Head()
_HEAD: Final = -1  # among the numbers of pages that have changed
_UNCHANGED: Final[frozenset[int]] = frozenset()
_encode = msgspec.msgpack.Encoder().encode
_decode_head = msgspec.msgpack.Decoder(Head).decode
_decode_page = msgspec.msgpack.Decoder(Page).decode
