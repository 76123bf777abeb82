// The rulebook as program.py compiles it: every name looked up, every constant text ready to be copied.
#pragma once
#include "msgpack.h"

namespace kern {

struct Range {
    i64 least, most;
    bool has(i64 n) const { return least <= n && n <= most; }
};

// One item of a pattern: `least` to `most` characters of a class.
struct Item {
    Slice members;  // 32 bytes, a bit a character
    i64 least, most;
    bool has(u8 c) const { return members.data[c >> 3] >> (c & 7) & 1; }
};

enum class Type : i64 { INT, LONG, DATE, ENUM, TEXT };
enum class Role : i64 { NONE, BEGINDATUM, EINDDATUM };

// A field of the feit, in the order of its schema.
struct Field {
    Type type;
    bool nullable;
    i64 kept;  // position among the kept fields, or -1
    Role role;
    Array<Slice> symbols;
    Array<Item> pattern;
};

struct Schema {
    i64 id;
    Array<Field> fields;
};

enum class Form : i64 { NUMBER, TEXT, DAY };  // of a kept field

struct Soort {
    i64 nummer;
    Slice naam;
    Slice before_record_id, before_partition;  // JSON of a record as evidence
    bool plain;                                // whether mutaties of it are taken here at all
    bool basis, filtert_zelf;
    bool grouped;  // whether for some dienst records of it may go on as one
    bool weighed;  // a basisfeit that is judged with all feiten, or what counts for all pairs: whoever has one is left to the reference
    Array<Form> velden;
    Array<u32> grond_voor, gebruikt_door;  // diensten
    i64 bewaren;                           // days for which something is kept because of a basisfeit of it
    Array<Schema> schemas;
};

struct Listed {
    Slice before_value;  // JSON
    u32 kept;
};

struct Projection {
    u32 soort;
    Array<Listed> fields;
    Array<u32> key;  // kept fields in which records go on as one; of none each is told alone
};

inline bool among(const Array<Slice>& sorted, Slice name) {
    size_t low = 0, high = sorted.size;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sorted[middle] < name) low = middle + 1;
        else high = middle;
    }
    return low < sorted.size && sorted[low] == name;
}

struct Dienst {
    i64 nummer;
    Slice naam;
    Slice before_ontvanger;  // JSON
    u32 basis, houder, kenmerk;
    Array<Projection> feiten;
    Array<Slice> ontvangers;  // sorted

    bool addresses(Slice ontvanger) const { return among(ontvangers, ontvanger); }

    const Projection* of(u32 soort) const {
        for (const Projection& p : feiten)
            if (p.soort == soort) return &p;
        return nullptr;
    }
};

// A bron that is asked for records, and the diensten for which it is.
struct Bron {
    Slice id;
    Array<u32> diensten;
};

struct Headers {
    Slice before_id, before_time[3], before_subject, behind;  // around what differs; before_time by the kind of signaal
};

struct Program {
    Slice name_space;
    Range versie, moment, day, number;
    i64 most_value, most_feiten;  // bytes of a mutatie, feiten of a page
    Headers headers;
    Array<Soort> soorten;
    Array<Dienst> diensten;
    Array<Slice> ending;  // sorted: houders that end; who is told in their place depends on the klok
    Array<Bron> bronnen;  // sorted
    i64 bewaren;          // the longest of all
};

// Reads a program into `arena`; the reader's `ok` tells whether it is one.
class Loader {
public:
    Loader(Reader& in, Arena& arena) : in_(in), arena_(arena) {}

    void load(Program& p) {
        record(10);
        p.name_space = bin();
        record(4);
        range(p.versie), range(p.moment), range(p.day), range(p.number);
        p.most_value = number(), p.most_feiten = number();
        record(4);
        p.headers.before_id = bin();
        record(3);
        for (Slice& s : p.headers.before_time) s = bin();
        p.headers.before_subject = bin(), p.headers.behind = bin();
        list(p.soorten, [this](Soort& s) { soort(s); });
        list(p.diensten, [this](Dienst& d) { dienst(d); });
        list(p.ending, [this](Slice& s) { s = str(); });
        list(p.bronnen, [this](Bron& b) { record(2), b.id = str(), indexes(b.diensten); });
        p.bewaren = number();
        check(p);
    }

private:
    Reader& in_;
    Arena& arena_;

