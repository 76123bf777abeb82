// The rule samenloop, and the difference between what was sent and what should stand: rules.py and diff.py.
#pragma once
#include "digests.h"
#include "timeline.h"

namespace kern {

enum class Change : u8 { NIEUW, GEWIJZIGD, VERVALLEN };

// What an ontvanger should know about one pair of records.
struct Wanted {
    bool there = false;
    Slice ontvanger, kenmerk;
    Period shared;
    const Projection* fields = nullptr;
    const Feit* feit = nullptr;
};

inline Period shared_days(const Period& a, const Period& b) {
    Period p{true, a.start > b.start ? a.start : b.start, a.open && b.open, 0};
    if (!p.open) p.end = a.open || (!b.open && b.end < a.end) ? b.end : a.end;
    p.there = p.open || p.start < p.end;
    return p;
}

inline Wanted samenloop(const Dienst& dienst, const Projection& fields, const Grond& basis, const Feit& feit) {
    Wanted w;
    if (!basis.period.there || !feit.period.there) return w;
    w.shared = shared_days(basis.period, feit.period);
    if (!w.shared.there) return w;
    w = {true, basis.values[dienst.houder].text, basis.values[dienst.kenmerk].text, w.shared, &fields, &feit};
    return w;
}

constexpr size_t DIGEST = 6;

// Bytes that differ when anything differs that the ontvanger is told.
inline Slice digest(const Wanted& w, Buffer& scratch, Arena& arena) {
    scratch.clear();
    msgpack::array(scratch, 3);
    msgpack::str(scratch, w.kenmerk);
    msgpack::array(scratch, 2);
    msgpack::number(scratch, w.shared.start);
    if (w.shared.open) msgpack::nil(scratch);
    else msgpack::number(scratch, w.shared.end);
    msgpack::array(scratch, w.fields->fields.size);
    for (const Listed& listed : w.fields->fields) {
        const Value& v = w.feit->values[listed.kept];
        if (v.kind == Value::NIL) msgpack::nil(scratch);
        else if (v.kind == Value::TEXT) msgpack::str(scratch, v.text);
        else msgpack::number(scratch, v.number);
    }
    u8* six = static_cast<u8*>(arena.alloc(DIGEST));
    blake2b(scratch.slice(), six, DIGEST);
    return {six, DIGEST};
}

// Brings what was sent about a pair to what is wanted, and calls `say(change, sent)` for each signaal: VERVALLEN first.
template <class Say>
bool diff(Array<Sent>& sent, i64 dienst, i64 basis, const Wanted& wanted, Buffer& scratch, Arena& arena, Say say) {
    bool changed = false;
    Sent* last = nullptr;
    for (Sent& s : sent) {
        if (s.dienst != dienst || s.basis != basis) continue;
        bool same = wanted.there && s.ontvanger == wanted.ontvanger;
        if (same && !last) last = &s;
        if (same || !s.live) continue;
        s.versie++;
        s.live = false;
        s.content = {};
        say(Change::VERVALLEN, s);
        changed = true;
    }
    if (!wanted.there) return changed;
    Slice content = digest(wanted, scratch, arena);
    if (last && last->live && last->content == content) return changed;
    Change change = last && last->live ? Change::GEWIJZIGD : Change::NIEUW;
    if (!last) last = &sent.push(arena, Sent{dienst, wanted.ontvanger, basis, 0, false, {}});
    last->versie++;
    last->live = true;
    last->content = content;
    say(change, *last);
    return true;
}

}  // namespace kern
