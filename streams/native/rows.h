// Rows of an archive (streams/audit/rows.py) as records in Kafka's format, and digests of records: a replay lays many beside many.
#pragma once
#include "digests.h"
#include "records.h"

namespace kern {

// Where a content stands among the records; both are -1 where there is none.
struct Span {
    i64 begin, end;
};

struct Packed {
    const u8* data;        // the records one behind another, their offsets counted from that of the first
    u64 size;
    const i64* offsets;    // of each record,
    const i64* ends;       // where it ends,
    const Span* contents;  // and its key and value
    u64 count;
    const u8* digests;
};

class Rows {
public:
    static constexpr u8 DIGEST = 16;

    Packed packed{};

    void clear() {
        data_.clear(), offsets_.clear(), ends_.clear(), contents_.clear();
        show();
    }

    // Adds a block of an object container file, decompressed. False when it is none, or its offsets do not rise: then all is to be dropped.
    bool add(Slice block, i64 count, bool with_headers) {
        Reader in(block);
        for (i64 n = 0; n < count; n++)
            if (!take(in, with_headers)) return false;
        show();
        return in.ok && in.at == in.end;
    }

    // A digest of each record: of what it says, not of its place. False when these are no records.
    bool digest(Slice records, i64 count) {
        Reader in(records);
        digests_.clear();
        for (i64 n = 0; n < count; n++) {
            i64 size = in.varint(5);
            Reader body(in.take(size < 0 ? 0 : u64(size)));
            body.byte();      // attributes
            body.varint(10);  // timestamp
            body.varint(5);   // offset
            if (!in.ok || !body.ok) return false;
            blake2b({body.at, size_t(body.end - body.at)}, digests_.room(DIGEST), DIGEST);
            digests_.size += DIGEST;
        }
        packed.digests = digests_.data;
        return in.at == in.end;
    }

    // Where each key stands among the records, and the value of the last record that has it: what a compacted log would have kept of them.
    // False when these are no records.
    bool newest(Slice records, i64 count) {
        if (count < 0 || u64(count) > records.size) return false;
        Batch batch{records.data, records.size, 0, count};
        Reader in(records);
        contents_.clear();
        clear_slots(u64(count));
        for (i64 n = 0; n < count; n++) {
            Record r;
            if (!read_record(in, batch, r)) return false;
            Span* value = value_of(records, r.has_key ? r.key : Slice{records.data, 0});
            *value = r.has_value ? span_in(records, r.value) : Span{-1, -1};
        }
        packed.contents = reinterpret_cast<const Span*>(contents_.data);
        packed.count = contents_.size / (2 * sizeof(Span));
        return true;
    }

private:
    Buffer data_, offsets_, ends_, contents_, digests_, fields_, headers_, slots_;
    i64 first_ = 0, last_ = 0;

    static constexpr i64 FARTHEST = 0x7fffffff;  // from the first offset: a record has no room for more

    bool take(Reader& in, bool with_headers) {
        i64 offset = in.varint(10);
        in.varint(10);  // timestamp
        if (!offsets_.size) first_ = offset;
        else if (offset <= last_) return false;
        if (offset < 0 || offset - first_ > FARTHEST) return false;
        last_ = offset;
        fields_.clear();
        Span key = content(in, fields_), value = content(in, fields_);
        i64 number = headers(in, with_headers);
        fields_.varint(number);
        fields_.put(headers_.slice());
        if (!in.ok) return false;
        put(offset, key, value);
        return true;
    }

    void put(i64 offset, Span key, Span value) {
        i64 delta = offset - first_;
        data_.varint(2 + varint_size(delta) + i64(fields_.size));
        data_.byte(0), data_.byte(0), data_.varint(delta);
        i64 begin = i64(data_.size);
        data_.put(fields_.slice());
        span(key, begin), span(value, begin);
        number(offsets_, offset), number(ends_, i64(data_.size));
    }

    static Span span_in(Slice records, Slice s) {
        i64 begin = s.data - records.data;
        return {begin, begin + i64(s.size)};
    }

    // A place for each of so many keys and as many again, all free.
    void clear_slots(u64 keys) {
        u64 places = 16;
        while (places < 2 * keys) places *= 2;
        slots_.clear();
        __builtin_memset(slots_.room(places * sizeof(u32)), 0, places * sizeof(u32));
        slots_.size = places * sizeof(u32);
    }

    // Where the value of a key is told, behind the key, which is added when it is new.
    Span* value_of(Slice records, Slice key) {
        u32* slots = reinterpret_cast<u32*>(slots_.data);
        u64 places = slots_.size / sizeof(u32), at = hash(key);
        for (;; at++) {
            u32& number = slots[at & (places - 1)];
            if (!number) {
                Span told[2] = {span_in(records, key), {-1, -1}};
                contents_.put({reinterpret_cast<const u8*>(told), sizeof told});
                number = u32(contents_.size / sizeof told);
            }
            Span* told = reinterpret_cast<Span*>(contents_.data) + 2 * (number - 1);
            if (key == Slice{records.data + told->begin, size_t(told->end - told->begin)}) return told + 1;
        }
    }

    // FNV-1a: who writes the log chooses the keys, and is the engine itself.
    static u64 hash(Slice key) {
        u64 h = 14695981039346656037u;
        for (size_t i = 0; i < key.size; i++) h = (h ^ key.data[i]) * 1099511628211u;
        return h ^ h >> 32;
    }

    void span(Span s, i64 begin) {
        number(contents_, s.begin < 0 ? -1 : s.begin + begin), number(contents_, s.end < 0 ? -1 : s.end + begin);
    }

    // A content that may be null, as Kafka writes it; where it stands in `out`.
    static Span content(Reader& in, Buffer& out) {
        if (is_there(in)) return counted(in, out);
        out.varint(-1);
        return {-1, -1};
    }

    static bool is_there(Reader& in) {
        i64 there = in.varint(1);
        if (there < 0 || there > 1) in.fail();
        return in.ok && there;
    }

    static Slice bytes(Reader& in) {
        i64 size = in.varint(5);
        return in.take(size < 0 ? SIZE_MAX : u64(size));
    }

    static bool skip(Reader& in) {
        bytes(in);
        return in.ok;
    }

    static Span counted(Reader& in, Buffer& out) {
        Slice s = bytes(in);
        out.varint(i64(s.size));
        i64 begin = i64(out.size);
        out.put(s);
        return {begin, i64(out.size)};
    }

    // All headers, which may stand in several blocks, into `headers_`, or past them; returns their number there.
    i64 headers(Reader& in, bool wanted) {
        headers_.clear();
        i64 all = 0;
        for (i64 n = in.varint(10); n && in.ok; n = in.varint(10)) {
            if (n == INT64_MIN) in.fail();
            else if (n < 0) n = -n, in.varint(10);  // then the bytes of the block are told too
            for (i64 i = 0; i < n && in.ok; i++)
                if (wanted) counted(in, headers_), content(in, headers_), all++;
                else skip(in), is_there(in) && skip(in);
        }
        return all;
    }

    static void number(Buffer& out, i64 n) { out.put({reinterpret_cast<const u8*>(&n), sizeof n}); }

    void show() {
        packed.data = data_.data, packed.size = data_.size, packed.count = offsets_.size / sizeof(i64);
        packed.offsets = reinterpret_cast<const i64*>(offsets_.data), packed.ends = reinterpret_cast<const i64*>(ends_.data);
        packed.contents = reinterpret_cast<const Span*>(contents_.data);
    }
};

}  // namespace kern
