// One mutatie into the state of its persoon, and what follows from it: step.py for the plain case. What is not plain is left to that.
#pragma once
#include "chains.h"
#include "messages.h"

namespace kern {

enum class Fate : u8 { OPGESLAGEN, BEKEND, NIET_BEWAARD, LEFT };

struct Persoon {
    Slice key;
    bool wanted = false;  // some mutatie about it was read
    bool left = false;    // from here on the reference takes its mutaties
    bool changed = false;
    bool is_due = false;  // whether the klok is to look at it on the day `due`
    i64 due = 0;
    Head head;
    Array<Page*> pages;  // those that were asked for, when there are several

    Page* page(size_t number) { return head.pages == 1 ? &head.page : pages[number]; }
    size_t number(Slice name) const { return head.pages == 1 ? 0 : crc32(name) % size_t(head.pages); }
};

// A feit that a basisfeit is laid beside, and where it stands.
struct Beside {
    Page* page;
    size_t position;
    const Soort* soort;
    bool told;
    Feit feit;
};

// The newest tick; the day before all days where there was none.
struct Klok {
    i64 day;
    bool there;
};

// `Out` has said(dienst, change, sent, telling) for each signaal.
template <class Out>
class Step {
public:
    Step(const Program& program, Arena& arena, Pages& pages, Out& out) : program_(program), arena_(arena), pages_(pages), out_(out) {}

    void open(Klok klok) { klok_ = klok; }

    Fate take(Persoon& p, const Soort& soort, const Mutatie& m, i64 partition, i64 offset) {
        cause_ = {&soort, partition, offset, m.registratietijd};
        return soort.basis ? take_basisfeit(p, soort, m) : take_feit(p, soort, m);
    }

private:
    static constexpr size_t MANY = 200;  // feiten that are compared with each other
    const Program& program_;
    Arena& arena_;
    Pages& pages_;
    Out& out_;
    Buffer scratch_;
    Cause cause_{};
    Klok klok_{};

    u32 index(const Soort& soort) const { return u32(&soort - program_.soorten.data); }

    static bool may_keep(const Program& program, const Head& head, const Soort& soort) {
        if (soort.basis || soort.filtert_zelf) return true;
        for (u32 d : soort.gebruikt_door)
            if (head.has_live(program.soorten[program.diensten[d].basis].nummer)) return true;
        return false;
    }

    Fate take_feit(Persoon& p, const Soort& soort, const Mutatie& m) {
        if (!may_keep(program_, p.head, soort)) return Fate::NIET_BEWAARD;
        bool is_new = is_nothing(p.head);
        Page& page = *p.page(p.number({m.name, sizeof m.name}));
        Feiten* feiten = page.of(soort.nummer);
        i64 position = feiten ? feiten->position(m.name) : -1;
        Feit feit{};
        if (position >= 0) {
            if (!pages_.unpack(page, *feiten, soort, size_t(position), feit)) return Fate::LEFT;
            if (m.versie <= feit.versie) return Fate::BEKEND;
        }
        bool full = page.size + (position < 0) > program_.most_feiten;
        if ((full && !can_divide(p)) || !can_tell(p.head, soort, feit)) return Fate::LEFT;
        Feit was = feit;
        feit = {{m.name, sizeof m.name}, m.versie, cause_.offset, m.period, m.values, feit.sent};
        if (soort.grouped && !stands_alone(p, soort, &page, position, was, feit)) return Fate::LEFT;
        for (u32 d : soort.gebruikt_door) {
            const Dienst& dienst = program_.diensten[d];
            Array<Grond> gronden = p.head.of(program_.soorten[dienst.basis].nummer);
            for (size_t j = 0; j < gronden.size; j++) tell(dienst, soort, feit, i64(j), gronden[j], gronden[j]);
        }
        pages_.put(page, soort, feit, position);
        p.changed = true;
        if (is_new) look_after(p, p.head);
        if (full) divide(p);
        return Fate::OPGESLAGEN;
    }

