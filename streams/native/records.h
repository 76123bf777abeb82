// Records in Kafka's format v2: read from a batch, and written in chunks of which each becomes a batch (see encoded.py).
#pragma once
#include "arena.h"

namespace kern {

// The records of one batch as they were fetched, decompressed.
struct Batch {
    const u8* data;
    u64 size;
    i64 base_offset;
    i64 count;
};

struct Record {
    bool has_key, has_value;
    Slice key, value;
    i64 offset;
    u64 at;  // where it begins in its batch
};

inline Slice read_content(Reader& in, bool& there) {
    i64 size = in.varint(5);
    there = size >= 0;
    return there ? in.take(u64(size)) : Slice{};
}

// The next record of a batch; headers are left unread.
inline bool read_record(Reader& in, const Batch& batch, Record& r) {
    r.at = u64(in.at - batch.data);
    i64 size = in.varint(5);
    if (size < 0) return false;
    Reader body(in.take(u64(size)));
    body.byte();      // attributes
    body.varint(10);  // timestamp
    r.offset = batch.base_offset + body.varint(5);
    r.key = read_content(body, r.has_key);
    r.value = read_content(body, r.has_value);
    return in.ok && body.ok;
}

// Records of one topic, cut into chunks; one record that is larger than they may be is a chunk of its own.
class Chunks {
public:
    struct Chunk {
        u64 count, end;
    };

    Buffer data;
    Buffer chunks;  // of Chunk

    Slice slice() const { return data.slice(); }
    size_t size() const { return chunks.size / sizeof(Chunk); }

    void clear() {
        data.clear();
        chunks.clear();
    }

    // `fields` is what stands in a record behind its offset, `most` the bytes of a chunk.
    void put(Slice fields, u64 most) {
        u64 length = 2 + u64(varint_size(delta())) + fields.size;
        if (size() && data.size - begin() + u64(varint_size(i64(length))) + length > most) open();
        if (!size()) open();
        i64 offset = delta();
        length = 2 + u64(varint_size(offset)) + fields.size;
        data.varint(i64(length));
        data.byte(0);  // attributes
        data.byte(0);  // the timestamp is that of the batch
        data.varint(offset);
        data.put(fields);
        last().count++;
        last().end = data.size;
    }

private:
    Chunk& last() { return reinterpret_cast<Chunk*>(chunks.data)[size() - 1]; }
    i64 delta() { return size() ? i64(last().count) : 0; }
    u64 begin() { return size() > 1 ? reinterpret_cast<Chunk*>(chunks.data)[size() - 2].end : 0; }

    void open() {
        Chunk chunk{0, data.size};
        chunks.put({reinterpret_cast<const u8*>(&chunk), sizeof chunk});
    }
};

}  // namespace kern
