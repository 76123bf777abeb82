// How things are written for people: days and times as ISO 8601, texts as JSON, names as UUID.
#pragma once
#include "bytes.h"

namespace kern {

inline void two_digits(u8* to, i64 n) {
    to[0] = u8('0' + n / 10 % 10);
    to[1] = u8('0' + n % 10);
}

// Days since 1970-01-01 as a date of the Gregorian calendar, years 0 to 9999; counted from 0000-03-01, so that a leap day ends a year.
inline void iso_day(Buffer& out, i64 day) {
    i64 days = day + 719468;
    i64 era = (days >= 0 ? days : days - 146096) / 146097;
    i64 of_era = days - era * 146097;
    i64 year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    i64 of_year = of_era - (365 * year + year / 4 - year / 100);
    i64 month = (5 * of_year + 2) / 153;
    i64 of_month = of_year - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year += era * 400 + (month <= 2);
    u8* to = out.room(10);
    two_digits(to, year / 100);
    two_digits(to + 2, year);
    to[4] = to[7] = '-';
    two_digits(to + 5, month);
    two_digits(to + 8, of_month);
    out.size += 10;
}

// Milliseconds since the epoch as RFC 3339 in UTC.
inline void iso_time(Buffer& out, i64 milliseconds) {
    constexpr i64 DAY = 86'400'000;
    i64 day = milliseconds / DAY - (milliseconds % DAY < 0);
    i64 of_day = milliseconds - day * DAY;
    iso_day(out, day);
    u8* to = out.room(14);
    to[0] = 'T';
    two_digits(to + 1, of_day / 3'600'000);
    to[3] = to[6] = ':';
    two_digits(to + 4, of_day / 60'000 % 60);
    two_digits(to + 7, of_day / 1000 % 60);
    to[9] = '.';
    to[10] = u8('0' + of_day / 100 % 10);
    two_digits(to + 11, of_day);
    to[13] = 'Z';
    out.size += 14;
}

constexpr char HEX[] = "0123456789abcdef";

// The inside of a JSON string, escaped as msgspec does it.
inline void json_text(Buffer& out, Slice text) {
    for (size_t i = 0; i < text.size; i++) {
        u8 c = text.data[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            out.byte(c);
            continue;
        }
        out.byte('\\');
        switch (c) {
            case '"': case '\\': out.byte(c); break;
            case '\b': out.byte('b'); break;
            case '\t': out.byte('t'); break;
            case '\n': out.byte('n'); break;
            case '\f': out.byte('f'); break;
            case '\r': out.byte('r'); break;
            default: out.put("u00"), out.byte(u8(HEX[c >> 4])), out.byte(u8(HEX[c & 15]));
        }
    }
}

// 16 bytes as a UUID in lower case.
inline void uuid_text(Buffer& out, const u8* bytes) {
    u8* to = out.room(36);
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
        *to++ = u8(HEX[bytes[i] >> 4]);
        *to++ = u8(HEX[bytes[i] & 15]);
    }
    out.size += 36;
}

inline int hex_value(u8 c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

// The 16 bytes of a UUID in lower case; false when the 36 characters are none.
inline bool uuid_bytes(const u8* text, u8* bytes) {
    for (int i = 0, at = 0; i < 16; i++, at += 2) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return false;
        int high = hex_value(text[at]), low = hex_value(text[at + 1]);
        if (high < 0 || low < 0) return false;
        bytes[i] = u8(high << 4 | low);
    }
    return true;
}

}  // namespace kern
