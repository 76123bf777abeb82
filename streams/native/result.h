// What a frame leads to, laid out as Python reads it (kern.py).
#pragma once
#include "bytes.h"

namespace kern {

// Byte strings, as an array of MessagePack.
struct Strings {
    const u8* data;
    u64 size;
    u64 count;
};

struct Left {
    i64 batch, at;  // which batch, and where the record begins in it
};

struct Announced {
    i64 dienst, change, registratietijd;
};

struct Result {
    Strings wanted;          // keys of rows
    Strings keys, rows;      // the rows that changed; an empty one: nothing is left to keep
    Strings due_keys, due_rows;  // those of when the klok looks, which may be as they were
    const Left* left;        // records for the reference, in order
    u64 lefts;
    const Announced* announced;
    u64 announcements;
    u64 fates[3];            // by Fate
    Strings ontvangers;      // of the messages, and for each
    const u64* chunk_counts; // the number of its chunks,
    const u64* counts;       // for each chunk the number of its records
    Strings chunks;          // and its bytes
};

}  // namespace kern
