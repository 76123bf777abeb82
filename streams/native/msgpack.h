// MessagePack as msgspec writes it: the form in which state is kept and the program comes.
#pragma once
#include "arena.h"

namespace kern::msgpack {

inline i64 read_int(Reader& in) {
    u8 b = in.byte();
    if (b < 0x80 || b >= 0xe0) return int8_t(b);
    switch (b) {
        case 0xcc: return i64(in.big_endian(1));
        case 0xcd: return i64(in.big_endian(2));
        case 0xce: return i64(in.big_endian(4));
        case 0xcf: {
            u64 number = in.big_endian(8);
            return number >> 63 ? i64(in.fail()) : i64(number);
        }
        case 0xd0: return int8_t(in.big_endian(1));
        case 0xd1: return int16_t(in.big_endian(2));
        case 0xd2: return int32_t(in.big_endian(4));
        case 0xd3: return i64(in.big_endian(8));
    }
    return in.fail();
}

inline Slice read_str(Reader& in) {
    u8 b = in.byte();
    if (b >= 0xa0 && b < 0xc0) return in.take(b & 31);
    if (b >= 0xd9 && b <= 0xdb) return in.take(in.big_endian(1 << (b - 0xd9)));
    in.fail();
    return {};
}

inline Slice read_bin(Reader& in) {
    u8 b = in.byte();
    if (b >= 0xc4 && b <= 0xc6) return in.take(in.big_endian(1 << (b - 0xc4)));
    in.fail();
    return {};
}

// Length of an array; never more than there are bytes to fill it.
inline size_t read_array(Reader& in) {
    u8 b = in.byte();
    size_t size = b >= 0x90 && b < 0xa0 ? b & 15 : b == 0xdc ? in.big_endian(2) : b == 0xdd ? in.big_endian(4) : in.fail() + SIZE_MAX;
    return size <= in.left() ? size : in.fail();
}

inline size_t read_map(Reader& in) {
    u8 b = in.byte();
    size_t size = b >= 0x80 && b < 0x90 ? b & 15 : b == 0xde ? in.big_endian(2) : b == 0xdf ? in.big_endian(4) : in.fail() + SIZE_MAX;
    return size <= in.left() ? size : in.fail();
}

inline bool read_nil(Reader& in) {
    if (in.left() == 0 || *in.at != 0xc0) return false;
    in.at++;
    return true;
}

inline bool read_bool(Reader& in) {
    u8 b = in.byte();
    if (b != 0xc2 && b != 0xc3) in.fail();
    return b == 0xc3;
}

inline bool next_is_str(const Reader& in) {
    return in.left() && ((*in.at >= 0xa0 && *in.at < 0xc0) || (*in.at >= 0xd9 && *in.at <= 0xdb));
}

inline void nil(Buffer& out) { out.byte(0xc0); }

inline void number(Buffer& out, i64 n) {
    if (n >= 0) {
        if (n < 0x80) return out.byte(u8(n));
        int bytes = n <= 0xff ? 1 : n <= 0xffff ? 2 : n <= 0xffffffff ? 4 : 8;
        out.byte(bytes == 1 ? 0xcc : bytes == 2 ? 0xcd : bytes == 4 ? 0xce : 0xcf);
        return out.big_endian(u64(n), bytes);
    }
    if (n >= -32) return out.byte(u8(n));
    int bytes = n >= INT8_MIN ? 1 : n >= INT16_MIN ? 2 : n >= INT32_MIN ? 4 : 8;
    out.byte(bytes == 1 ? 0xd0 : bytes == 2 ? 0xd1 : bytes == 4 ? 0xd2 : 0xd3);
    out.big_endian(u64(n), bytes);
}

// The head of a sized thing: in one byte below `few`, else with a length of 1 (where there is a mark for it), 2 or 4 bytes.
inline void head(Buffer& out, size_t size, size_t few, u8 small, u8 mark1, u8 mark2, u8 mark4) {
    if (size < few) return out.byte(u8(small | size));
    int bytes = mark1 && size <= 0xff ? 1 : size <= 0xffff ? 2 : 4;
    out.byte(bytes == 1 ? mark1 : bytes == 2 ? mark2 : mark4);
    out.big_endian(size, bytes);
}

inline void str(Buffer& out, Slice s) {
    head(out, s.size, 32, 0xa0, 0xd9, 0xda, 0xdb);
    out.put(s);
}

inline void bin(Buffer& out, Slice s) {
    head(out, s.size, 0, 0, 0xc4, 0xc5, 0xc6);
    out.put(s);
}

inline void array(Buffer& out, size_t size) { head(out, size, 16, 0x90, 0, 0xdc, 0xdd); }
inline void map(Buffer& out, size_t size) { head(out, size, 16, 0x80, 0, 0xde, 0xdf); }

}  // namespace kern::msgpack
