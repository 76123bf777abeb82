// The native core as Python calls it: frames of records in, rows of state and finished messages out. Plain C, no exceptions, no globals.
//
// One frame takes three calls. `kern_open` reads the records and wants the first rows of their personen; `kern_give` takes rows and may
// want more of them, pages of personen who have several; when it wants none, `kern_fold` does the work. What was read, made and left
// stands in `Result` until the next frame is opened; what is to be sent is gathered over frames until `kern_messages`.
#include "result.h"
#include "rows.h"
#include "sequence.h"
#include "step.h"

namespace kern {

struct Input {
    Record record;
    Left place;
    Persoon* persoon = nullptr;  // the record may have no key of a persoon
    bool left;
    Mutatie mutatie;
};

// What is sent to one ontvanger.
struct Outbox {
    Slice key;  // the ontvanger
    Chunks chunks;
};

class Kern {
public:
    Result result{};
    Program program{};

    explicit Kern(u64 most) : most_(most), heads_(frame_, pages_), messages_(program), step_(program, frame_, pages_, *this) {}
    ~Kern() {
        for (Outbox* o : outboxes_.all) o->~Outbox();
    }

    bool load(Slice bytes) {
        Reader in(bytes);
        Loader(in, lasting_).load(program);
        return in.ok && in.at == in.end;
    }

    bool open(u64 soort, i64 partition, i64 start, Klok klok, const Batch* batches, u64 count) {
        frame_.reset();
        inputs_ = {}, personen_ = {}, waiting_ = {};
        result.lefts = result.announcements = 0;
        if (soort >= program.soorten.size) return false;
        soort_ = &program.soorten[soort];
        partition_ = partition;
        step_.open(klok);
        inputs_.reserve(frame_, records_in(batches, count));
        for (u64 b = 0; b < count; b++)
            if (!read(batches[b], i64(b), start)) return false;
        for (Persoon* p : personen_.all)
            if (p->wanted) waiting_.push(frame_, Waiting{p, -1});
        want();
        return true;
    }

    // Rows for what is wanted, in that order; a size of -1: there is none.
    void give(const u8* rows, const i64* sizes) {
        Array<Waiting> given = waiting_;
        waiting_ = {};
        for (const Waiting& w : given) {
            Slice row{rows, *sizes < 0 ? 0 : u64(*sizes)};
            rows += row.size;
            if (w.page < 0) take_head(*w.persoon, row, *sizes >= 0);
            else take_page(*w.persoon, size_t(w.page), row, *sizes >= 0);
            sizes++;
        }
        if (given.size && given[0].page < 0) want_pages();
        else want_rest();
        want();
    }

    void fold() {
        left_.clear(), announced_.clear();
        for (u64& n : result.fates) n = 0;
        for (Input& i : inputs_) {
            Fate fate = i.left || i.persoon->left ? Fate::LEFT : step_.take(*i.persoon, *soort_, i.mutatie, partition_, i.record.offset);
            if (fate != Fate::LEFT) {
                result.fates[int(fate)]++;
                continue;
            }
            if (i.persoon) i.persoon->left = true;
            left_.put({reinterpret_cast<const u8*>(&i.place), sizeof i.place});
        }
        write_rows();
        result.left = reinterpret_cast<const Left*>(left_.data), result.lefts = left_.size / sizeof(Left);
        result.announced = reinterpret_cast<const Announced*>(announced_.data), result.announcements = announced_.size / sizeof(Announced);
    }

    void said(const Dienst& dienst, Change change, const Sent& sent, const Telling& telling) {
        put(sent.ontvanger, messages_.write(change, sent, telling));
        Announced a{i64(&dienst - program.diensten.data), i64(change), telling.cause.registratietijd};
        announced_.put({reinterpret_cast<const u8*>(&a), sizeof a});
    }

