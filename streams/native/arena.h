// Memory for one frame: handed out in order, given back all at once, and kept for the next frame.
#pragma once
#include "bytes.h"

// What <new> would declare, were there a C++ library.
inline void* operator new(size_t, void* place) noexcept { return place; }

namespace kern {

class Arena {
public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    ~Arena() { release(nullptr); }

    void* alloc(size_t bytes) {
        bytes = (bytes + 7) & ~size_t(7);
        if (!block_ || block_->size - used_ < bytes) add(bytes);
        u8* p = reinterpret_cast<u8*>(block_ + 1) + used_;
        used_ += bytes;
        return p;
    }

    template <class T>
    T* make() { return new (alloc(sizeof(T))) T(); }

    Slice copy(Slice s) {
        u8* p = static_cast<u8*>(alloc(s.size ? s.size : 1));
        if (s.size) __builtin_memcpy(p, s.data, s.size);
        return {p, s.size};
    }

    // The newest block, the largest one, stays.
    void reset() {
        if (block_) release(block_);
        used_ = 0;
    }

private:
    struct Block {
        Block* before;
        size_t size;
    };
    Block* block_ = nullptr;
    size_t used_ = 0;

    void add(size_t bytes) {
        size_t size = block_ ? 2 * block_->size : size_t(64) << 10;
        while (size < bytes) size *= 2;
        Block* b = static_cast<Block*>(grown(nullptr, sizeof(Block) + size));
        b->before = block_;
        b->size = size;
        block_ = b;
        used_ = 0;
    }

    void release(Block* kept) {
        Block* b = kept ? kept->before : block_;
        while (b) {
            Block* before = b->before;
            free(b);
            b = before;
        }
        if (kept) kept->before = nullptr;
        else block_ = nullptr;
    }
};

// A list of plain values in an arena.
template <class T>
struct Array {
    T* data = nullptr;
    u32 size = 0;
    u32 capacity = 0;

    T& operator[](size_t i) { return data[i]; }
    const T& operator[](size_t i) const { return data[i]; }
    T* begin() { return data; }
    T* end() { return data + size; }
    const T* begin() const { return data; }
    const T* end() const { return data + size; }

    void reserve(Arena& arena, size_t wanted) {
        if (wanted <= capacity) return;
        T* more = static_cast<T*>(arena.alloc(wanted * sizeof(T)));
        if (size) __builtin_memcpy(static_cast<void*>(more), data, size * sizeof(T));
        data = more;
        capacity = u32(wanted);
    }

    T& push(Arena& arena, const T& value) {
        if (size == capacity) reserve(arena, capacity ? 2 * size_t(capacity) : 8);
        data[size] = value;
        return data[size++];
    }
};

// Things by their `key`, as pointers into an arena.
template <class T>
class Table {
public:
    Array<T*> all;  // in the order in which they came

    // The one of that key; made, with a key that `kept` gives, when there is none.
    template <class Keep>
    T* find(Arena& arena, Slice key, Keep kept) {
        if (2 * (size_t(all.size) + 1) > places_.size) grow(arena);
        size_t at = place(key);
        if (places_[at]) return places_[at];
        T* made = arena.make<T>();
        made->key = kept(key);
        return places_[at] = all.push(arena, made);
    }

private:
    Array<T*> places_;  // by the hash of the key, open addressing

    static u64 hash(Slice key) {
        u64 h = key.size;
        for (size_t at = 0; at < key.size; at += 8) {
            u64 word = 0;
            __builtin_memcpy(&word, key.data + at, key.size - at < 8 ? key.size - at : 8);
            h = (h ^ word) * 0x9e3779b97f4a7c15;
            h ^= h >> 29;
        }
        return h;
    }

    size_t place(Slice key) const {
        size_t at = hash(key) & (places_.size - 1);
        while (places_[at] && !(places_[at]->key == key)) at = (at + 1) & (places_.size - 1);
        return at;
    }

    void grow(Arena& arena) {
        size_t size = places_.size ? 2 * size_t(places_.size) : 256;
        places_ = {};
        places_.reserve(arena, size);
        places_.size = u32(size);
        for (T*& p : places_) p = nullptr;
        for (T* p : all) places_[place(p->key)] = p;
    }
};

}  // namespace kern