    // Whether no other feit goes on as one with the one at `position` of `own`, neither as it was nor as it is.
    bool stands_alone(Persoon& p, const Soort& soort, const Page* own, i64 position, const Feit& was, const Feit& feit) {
        for (size_t n = 0; n < size_t(p.head.pages); n++) {
            Page* page = p.page(n);
            Feiten* feiten = page->of(soort.nummer);
            for (size_t i = 0; feiten && i < feiten->packed.size; i++) {
                Feit other;
                if (page == own && i64(i) == position) continue;
                if (!pages_.unpack(*page, *feiten, soort, i, other)) return false;
                for (u32 d : soort.gebruikt_door) {
                    const Projection* f = program_.diensten[d].of(index(soort));
                    if (f && (go_on(f->key, other, was) || go_on(f->key, other, feit))) return false;
                }
            }
        }
        return true;
    }

    // Whether all feiten of a persoon can be dealt over other pages: each page was read, and each feit is one that the core knows.
    bool can_divide(Persoon& p) {
        for (size_t n = 0; n < size_t(p.head.pages); n++) {
            const Page* page = p.page(n);
            if (!page || !can_unpack(*page)) return false;
        }
        return true;
    }

    bool can_unpack(const Page& page) {
        for (const Feiten& f : page.feiten) {
            const Soort* soort = soort_of(f.nummer);
            if (!soort || f.others.size) return false;
            Feit feit;
            for (size_t i = 0; i < f.packed.size; i++)
                if (!pages_.unpack(page, f, *soort, i, feit)) return false;
        }
        return true;
    }

    // Over twice as many pages, unless these are half empty: then it is names that fall together.
    void divide(Persoon& p) {
        i64 feiten = 0;
        for (size_t n = 0; n < size_t(p.head.pages); n++) feiten += p.page(n)->size;
        if (2 * feiten <= program_.most_feiten * p.head.pages) return;
        Page whole = p.head.page;
        Array<Page*> old = p.pages;
        if (p.head.pages == 1) old.push(arena_, &whole);
        p.head.page = {}, p.pages = {};
        p.head.pages *= 2;
        p.head.changed = true;
        for (i64 n = 0; n < p.head.pages; n++) p.pages.push(arena_, arena_.make<Page>())->changed = true;
        for (const Page* page : old)
            for (const Feiten& f : page->feiten) deal(p, *page, f);
    }

    void deal(Persoon& p, const Page& page, const Feiten& feiten) {
        for (size_t i = 0; i < feiten.packed.size; i++) {
            Feit feit;
            pages_.unpack(page, feiten, *soort_of(feiten.nummer), i, feit);
            pages_.put(*p.page(p.number(feit.name)), *soort_of(feiten.nummer), feit, -1);
        }
    }

    // Whether the ontvanger of each basisfeit that the feit is laid beside can be told of it.
    bool can_tell(const Head& head, const Soort& soort, const Feit& feit) const {
        for (u32 d : soort.gebruikt_door) {
            const Dienst& dienst = program_.diensten[d];
            Array<Grond> gronden = head.of(program_.soorten[dienst.basis].nummer);
            for (size_t j = 0; j < gronden.size; j++)
                if (!is_whole(dienst, gronden[j]) || stands_on_nothing(feit, dienst, i64(j), gronden[j])) return false;
        }
        return true;
    }

    // Whether something stands beside a basisfeit that does not: then nobody knows under which kenmerk to withdraw it.
    static bool stands_on_nothing(const Feit& feit, const Dienst& dienst, i64 j, const Grond& basis) {
        if (basis.period.there) return false;
        for (const Sent& s : feit.sent)
            if (s.dienst == dienst.nummer && s.basis == j && s.live) return true;
        return false;
    }

    bool is_whole(const Dienst& dienst, const Grond& g) const {
        if (!g.period.there) return true;
        return g.values.size == program_.soorten[dienst.basis].velden.size && g.values[dienst.houder].kind == Value::TEXT &&
               g.values[dienst.kenmerk].kind == Value::TEXT;
    }

