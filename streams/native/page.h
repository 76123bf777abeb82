// Feiten of one persoon, packed, as page.py keeps them: a mutatie touches one, the others are copied as they are.
#pragma once
#include "mutatie.h"

namespace kern {

// The last version of one signaal that went out.
struct Sent {
    i64 dienst;
    Slice ontvanger;
    i64 basis, versie;
    bool live;  // false after VERVALLEN
    Slice content;
};

// A feit as a record of record.py; its name stands where it was found.
struct Feit {
    Slice name;  // packed
    i64 versie, offset;
    Period period;
    Array<Value> values;
    Array<Sent> sent;
};

struct Feiten {
    i64 nummer;
    Array<u8> names;  // one cell each
    Array<Slice> packed;
    Slice other;         // MessagePack: position → name, of those that are no UUID
    Array<u32> others;   // those positions
    Array<Slice> named;  // and those names

    static constexpr size_t CELL = 16;

    // The position of the feit whose packed name is a UUID's, or -1.
    i64 position(const u8* name) const {
        for (size_t i = 0; i < packed.size; i++)
            if (__builtin_memcmp(names.data + i * CELL, name + 1, CELL) == 0 && !other_name(i)) return i64(i);
        return -1;
    }

    const Slice* other_name(size_t position) const {
        for (size_t i = 0; i < others.size; i++)
            if (others[i] == position) return &named[i];
        return nullptr;
    }

    Slice name(size_t position, Arena& arena) const {
        if (const Slice* other = other_name(position)) return *other;
        u8* name = static_cast<u8*>(arena.alloc(CELL + 1));
        name[0] = 0;
        __builtin_memcpy(name + 1, names.data + position * CELL, CELL);
        return {name, CELL + 1};
    }
};

struct Page {
    Array<Slice> texts;
    Array<i64> uses;
    i64 size = 0;    // feiten
    i64 coming = 0;  // mutaties of the frame about a feit that stands here, or will
    Array<Feiten> feiten;
    bool changed = false;

    Feiten* of(i64 nummer) {
        for (Feiten& f : feiten)
            if (f.nummer == nummer) return &f;
        return nullptr;
    }
};

// Reads, unpacks, packs and writes pages; everything lives in the arena of the frame.
class Pages {
public:
    explicit Pages(Arena& arena) : arena_(arena) {}

    bool read(Reader& in, Page& page) {
        if (msgpack::read_array(in) != 4) return false;
        size_t texts = msgpack::read_array(in);
        page.texts.reserve(arena_, texts + 2), page.uses.reserve(arena_, texts + 2);
        for (size_t n = texts; n && in.ok; n--) page.texts.push(arena_, msgpack::read_str(in));
        for (size_t n = msgpack::read_array(in); n && in.ok; n--) page.uses.push(arena_, msgpack::read_int(in));
        page.size = msgpack::read_int(in);
        for (size_t n = msgpack::read_map(in); n && in.ok; n--)
            if (!read_feiten(in, page.feiten.push(arena_, Feiten{}))) return false;
        return in.ok && page.texts.size == page.uses.size;
    }

    void write(Buffer& out, const Page& page) const {
        msgpack::array(out, 4);
        msgpack::array(out, page.texts.size);
        for (Slice text : page.texts) msgpack::str(out, text);
        msgpack::array(out, page.uses.size);
        for (i64 n : page.uses) msgpack::number(out, n);
        msgpack::number(out, page.size);
        msgpack::map(out, page.feiten.size);
        for (const Feiten& f : page.feiten) {
            msgpack::number(out, f.nummer);
            msgpack::array(out, 3);
            msgpack::bin(out, {f.names.data, f.names.size});
            msgpack::array(out, f.packed.size);
            for (Slice packed : f.packed) msgpack::bin(out, packed);
            if (f.other.size) out.put(f.other);
            else msgpack::map(out, 0);
        }
    }

    // The feit at a position; false when the row holds what this core does not write.
    bool unpack(const Page& page, const Feiten& feiten, const Soort& soort, size_t position, Feit& feit) {
        Reader in(feiten.packed[position]);
        size_t cells = msgpack::read_array(in);
        feit.name = feiten.name(position, arena_);
        feit.values = {}, feit.sent = {}, feit.period = {};
        feit.versie = msgpack::read_int(in), feit.offset = msgpack::read_int(in);
        size_t values = 0;
        if (msgpack::read_nil(in)) {
            if (!msgpack::read_nil(in)) return false;
        } else {
            feit.period = {true, msgpack::read_int(in), msgpack::read_nil(in), 0};
            if (!feit.period.open) feit.period.end = feit.period.start + msgpack::read_int(in);
            values = soort.velden.size;
        }
        if (!in.ok || cells < 4 + values || (cells - 4 - values) % SENT) return false;
        for (size_t i = 0; i < values; i++)
            if (!unpack_value(in, page, soort.velden[i], feit.values.push(arena_, Value{}))) return false;
        for (size_t n = (cells - 4 - values) / SENT; n; n--)
            if (!unpack_sent(in, page, feit.sent.push(arena_, Sent{}))) return false;
        return in.ok && in.at == in.end;
    }