    void record(size_t fields) {
        if (msgpack::read_array(in_) != fields) in_.fail();
    }
    i64 number() { return msgpack::read_int(in_); }
    bool flag() { return msgpack::read_bool(in_); }
    void range(Range& r) { record(2), r.least = number(), r.most = number(); }
    Slice bin() { return arena_.copy(msgpack::read_bin(in_)); }
    Slice str() { return arena_.copy(msgpack::read_str(in_)); }

    template <class T, class Read>
    void list(Array<T>& into, Read read) {
        size_t size = msgpack::read_array(in_);
        into = {};
        into.reserve(arena_, size);
        for (size_t i = 0; i < size && in_.ok; i++) read(into.push(arena_, T{}));
    }

    void indexes(Array<u32>& into) {
        list(into, [this](u32& n) { n = u32(number()); });
    }

    void soort(Soort& s) {
        record(14);
        s.nummer = number(), s.naam = str(), s.before_record_id = bin(), s.before_partition = bin();
        s.plain = flag(), s.basis = flag(), s.filtert_zelf = flag(), s.grouped = flag(), s.weighed = flag();
        list(s.velden, [this](Form& f) { f = Form(number()); });
        indexes(s.grond_voor), indexes(s.gebruikt_door);
        s.bewaren = number();
        list(s.schemas, [this](Schema& schema) {
            record(2);
            schema.id = number();
            list(schema.fields, [this](Field& f) { field(f); });
        });
    }

    void field(Field& f) {
        record(6);
        f.type = Type(number()), f.nullable = flag(), f.kept = number(), f.role = Role(number());
        list(f.symbols, [this](Slice& s) { s = str(); });
        list(f.pattern, [this](Item& item) {
            record(3);
            item.members = bin(), item.least = number(), item.most = number();
            if (item.members.size != 32) in_.fail();
        });
    }

    void dienst(Dienst& d) {
        record(8);
        d.nummer = number(), d.naam = str(), d.before_ontvanger = bin();
        d.basis = u32(number()), d.houder = u32(number()), d.kenmerk = u32(number());
        list(d.feiten, [this](Projection& p) {
            record(3);
            p.soort = u32(number());
            list(p.fields, [this](Listed& l) { record(2), l.before_value = bin(), l.kept = u32(number()); });
            indexes(p.key);
        });
        list(d.ontvangers, [this](Slice& s) { s = str(); });
    }

    // No index leads outside, so that nobody behind this has to look again.
    void check(const Program& p) {
        auto below = [this](i64 index, size_t size) { if (index < 0 || u64(index) >= size) in_.fail(); };
        for (const Soort& s : p.soorten) {
            for (u32 d : s.grond_voor) below(d, p.diensten.size);
            for (u32 d : s.gebruikt_door) below(d, p.diensten.size);
            for (const Schema& schema : s.schemas)
                for (const Field& f : schema.fields)
                    if (f.kept != -1) below(f.kept, s.velden.size);
        }
        for (const Dienst& d : p.diensten) {
            below(d.basis, p.soorten.size);
            if (!in_.ok) return;
            below(d.houder, p.soorten[d.basis].velden.size), below(d.kenmerk, p.soorten[d.basis].velden.size);
            for (const Projection& f : d.feiten) {
                below(f.soort, p.soorten.size);
                for (const Listed& l : f.fields)
                    if (in_.ok) below(l.kept, p.soorten[f.soort].velden.size);
                for (u32 kept : f.key)
                    if (in_.ok) below(kept, p.soorten[f.soort].velden.size);
            }
        }
        for (const Bron& b : p.bronnen)
            for (u32 d : b.diensten) below(d, p.diensten.size);
    }
};

}  // namespace kern