    // One more message for an ontvanger, behind those that are there: what stands in its record behind its offset.
    void put(Slice ontvanger, Slice fields) {
        Outbox* outbox = outboxes_.find(lasting_, ontvanger, [this](Slice key) { return lasting_.copy(key); });
        outbox->chunks.put(fields, most_);
    }

    void collect() {
        ontvangers_.clear(), sent_.clear(), chunk_counts_.clear(), counts_.clear();
        for (Outbox* o : outboxes_.all)
            if (o->chunks.size()) {
                ontvangers_.add(o->key);
                Sequence::number(chunk_counts_, o->chunks.size());
                add(o->chunks);
            }
        deliver();
    }

    // Rows of keys and values as records without headers; a size of -1: the value is null.
    void encode(const u8* keys, const u64* key_sizes, const u8* values, const i64* value_sizes, u64 count, u64 most) {
        sent_.clear(), counts_.clear(), chunk_counts_.clear(), ontvangers_.clear();
        plain_.clear();
        for (u64 i = 0; i < count; i++) {
            u64 size = value_sizes[i] < 0 ? 0 : u64(value_sizes[i]);
            fields_.clear();
            fields_.varint(i64(key_sizes[i])), fields_.put({keys, key_sizes[i]});
            fields_.varint(value_sizes[i]), fields_.put({values, size});
            fields_.varint(0);
            plain_.put(fields_.slice(), most);
            keys += key_sizes[i], values += size;
        }
        add(plain_);
        deliver();
    }

    void forget_messages() {
        for (Outbox* o : outboxes_.all) o->chunks.clear();
    }

private:
    struct Waiting {
        Persoon* persoon;
        i64 page;  // -1: the head
    };

    u64 most_;
    Arena lasting_, frame_;
    Pages pages_{frame_};
    Heads heads_;
    Messages messages_;
    Step<Kern> step_;
    const Soort* soort_ = nullptr;
    i64 partition_ = 0;
    Array<Input> inputs_;
    Table<Persoon> personen_;
    Array<Waiting> waiting_;
    Table<Outbox> outboxes_;
    static constexpr u8 DUE[] = {'.', 'd', 'u', 'e'};
    Sequence wanted_, keys_, rows_, due_keys_, due_rows_, ontvangers_, sent_;
    Buffer left_, announced_, chunk_counts_, counts_, fields_, key_;
    Chunks plain_;

    // As many as there can be: a number that is too high is found when they are read.
    static size_t records_in(const Batch* batches, u64 count) {
        size_t records = 0;
        for (const Batch* b = batches; b < batches + count; b++) records += u64(b->count) < b->size ? u64(b->count) : b->size;
        return records;
    }

    bool read(const Batch& batch, i64 number, i64 start) {
        Reader in({batch.data, batch.size});
        MutatieReader reader(program, *soort_, frame_);
        for (i64 n = 0; n < batch.count; n++) {
            Record record;
            if (!read_record(in, batch, record)) return false;
            if (record.offset < start) continue;
            Input& i = inputs_.push(frame_, Input{});
            i.record = record;
            i.place = {number, i64(record.at)};
            if (record.has_key && is_persoon(record.key)) i.persoon = personen_.find(frame_, record.key, [](Slice key) { return key; });
            i.left = !i.persoon || !soort_->plain || !record.has_value || !reader.read(record.value, i.mutatie);
            if (!i.left) i.persoon->wanted = true;
        }
        return in.at == in.end;
    }

    static constexpr size_t PSEUDONYM = 52;

    static bool is_persoon(Slice key) {
        if (key.size != PSEUDONYM) return false;
        for (size_t i = 0; i < PSEUDONYM; i++)
            if (!((key.data[i] >= 'A' && key.data[i] <= 'Z') || (key.data[i] >= '2' && key.data[i] <= '7'))) return false;
        return true;
    }

