// What is known of one persoon, as timeline.py keeps it: basisfeiten and volgverzoeken in the head, feiten in one page or several.
#pragma once
#include "page.h"

namespace kern {

// A basisfeit: a Record of record.py about which nothing is sent.
struct Grond {
    Slice name;
    i64 versie, offset;
    Period period;
    Array<Value> values;
};

struct Gronden {
    i64 nummer;  // of the soort
    Array<Grond> records;
};

struct Since {
    i64 dienst, day;
};

// The last volgverzoek to one bron.
struct Follow {
    Slice bron;
    Array<Since> since;
};

struct Head {
    Array<Gronden> gronden;
    Array<Follow> follows;
    Slice follows_as_kept;
    i64 pages = 1;
    Page page;  // while there is one
    bool changed = false;

    Array<Grond> of(i64 nummer) const {
        for (const Gronden& g : gronden)
            if (g.nummer == nummer) return g.records;
        return {};
    }

    bool has_live(i64 nummer) const {
        for (const Grond& g : of(nummer))
            if (g.period.there) return true;
        return false;
    }

    const Follow* follow(Slice bron) const {
        for (const Follow& f : follows)
            if (f.bron == bron) return &f;
        return nullptr;
    }
};

// Reads and writes the head row.
class Heads {
public:
    Heads(Arena& arena, Pages& pages) : arena_(arena), pages_(pages) {}

    bool read(Slice row, Head& head) {
        Reader in(row);
        if (msgpack::read_array(in) != 4) return false;
        for (size_t n = msgpack::read_map(in); n && in.ok; n--) {
            Gronden& g = head.gronden.push(arena_, Gronden{});
            g.nummer = msgpack::read_int(in);
            for (size_t records = msgpack::read_array(in); records && in.ok; records--)
                if (!read_grond(in, g.records.push(arena_, Grond{}))) return false;
        }
        const u8* begin = in.at;
        for (size_t n = msgpack::read_map(in); n && in.ok; n--) read_follow(in, head.follows.push(arena_, Follow{}));
        head.follows_as_kept = {begin, size_t(in.at - begin)};
        head.pages = msgpack::read_int(in);
        return pages_.read(in, head.page) && in.ok && in.at == in.end && head.pages > 0 && head.pages <= MOST_PAGES;
    }

    void write(Buffer& out, const Head& head) {
        msgpack::array(out, 4);
        msgpack::map(out, head.gronden.size);
        for (const Gronden& g : head.gronden) {
            msgpack::number(out, g.nummer);
            msgpack::array(out, g.records.size);
            for (const Grond& record : g.records) write_grond(out, record);
        }
        if (head.follows_as_kept.size) out.put(head.follows_as_kept);
        else msgpack::map(out, 0);
        msgpack::number(out, head.pages);
        pages_.write(out, head.page);
    }

private:
    static constexpr i64 MOST_PAGES = 1 << 16;
    Arena& arena_;
    Pages& pages_;

    bool read_grond(Reader& in, Grond& g) {
        if (msgpack::read_array(in) != 6) return false;
        g.name = msgpack::read_bin(in);
        g.versie = msgpack::read_int(in), g.offset = msgpack::read_int(in);
        if (!msgpack::read_nil(in)) {
            if (msgpack::read_array(in) != 2) return false;
            g.period = {true, msgpack::read_int(in), msgpack::read_nil(in), 0};
            if (!g.period.open) g.period.end = msgpack::read_int(in);
        }
        for (size_t n = msgpack::read_array(in); n && in.ok; n--) {
            Value& v = g.values.push(arena_, Value{});
            if (msgpack::read_nil(in)) continue;
            if (msgpack::next_is_str(in)) v = {Value::TEXT, 0, msgpack::read_str(in)};
            else v = {Value::NUMBER, msgpack::read_int(in), {}};
        }
        return msgpack::read_array(in) == 0 && in.ok;
    }

    static void write_grond(Buffer& out, const Grond& g) {
        msgpack::array(out, 6);
        msgpack::bin(out, g.name);
        msgpack::number(out, g.versie);
        msgpack::number(out, g.offset);
        if (!g.period.there) {
            msgpack::nil(out);
        } else {
            msgpack::array(out, 2);
            msgpack::number(out, g.period.start);
            if (g.period.open) msgpack::nil(out);
            else msgpack::number(out, g.period.end);
        }
        msgpack::array(out, g.values.size);
        for (const Value& v : g.values) {
            if (v.kind == Value::NIL) msgpack::nil(out);
            else if (v.kind == Value::TEXT) msgpack::str(out, v.text);
            else msgpack::number(out, v.number);
        }
        msgpack::array(out, 0);
    }

    void read_follow(Reader& in, Follow& f) {
        f.bron = msgpack::read_str(in);
        if (msgpack::read_array(in) != 2) in.fail();
        msgpack::read_int(in);  // versie
        for (size_t n = msgpack::read_array(in); n && in.ok; n--) {
            if (msgpack::read_array(in) != 2) in.fail();
            f.since.push(arena_, Since{msgpack::read_int(in), msgpack::read_int(in)});
        }
    }
};

}  // namespace kern