    // Tells the ontvanger what the rule wants beside the basisfeit at position `j`; a VERVALLEN is sent under the kenmerk of `was`.
    bool tell(const Dienst& dienst, const Soort& soort, Feit& feit, i64 j, const Grond& was, const Grond& basis) {
        Wanted wanted = samenloop(dienst, *dienst.of(index(soort)), basis, feit);
        return diff(feit.sent, dienst.nummer, j, wanted, scratch_, arena_, [&](Change change, const Sent& sent) {
            bool stands = change != Change::VERVALLEN;
            Slice kenmerk = stands ? wanted.kenmerk : was.values[dienst.kenmerk].text;
            out_.said(dienst, change, sent, {&dienst, &soort, kenmerk, &basis, &feit, stands ? &wanted : nullptr, cause_});
        });
    }

    Fate take_basisfeit(Persoon& p, const Soort& soort, const Mutatie& m) {
        if (m.period.there && !is_addressed(soort, m)) return Fate::LEFT;
        Array<Grond> before = p.head.of(soort.nummer);
        u32 j = 0;
        while (j < before.size && !(before[j].name == Slice{m.name, sizeof m.name})) j++;
        if (j < before.size && m.versie <= before[j].versie) return Fate::BEKEND;
        if (is_beside_another(soort, before, j, m)) return Fate::LEFT;
        Grond record{{m.name, sizeof m.name}, m.versie, cause_.offset, m.period, m.values};
        Grond was = j < before.size ? before[j] : record;
        Head after = with(p.head, soort, j, record);
        Array<Beside> beside;
        if (!asks_nothing(p.head, after) || !forgets_nothing(p, after) || !laid_beside(p, soort, j, was, beside)) return Fate::LEFT;
        lay(soort, j, was, record, beside);
        if (ends(p.head, after)) look_after(p, after);
        after.page = p.head.page;
        p.head = after;
        p.head.changed = p.changed = true;
        return Fate::OPGESLAGEN;
    }

    // The klok looks at the persoon a bewaartermijn behind the next day (retention.py).
    void look_after(Persoon& p, const Head& head) {
        i64 longest = 0;
        for (const Gronden& g : head.gronden)
            if (const Soort* s = soort_of(g.nummer); s && s->bewaren > longest) longest = s->bewaren;
        p.due = klok_.there ? klok_.day + 1 + (longest ? longest : program_.bewaren) : klok_.day;
        p.is_due = true;
    }

    static bool is_nothing(const Head& head) { return head.pages == 1 && head.gronden.size == 0 && head.page.size == 0; }

    // Whether from now on no basisfeit goes on.
    static bool ends(const Head& before, const Head& after) { return !goes_on(after) && (is_nothing(before) || goes_on(before)); }

    static bool goes_on(const Head& head) {
        for (const Gronden& g : head.gronden)
            for (const Grond& basis : g.records)
                if (basis.period.there && basis.period.open) return true;
        return false;
    }

    bool is_addressed(const Soort& soort, const Mutatie& m) const {
        for (u32 d : soort.grond_voor) {
            const Dienst& dienst = program_.diensten[d];
            if (m.values[dienst.kenmerk].kind != Value::TEXT || !dienst.addresses(m.values[dienst.houder].text)) return false;
        }
        return true;
    }

    // Whether the soort is told of beside itself, and another houder has one of it on the same days. What was said of a basisfeit stands in
    // the head, and makes that the reference's.
    bool is_beside_another(const Soort& soort, const Array<Grond>& gronden, u32 j, const Mutatie& m) const {
        if (!m.period.there) return false;
        for (u32 d : soort.gebruikt_door) {
            u32 houder = program_.diensten[d].houder;
            for (size_t i = 0; i < gronden.size; i++) {
                const Grond& other = gronden[i];
                if (i == j || !other.period.there || !shared_days(m.period, other.period).there) continue;
                if (houder >= other.values.size || !(other.values[houder].text == m.values[houder].text)) return true;
            }
        }
        return false;
    }

    Head with(const Head& head, const Soort& soort, u32 position, const Grond& record) {
        Head after = head;
        after.gronden = {};
        bool there = false;
        for (const Gronden& g : head.gronden) {
            Gronden& copy = after.gronden.push(arena_, g);
            if (g.nummer != soort.nummer) continue;
            there = true;
            put(copy, g.records, position, record);
        }
        if (!there) put(after.gronden.push(arena_, Gronden{soort.nummer, {}}), {}, position, record);
        return after;
    }