    void want() {
        wanted_.clear();
        for (const Waiting& w : waiting_) wanted_.add(w.page < 0 ? w.persoon->key : page_key(*w.persoon, size_t(w.page)));
        result.wanted = wanted_.strings();
    }

    Slice page_key(const Persoon& p, size_t number) {
        key_.clear();
        key_.put(p.key), key_.byte('.'), key_.decimal(i64(number));
        return key_.slice();
    }

    void take_head(Persoon& p, Slice row, bool there) {
        p.left = there && (!heads_.read(row, p.head) || knows_the_klok(p.head));
        if (p.left || p.head.pages == 1) return;
        p.pages.reserve(frame_, size_t(p.head.pages));
        for (i64 n = 0; n < p.head.pages; n++) p.pages.push(frame_, nullptr);
    }

    // Whether something is told of a persoon that depends on the day of the klok.
    bool knows_the_klok(const Head& head) const {
        for (const Gronden& g : head.gronden)
            for (const Soort& s : program.soorten)
                if (s.nummer == g.nummer && (s.weighed || has_ending(s, g))) return true;
        return false;
    }

    bool has_ending(const Soort& soort, const Gronden& gronden) const {
        if (!soort.grond_voor.size) return false;
        u32 houder = program.diensten[soort.grond_voor[0]].houder;
        for (const Grond& g : gronden.records)
            if (g.period.there && houder < g.values.size && among(program.ending, g.values[houder].text)) return true;
        return false;
    }

    void take_page(Persoon& p, size_t number, Slice row, bool there) {
        Reader in(row);
        if (there && (!pages_.read(in, *p.pages[number]) || in.at != in.end)) p.left = true;
    }

    // The pages that the mutaties touch: one for a feit, all for a basisfeit, beside which all feiten are laid, and for what may go on.
    void want_pages() {
        bool all = soort_->basis || soort_->grouped;
        for (Input& i : inputs_) {
            if (i.left || i.persoon->left || i.persoon->head.pages == 1) continue;
            size_t one = i.persoon->number({i.mutatie.name, sizeof i.mutatie.name});
            want_page(*i.persoon, one)->coming++;
            if (all) want_all(*i.persoon);
        }
    }

    // All pages of a persoon of whom one may come to hold too many: they are then dealt over twice as many.
    void want_rest() {
        for (Persoon* p : personen_.all) {
            bool full = false;
            for (const Page* page : p->pages) full |= page && page->size + page->coming > program.most_feiten;
            if (full && !p->left) want_all(*p);
        }
    }

    void want_all(Persoon& p) {
        for (size_t n = 0; n < p.pages.size; n++) want_page(p, n);
    }

    Page* want_page(Persoon& p, size_t number) {
        if (!p.pages[number]) {
            p.pages[number] = frame_.make<Page>();
            waiting_.push(frame_, Waiting{&p, i64(number)});
        }
        return p.pages[number];
    }

    void write_rows() {
        keys_.clear(), rows_.clear(), due_keys_.clear(), due_rows_.clear();
        for (Persoon* p : personen_.all) {
            if (!p->changed) continue;
            if (p->is_due) {
                due_keys_.data.put(p->key), due_keys_.add({DUE, sizeof DUE});
                due_rows_.data.byte('/'), due_rows_.data.decimal(p->due), due_rows_.data.byte('/'), due_rows_.end();
            }
            if (p->head.pages == 1 || p->head.changed) {
                keys_.add(p->key);
                heads_.write(rows_.data, p->head), rows_.end();
            }
            for (size_t n = 0; n < p->pages.size; n++)
                if (p->pages[n] && p->pages[n]->changed) {
                    keys_.add(page_key(*p, n));
                    if (p->pages[n]->size) pages_.write(rows_.data, *p->pages[n]);
                    rows_.end();
                }
        }
        result.keys = keys_.strings(), result.rows = rows_.strings();
        result.due_keys = due_keys_.strings(), result.due_rows = due_rows_.strings();
    }

