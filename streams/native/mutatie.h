// A mutatie from its bytes: Avro in Confluent framing, of the usual shape and no other (see schemas/shape.py, which takes the same).
#pragma once
#include "program.h"
#include "text.h"

namespace kern {

// A kept field.
struct Value {
    enum Kind : u8 { NIL, NUMBER, TEXT } kind = NIL;
    i64 number = 0;
    Slice text;
};

// Half-open days, as in period.py.
struct Period {
    bool there = false;
    i64 start = 0;
    bool open = false;
    i64 end = 0;
};

struct Mutatie {
    u8 name[17];  // as record.py packs it: a zero and the UUID
    i64 versie, registratietijd;
    Period period;  // not there: INGETROKKEN
    Array<Value> values;
};

class MutatieReader {
public:
    MutatieReader(const Program& program, const Soort& soort, Arena& arena) : program_(program), soort_(soort), arena_(arena) {}

    // False when the value is not of the usual shape: then the reference finds out what it is.
    bool read(Slice value, Mutatie& m) {
        if (value.size > u64(program_.most_value)) return false;
        Reader in(value);
        if (in.byte() != 0) return false;
        const Schema* schema = schema_of(i64(in.big_endian(4)));
        if (!schema || in.byte() != 2 * 36) return false;
        Slice id = in.take(36);
        m.name[0] = 0;
        if (!in.ok || !uuid_bytes(id.data, m.name + 1)) return false;
        m.versie = in.varint(9);
        m.registratietijd = in.varint(9);
        if (!in.ok || !program_.versie.has(m.versie) || !program_.moment.has(m.registratietijd)) return false;
        m.period = {};
        m.values = {};
        u8 feit = in.byte();
        if (feit > 2 || feit == 1 || (feit == 2 && !read_feit(in, *schema, m))) return false;
        return in.ok && in.at == in.end;
    }

private:
    const Program& program_;
    const Soort& soort_;
    Arena& arena_;

    const Schema* schema_of(i64 id) const {
        for (const Schema& s : soort_.schemas)
            if (s.id == id) return &s;
        return nullptr;
    }

    bool read_feit(Reader& in, const Schema& schema, Mutatie& m) {
        m.values.reserve(arena_, soort_.velden.size);
        for (size_t i = 0; i < soort_.velden.size; i++) m.values.push(arena_, Value{});
        i64 begin = 0;
        Value end;
        for (const Field& f : schema.fields) {
            Value v;
            if (!read_field(in, f, v)) return false;
            if (f.role == Role::BEGINDATUM) begin = v.number;
            if (f.role == Role::EINDDATUM) end = v;
            if (f.kept >= 0) m.values[size_t(f.kept)] = v;
        }
        bool open = end.kind == Value::NIL;
        if (!open && end.number < begin) return false;
        m.period = {true, begin, open, open ? 0 : end.number + 1};
        return true;
    }

    bool read_field(Reader& in, const Field& f, Value& v) {
        if (f.nullable) {
            u8 branch = in.byte();
            if (branch == 0) return in.ok;
            if (branch != 2) return false;
        }
        switch (f.type) {
            case Type::ENUM: {
                u8 number = in.byte();
                if (number & 1 || number / 2u >= f.symbols.size) return false;
                v = {Value::TEXT, 0, f.symbols[number / 2]};
                return in.ok;
            }
            case Type::TEXT: return read_text(in, f, v);
            default:
                v = {Value::NUMBER, in.varint(9), {}};
                return in.ok && (f.type == Type::LONG || (f.type == Type::DATE ? program_.day : program_.number).has(v.number));
        }
    }

    static bool read_text(Reader& in, const Field& f, Value& v) {
        u8 size = in.byte();
        if (size < 2 || size > 0x7e || size & 1) return false;
        v = {Value::TEXT, 0, in.take(size / 2u)};
        return in.ok && fits(f.pattern, v.text);
    }

    // Each item takes what it can: program.py lets no pattern in where that would not be the same.
    static bool fits(const Array<Item>& pattern, Slice text) {
        size_t at = 0;
        for (const Item& item : pattern) {
            i64 taken = 0;
            while (taken < item.most && at < text.size && item.has(text.data[at])) taken++, at++;
            if (taken < item.least) return false;
        }
        return at == text.size;
    }
};

}  // namespace kern
