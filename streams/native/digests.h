// The digests that the core needs: SHA-1 for the name of a signaal, BLAKE2b for what it said, CRC-32 for the page of a feit.
#pragma once
#include "bytes.h"

namespace kern {

inline u32 rotl32(u32 x, int n) { return x << n | x >> (32 - n); }
inline u64 rotr64(u64 x, int n) { return x >> n | x << (64 - n); }

inline void sha1_block(u32 h[5], const u8* block) {
    u32 w[80];
    for (int i = 0; i < 16; i++, block += 4) w[i] = u32(block[0]) << 24 | u32(block[1]) << 16 | u32(block[2]) << 8 | block[3];
    for (int i = 16; i < 80; i++) w[i] = rotl32(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    u32 a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    auto round = [&](u32 f, u32 k, u32 word) {
        u32 next = rotl32(a, 5) + f + e + k + word;
        e = d, d = c, c = rotl32(b, 30), b = a, a = next;
    };
    for (int i = 0; i < 20; i++) round((b & c) | (~b & d), 0x5a827999, w[i]);
    for (int i = 20; i < 40; i++) round(b ^ c ^ d, 0x6ed9eba1, w[i]);
    for (int i = 40; i < 60; i++) round((b & c) | (b & d) | (c & d), 0x8f1bbcdc, w[i]);
    for (int i = 60; i < 80; i++) round(b ^ c ^ d, 0xca62c1d6, w[i]);
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

// SHA-1 (FIPS 180-4) of what stands in `scratch`, which is padded for it.
inline void sha1(Buffer& scratch, u8 digest[20]) {
    u64 bits = 8 * u64(scratch.size);
    scratch.byte(0x80);
    while (scratch.size % 64 != 56) scratch.byte(0);
    scratch.big_endian(bits, 8);
    u32 h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    for (size_t at = 0; at < scratch.size; at += 64) sha1_block(h, scratch.data + at);
    for (int i = 0; i < 20; i++) digest[i] = u8(h[i / 4] >> (24 - 8 * (i % 4)));
}

constexpr u64 BLAKE2B_IV[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                               0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
constexpr u8 BLAKE2B_SIGMA[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

inline void blake2b_block(u64 h[8], const u8* block, u64 counted, bool last) {
    u64 m[16], v[16];
    for (int i = 0; i < 16; i++) {
        m[i] = 0;
        for (int j = 0; j < 8; j++) m[i] |= u64(block[8 * i + j]) << (8 * j);
    }
    for (int i = 0; i < 8; i++) v[i] = h[i], v[i + 8] = BLAKE2B_IV[i];
    v[12] ^= counted;
    if (last) v[14] = ~v[14];
    auto mix = [&](int a, int b, int c, int d, u64 x, u64 y) {
        v[a] += v[b] + x, v[d] = rotr64(v[d] ^ v[a], 32), v[c] += v[d], v[b] = rotr64(v[b] ^ v[c], 24);
        v[a] += v[b] + y, v[d] = rotr64(v[d] ^ v[a], 16), v[c] += v[d], v[b] = rotr64(v[b] ^ v[c], 63);
    };
    for (int r = 0; r < 12; r++) {
        const u8* s = BLAKE2B_SIGMA[r % 10];
        for (int i = 0; i < 4; i++) mix(i, i + 4, i + 8, i + 12, m[s[2 * i]], m[s[2 * i + 1]]);
        for (int i = 0; i < 4; i++) mix(i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12, m[s[8 + 2 * i]], m[s[9 + 2 * i]]);
    }
    for (int i = 0; i < 8; i++) h[i] ^= v[i] ^ v[i + 8];
}

// BLAKE2b (RFC 7693) with a digest of `size` bytes.
inline void blake2b(Slice data, u8* digest, u8 size) {
    u64 h[8];
    for (int i = 0; i < 8; i++) h[i] = BLAKE2B_IV[i];
    h[0] ^= 0x01010000 ^ size;
    size_t at = 0;
    for (; data.size - at > 128; at += 128) blake2b_block(h, data.data + at, at + 128, false);
    u8 block[128] = {};
    if (data.size > at) __builtin_memcpy(block, data.data + at, data.size - at);
    blake2b_block(h, block, data.size, true);
    for (u8 i = 0; i < size; i++) digest[i] = u8(h[i / 8] >> (8 * (i % 8)));
}

// CRC-32 as zlib counts it.
inline u32 crc32(Slice data) {
    u32 crc = ~u32(0);
    for (size_t i = 0; i < data.size; i++) {
        crc ^= data.data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

}  // namespace kern