    // With `feit` in the place of the one at `position`, or at the end when that is -1.
    void put(Page& page, const Soort& soort, const Feit& feit, i64 position) {
        Feiten* feiten = page.of(soort.nummer);
        if (!feiten) {
            feiten = &page.feiten.push(arena_, Feiten{});
            feiten->nummer = soort.nummer;
        }
        if (position >= 0) release(page, soort, feiten->packed[size_t(position)]);
        Slice packed = pack(page, soort, feit);
        if (position >= 0) {
            feiten->packed[size_t(position)] = packed;
        } else {
            feiten->packed.push(arena_, packed);
            feiten->names.reserve(arena_, feiten->names.size + Feiten::CELL);
            for (size_t i = 1; i <= Feiten::CELL; i++) feiten->names.push(arena_, feit.name.data[i]);
            page.size++;
        }
        page.changed = true;
    }

private:
    static constexpr size_t SENT = 5;  // cells of a Sent
    Arena& arena_;
    Buffer cells_;

    bool read_feiten(Reader& in, Feiten& f) {
        f.nummer = msgpack::read_int(in);
        if (msgpack::read_array(in) != 3) return false;
        Slice names = msgpack::read_bin(in);
        f.names = {const_cast<u8*>(names.data), u32(names.size), u32(names.size)};  // copied before it grows
        size_t size = msgpack::read_array(in);
        f.packed.reserve(arena_, size + 1);
        for (; size && in.ok; size--) f.packed.push(arena_, msgpack::read_bin(in));
        const u8* begin = in.at;
        for (size_t n = msgpack::read_map(in); n && in.ok; n--) {
            i64 position = msgpack::read_int(in);
            if (position < 0 || u64(position) >= f.packed.size) return false;
            f.others.push(arena_, u32(position));
            f.named.push(arena_, msgpack::read_bin(in));
        }
        f.other = {begin, size_t(in.at - begin)};
        return in.ok && f.names.size == f.packed.size * Feiten::CELL;
    }

    bool unpack_value(Reader& in, const Page& page, Form form, Value& v) {
        if (msgpack::read_nil(in)) return true;
        v.number = msgpack::read_int(in);
        v.kind = Value::NUMBER;
        if (form != Form::TEXT) return in.ok;
        v.kind = Value::TEXT;
        return in.ok && text(page, v.number, v.text);
    }

    bool unpack_sent(Reader& in, const Page& page, Sent& s) {
        s.dienst = msgpack::read_int(in);
        i64 number = msgpack::read_int(in);
        s.basis = msgpack::read_int(in), s.versie = msgpack::read_int(in);
        s.live = !msgpack::read_nil(in);
        if (s.live) s.content = msgpack::read_bin(in);
        return in.ok && text(page, number, s.ontvanger);
    }

    static bool text(const Page& page, i64 number, Slice& found) {
        if (number < 0 || u64(number) >= page.texts.size) return false;
        found = page.texts[size_t(number)];
        return true;
    }

    Slice pack(Page& page, const Soort& soort, const Feit& feit) {
        cells_.clear();
        msgpack::array(cells_, 4 + feit.values.size + SENT * feit.sent.size);
        msgpack::number(cells_, feit.versie);
        msgpack::number(cells_, feit.offset);
        if (feit.period.there) msgpack::number(cells_, feit.period.start);
        else msgpack::nil(cells_);
        if (feit.period.there && !feit.period.open) msgpack::number(cells_, feit.period.end - feit.period.start);
        else msgpack::nil(cells_);
        for (size_t i = 0; i < feit.values.size; i++) {
            const Value& v = feit.values[i];
            if (v.kind == Value::NIL) msgpack::nil(cells_);
            else msgpack::number(cells_, soort.velden[i] == Form::TEXT ? use(page, v.text) : v.number);
        }
        for (const Sent& s : feit.sent) {
            msgpack::number(cells_, s.dienst);
            msgpack::number(cells_, use(page, s.ontvanger));
            msgpack::number(cells_, s.basis);
            msgpack::number(cells_, s.versie);
            if (s.live) msgpack::bin(cells_, s.content);
            else msgpack::nil(cells_);
        }
        return arena_.copy(cells_.slice());
    }

    // The number of a text among those of the page, which may grow.
    i64 use(Page& page, Slice text) {
        size_t number = 0, size = page.texts.size;
        while (number < size && !(page.texts[number] == text)) number++;
        if (number == size) {
            number = 0;
            while (number < size && page.uses[number]) number++;
            if (number == size) page.texts.push(arena_, text), page.uses.push(arena_, 0);
            else page.texts[number] = text;
        }
        page.uses[number]++;
        return i64(number);
    }

    // Drop the texts to which only this feit referred; it has been unpacked, so that its cells are what they should be.
    static void release(Page& page, const Soort& soort, Slice packed) {
        Reader in(packed);
        size_t cells = msgpack::read_array(in);
        msgpack::read_int(in), msgpack::read_int(in);
        bool there = !msgpack::read_nil(in);
        if (there) msgpack::read_int(in);
        if (!msgpack::read_nil(in)) msgpack::read_int(in);
        for (size_t i = 0; there && i < soort.velden.size; i++)
            if (!msgpack::read_nil(in)) release(page, msgpack::read_int(in), soort.velden[i] == Form::TEXT);
        for (size_t n = (cells - 4 - (there ? soort.velden.size : 0)) / SENT; n; n--) {
            msgpack::read_int(in);
            release(page, msgpack::read_int(in), true);
            msgpack::read_int(in), msgpack::read_int(in);
            if (!msgpack::read_nil(in)) msgpack::read_bin(in);
        }
    }

    static void release(Page& page, i64 number, bool text) {
        if (text && --page.uses[size_t(number)] == 0) page.texts[size_t(number)] = {};
    }
};

}  // namespace kern
