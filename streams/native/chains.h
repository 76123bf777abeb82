// Feiten that go on as one (chains.py) are left to the reference; here it is only told whether there are any.
#pragma once
#include "rules.h"

namespace kern {

inline bool same(const Value& a, const Value& b) {
    return a.kind == b.kind && (a.kind == Value::TEXT ? a.text == b.text : a.number == b.number);  // a text has a number in its page
}

// Whether no day lies between two periods.
inline bool adjoin(const Period& a, const Period& b) {
    return a.there && b.there && (a.open || b.start <= a.end) && (b.open || a.start <= b.end);
}

// Whether two feiten are equal in the fields `key` and leave no day between them.
inline bool go_on(const Array<u32>& key, const Feit& a, const Feit& b) {
    if (!key.size || !adjoin(a.period, b.period)) return false;
    for (u32 kept : key)
        if (!same(a.values[kept], b.values[kept])) return false;
    return true;
}

}  // namespace kern