    void put(Gronden& into, const Array<Grond>& before, u32 position, const Grond& record) {
        into.records = {};
        for (const Grond& g : before) into.records.push(arena_, g);
        if (position < before.size) into.records[position] = record;
        else into.records.push(arena_, record);
    }

    // Whether each bron has been asked for just what the live basisfeiten give a ground for.
    bool asks_nothing(const Head& before, const Head& after) const {
        for (const Bron& bron : program_.bronnen) {
            const Follow* last = before.follow(bron.id);
            size_t asked = 0, known = last ? last->since.size : 0;
            for (u32 d : bron.diensten) {
                i64 first = INT64_MAX;
                for (const Grond& g : after.of(program_.soorten[program_.diensten[d].basis].nummer))
                    if (g.period.there && g.period.start < first) first = g.period.start;
                if (first == INT64_MAX) continue;
                if (asked == known) return false;
                const Since& since = last->since[asked++];
                if (since.dienst != program_.diensten[d].nummer || since.day != first) return false;
            }
            if (asked != known) return false;
        }
        return true;
    }

    // Whether all that is there may still be kept.
    bool forgets_nothing(Persoon& p, const Head& after) const {
        for (size_t n = 0; n < size_t(p.head.pages); n++)
            for (const Feiten& f : p.page(n)->feiten) {
                const Soort* soort = soort_of(f.nummer);
                if (!soort || !may_keep(program_, after, *soort)) return false;
            }
        return true;
    }

    const Soort* soort_of(i64 nummer) const {
        for (const Soort& s : program_.soorten)
            if (s.nummer == nummer) return &s;
        return nullptr;
    }

    // All feiten about which something may have to be said; false when this core cannot say it.
    bool laid_beside(Persoon& p, const Soort& soort, u32 j, const Grond& was, Array<Beside>& beside) {
        for (u32 d : soort.grond_voor) {
            const Dienst& dienst = program_.diensten[d];
            if (!is_whole(dienst, was)) return false;
            for (const Projection& f : dienst.feiten)
                if (!unpack_all(p, program_.soorten[f.soort], beside)) return false;
            for (const Beside& b : beside)
                if (stands_on_nothing(b.feit, dienst, i64(j), was)) return false;
            for (const Projection& f : dienst.feiten)
                if (f.key.size && !each_alone(f, beside)) return false;
        }
        return true;
    }

    // Whether no two feiten of a soort go on as one; of somebody with very many that is not looked at here.
    bool each_alone(const Projection& f, const Array<Beside>& beside) const {
        Array<const Feit*> live;
        for (const Beside& b : beside)
            if (b.soort == &program_.soorten[f.soort] && b.feit.period.there) live.push(arena_, &b.feit);
        if (live.size > MANY) return false;
        for (size_t i = 0; i < live.size; i++)
            for (size_t k = 0; k < i; k++)
                if (go_on(f.key, *live[i], *live[k])) return false;
        return true;
    }

    bool unpack_all(Persoon& p, const Soort& soort, Array<Beside>& beside) {
        for (const Beside& b : beside)
            if (b.soort == &soort) return true;  // another dienst looks at it too
        for (size_t n = 0; n < size_t(p.head.pages); n++) {
            Page* page = p.page(n);
            if (page->size > program_.most_feiten) return false;
            Feiten* feiten = page->of(soort.nummer);
            for (size_t i = 0; feiten && i < feiten->packed.size; i++) {
                Beside& b = beside.push(arena_, Beside{page, i, &soort, false, {}});
                if (!pages_.unpack(*page, *feiten, soort, i, b.feit)) return false;
            }
        }
        return true;
    }

    void lay(const Soort& soort, u32 j, const Grond& was, const Grond& record, Array<Beside>& beside) {
        Array<Beside*> told;
        for (u32 d : soort.grond_voor) {
            const Dienst& dienst = program_.diensten[d];
            for (const Projection& f : dienst.feiten)
                for (Beside& b : beside) {
                    if (b.soort != &program_.soorten[f.soort] || !tell(dienst, *b.soort, b.feit, i64(j), was, record) || b.told) continue;
                    b.told = true;
                    told.push(arena_, &b);
                }
        }
        for (Beside* b : told) pages_.put(*b->page, *b->soort, b->feit, i64(b->position));
    }
};

}  // namespace kern