    void add(const Chunks& from) {
        const Chunks::Chunk* chunk = reinterpret_cast<const Chunks::Chunk*>(from.chunks.data);
        for (u64 i = 0, begin = 0; i < from.size(); begin = chunk[i++].end) {
            Sequence::number(counts_, chunk[i].count);
            sent_.add({from.data.data + begin, chunk[i].end - begin});
        }
    }

    void deliver() {
        result.ontvangers = ontvangers_.strings(), result.chunks = sent_.strings();
        result.chunk_counts = reinterpret_cast<const u64*>(chunk_counts_.data);
        result.counts = reinterpret_cast<const u64*>(counts_.data);
    }
};

}  // namespace kern

using kern::Kern;

#ifndef KERN_SOURCES
#define KERN_SOURCES ""
#endif

#define EXPORTED extern "C" __attribute__((visibility("default")))

// Names the sources that this was made of (build.py).
EXPORTED const char* kern_sources() { return KERN_SOURCES; }

// A core for a program, or null when it is none; `most` bytes are in a chunk of messages.
EXPORTED Kern* kern_new(const uint8_t* program, uint64_t size, uint64_t most) {
    Kern* k = new (kern::grown(nullptr, sizeof(Kern))) Kern(most);
    if (k->load({program, size})) return k;
    k->~Kern();
    free(k);
    return nullptr;
}

EXPORTED void kern_free(Kern* k) {
    k->~Kern();
    free(k);
}

EXPORTED const kern::Result* kern_result(const Kern* k) { return &k->result; }

// Opens a frame, from the offset `start` on; the batches must stay where they are until it is folded. False when they are no records.
// `klok` is the day of the newest tick, if there was one.
EXPORTED bool kern_open(Kern* k, uint64_t soort, int64_t partition, int64_t start, int64_t klok, bool ticked, const kern::Batch* batches,
                        uint64_t count) {
    return k->open(soort, partition, start, {klok, ticked}, batches, count);
}

// The rows too must stay until the frame is folded.
EXPORTED void kern_give(Kern* k, const uint8_t* rows, const int64_t* sizes) { k->give(rows, sizes); }

EXPORTED void kern_fold(Kern* k) { k->fold(); }

EXPORTED void kern_put(Kern* k, const uint8_t* ontvanger, uint64_t ontvanger_size, const uint8_t* fields, uint64_t size) {
    k->put({ontvanger, ontvanger_size}, {fields, size});
}

EXPORTED void kern_messages(Kern* k) { k->collect(); }

// The messages have been taken, or are not wanted.
EXPORTED void kern_forget_messages(Kern* k) { k->forget_messages(); }

EXPORTED void kern_encode(Kern* k, const uint8_t* keys, const uint64_t* key_sizes, const uint8_t* values, const int64_t* value_sizes,
                          uint64_t count, uint64_t most) {
    k->encode(keys, key_sizes, values, value_sizes, count, most);
}

// For a replay and for rows of state: no program is needed.
EXPORTED kern::Rows* rows_new() { return new (kern::grown(nullptr, sizeof(kern::Rows))) kern::Rows(); }

EXPORTED void rows_free(kern::Rows* r) {
    r->~Rows();
    free(r);
}

EXPORTED const kern::Packed* rows_packed(const kern::Rows* r) { return &r->packed; }

EXPORTED void rows_clear(kern::Rows* r) { r->clear(); }

EXPORTED bool rows_add(kern::Rows* r, const uint8_t* block, uint64_t size, int64_t count, bool headers) {
    return r->add({block, size}, count, headers);
}

EXPORTED bool rows_digest(kern::Rows* r, const uint8_t* records, uint64_t size, int64_t count) { return r->digest({records, size}, count); }

EXPORTED bool rows_newest(kern::Rows* r, const uint8_t* records, uint64_t size, int64_t count) { return r->newest({records, size}, count); }
