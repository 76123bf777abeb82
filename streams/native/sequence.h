// Byte strings on their way to Python.
#pragma once
#include "result.h"

namespace kern {

// Byte strings as an array of MessagePack, which Python's decoder takes apart three times as fast as Python does by their ends.
// What is appended to `data` between two calls of `end` becomes one: its head, of the size that then is known, stands there before.
class Sequence {
public:
    Buffer data;
    Sequence() { clear(); }
    void clear() {
        data.clear(), count_ = 0;
        head(ARRAY);
        open();
    }
    void end() {
        patch(open_, data.size - open_ - HEAD), count_++;
        open();
    }
    void add(Slice s) { data.put(s), end(); }
    Strings strings() {
        patch(0, count_);
        return {data.data, data.size - HEAD, count_};
    }
    static void number(Buffer& out, u64 n) { out.put({reinterpret_cast<const u8*>(&n), sizeof n}); }

private:
    static constexpr u8 ARRAY = 0xdd, BIN = 0xc6;
    static constexpr int NUMBER = 4;  // bytes of it: how many strings there are, or how many bytes of one
    static constexpr size_t HEAD = 1 + NUMBER;
    size_t open_ = 0;
    u64 count_ = 0;

    void open() { open_ = data.size, head(BIN); }
    void head(u8 kind) { data.byte(kind), data.big_endian(0, NUMBER); }
    void patch(size_t at, u64 number) { put_big_endian(data.data + at + 1, number, NUMBER); }
};

}  // namespace kern
