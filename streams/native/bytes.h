// Bytes: a piece of somebody else's, a reader that never passes the end, and a buffer that grows.
//
// Nothing here needs a C or C++ library but realloc and free: the core is built without the headers of any platform.
#pragma once
#include <stddef.h>
#include <stdint.h>

extern "C" void* realloc(void*, size_t);
extern "C" void free(void*);

namespace kern {

using u8 = uint8_t;
using u32 = uint32_t;
using u64 = uint64_t;
using i64 = int64_t;

struct Slice {
    const u8* data = nullptr;
    size_t size = 0;

    bool operator==(const Slice& other) const { return size == other.size && (size == 0 || __builtin_memcmp(data, other.data, size) == 0); }
    bool operator<(const Slice& other) const {
        size_t shared = size < other.size ? size : other.size;
        int order = shared ? __builtin_memcmp(data, other.data, shared) : 0;
        return order ? order < 0 : size < other.size;
    }
};

template <size_t N>
Slice literal(const char (&text)[N]) { return {reinterpret_cast<const u8*>(text), N - 1}; }

// Reads forward; what does not fit sets `ok` to false, and from then on it gives zeros.
struct Reader {
    const u8* at;
    const u8* end;
    bool ok = true;

    explicit Reader(Slice s) : at(s.data), end(s.data + s.size) {}

    size_t left() const { return ok ? size_t(end - at) : 0; }

    u8 byte() {
        if (left() < 1) return fail();
        return *at++;
    }

    Slice take(size_t size) {
        if (left() < size) { fail(); return {}; }
        Slice taken{at, size};
        at += size;
        return taken;
    }

    u64 big_endian(int bytes) {
        Slice s = take(size_t(bytes));
        u64 number = 0;
        for (size_t i = 0; i < s.size; i++) number = number << 8 | s.data[i];
        return number;
    }

    // A zigzag varint of at most `most` bytes, as Avro and Kafka write numbers.
    i64 varint(int most) {
        u64 number = 0;
        for (int i = 0; i < most; i++) {
            u8 b = byte();
            number |= u64(b & 127) << (7 * i);
            if (b < 128) return ok ? i64(number >> 1) ^ -i64(number & 1) : 0;
        }
        return fail();
    }

    u8 fail() {
        ok = false;
        return 0;
    }
};

// Memory that cannot be had ends the process, as the worker ends for whatever it cannot do.
inline void* grown(void* old, size_t bytes) {
    void* p = realloc(old, bytes);
    if (!p) __builtin_trap();
    return p;
}

inline void put_big_endian(u8* to, u64 number, int bytes) {
    for (int i = 0; i < bytes; i++) to[i] = u8(number >> (8 * (bytes - 1 - i)));
}

// Grows, and keeps its memory when it is emptied.
struct Buffer {
    u8* data = nullptr;
    size_t size = 0;
    size_t capacity = 0;

    Buffer() = default;
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { free(data); }

    Slice slice() const { return {data, size}; }
    void clear() { size = 0; }

    u8* room(size_t more) {
        if (capacity - size < more) {
            while (capacity - size < more) capacity = capacity ? 2 * capacity : 256;
            data = static_cast<u8*>(grown(data, capacity));
        }
        return data + size;
    }

    void byte(u8 b) {
        *room(1) = b;
        size++;
    }

    void put(Slice s) {
        u8* to = room(s.size);
        if (s.size) __builtin_memcpy(to, s.data, s.size);
        size += s.size;
    }

    template <size_t N>
    void put(const char (&text)[N]) { put(literal(text)); }

    void big_endian(u64 number, int bytes) {
        put_big_endian(room(size_t(bytes)), number, bytes);
        size += size_t(bytes);
    }

    void varint(i64 number) {
        u64 rest = u64(number) << 1 ^ u64(number >> 63);
        for (; rest > 127; rest >>= 7) byte(u8(rest | 128));
        byte(u8(rest));
    }

    void decimal(i64 number) {
        u8 digits[20];
        int n = 0;
        u64 rest = number < 0 ? 0 - u64(number) : u64(number);
        do digits[n++] = u8('0' + rest % 10); while (rest /= 10);
        if (number < 0) byte('-');
        while (n) byte(digits[--n]);
    }
};

inline int varint_size(i64 number) {
    u64 rest = u64(number) << 1 ^ u64(number >> 63);
    int size = 1;
    for (; rest > 127; rest >>= 7) size++;
    return size;
}

}  // namespace kern
