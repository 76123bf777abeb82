// From a change to the signaal that states it: JSON, CloudEvents headers and name, as messages.py, codec.py and cloudevents.py write them.
#pragma once
#include "records.h"
#include "rules.h"

namespace kern {

// The place of the mutatie that makes the node send, and when it was registered.
struct Cause {
    const Soort* soort;
    i64 partition, offset, registratietijd;
};

// What a signaal names.
struct Telling {
    const Dienst* dienst;
    const Soort* soort;  // of the feit
    Slice kenmerk;
    const Grond* basis;
    const Feit* feit;
    const Wanted* wanted;  // not there for VERVALLEN
    Cause cause;
};

class Messages {
public:
    explicit Messages(const Program& program) : program_(program) {}

    // The fields of the finished record of a signaal, behind its offset.
    Slice write(Change change, const Sent& sent, const Telling& t) {
        name(sent.ontvanger, t);
        time_.clear();
        iso_time(time_, t.cause.registratietijd);
        json_.clear();
        signaal(change, sent, t);
        out_.clear();
        content(id_.slice());
        content(json_.slice());
        headers(change, sent.versie, t.kenmerk);
        return out_.slice();
    }

private:
    const Program& program_;
    Buffer id_, time_, json_, out_, scratch_;

    static constexpr const char* WORDS[3] = {"NIEUW", "GEWIJZIGD", "VERVALLEN"};

    // The signaal_id: a UUIDv5.
    void name(Slice ontvanger, const Telling& t) {
        constexpr u8 BETWEEN = 0x1f;
        scratch_.clear();
        scratch_.put(program_.name_space);
        scratch_.put(t.dienst->naam), scratch_.byte(BETWEEN);
        scratch_.put(ontvanger), scratch_.byte(BETWEEN);
        scratch_.put(program_.soorten[t.dienst->basis].naam), scratch_.byte(BETWEEN);
        record_id(scratch_, t.basis->name), scratch_.byte(BETWEEN);
        scratch_.put(t.soort->naam), scratch_.byte(BETWEEN);
        record_id(scratch_, t.feit->name);
        u8 digest[20];
        sha1(scratch_, digest);
        digest[6] = u8((digest[6] & 0x0f) | 0x50);
        digest[8] = u8((digest[8] & 0x3f) | 0x80);
        id_.clear();
        uuid_text(id_, digest);
    }

    static void record_id(Buffer& out, Slice name) {
        if (name.size == 17 && name.data[0] == 0) uuid_text(out, name.data + 1);
        else out.put(name);
    }

    static void record_id_json(Buffer& out, Slice name) {
        if (name.size == 17 && name.data[0] == 0) uuid_text(out, name.data + 1);
        else json_text(out, name);
    }

    void signaal(Change change, const Sent& sent, const Telling& t) {
        const Wanted* wanted = t.wanted;
        json_.put("{\"signaal_id\":\""), json_.put(id_.slice());
        json_.put("\",\"versie\":"), json_.decimal(sent.versie);
        json_.put(",\"soort\":\"");
        for (const char* c = WORDS[int(change)]; *c; c++) json_.byte(u8(*c));
        json_.put(t.dienst->before_ontvanger), json_text(json_, sent.ontvanger);
        json_.put("\",\"kenmerk\":\""), json_text(json_, t.kenmerk);
        json_.put("\""), period(wanted ? &wanted->shared : nullptr);
        json_.put(",\"gegevens\":");
        if (wanted) gegevens(*wanted, t.soort->velden);
        else json_.put("null");
        json_.put(",\"basisfeit\":"), evidence(program_.soorten[t.dienst->basis], *t.basis, t);
        json_.put(",\"feit\":"), evidence(*t.soort, *t.feit, t);
        json_.put(",\"oorzaak\":{"), place(*t.cause.soort, t.cause.partition, t.cause.offset);
        json_.put("},\"registratietijd\":\""), json_.put(time_.slice()), json_.put("\"}");
    }

    // begindatum and einddatum, tot en met; both null when there is nothing to be said of them.
    void period(const Period* p) {
        json_.put(",\"begindatum\":"), day(p != nullptr, p ? p->start : 0);
        json_.put(",\"einddatum\":"), day(p && !p->open, p ? p->end - 1 : 0);
    }

    void day(bool there, i64 number) {
        if (!there) return json_.put("null");
        json_.byte('"'), iso_day(json_, number), json_.byte('"');
    }

    void gegevens(const Wanted& wanted, const Array<Form>& velden) {
        u8 before = '{';
        for (const Listed& listed : wanted.fields->fields) {
            json_.byte(before), json_.put(listed.before_value);
            before = ',';
            const Value& v = wanted.feit->values[listed.kept];
            if (v.kind == Value::TEXT) json_.byte('"'), json_text(json_, v.text), json_.byte('"');
            else if (v.kind == Value::NIL) json_.put("null");
            else if (velden[listed.kept] == Form::DAY) day(true, v.number);
            else json_.decimal(v.number);
        }
        if (before == '{') json_.byte('{');
        json_.byte('}');
    }

    // A record as evidence; a VERVALLEN says which record, not what is known of it now.
    template <class AnyRecord>
    void evidence(const Soort& soort, const AnyRecord& record, const Telling& t) {
        json_.put(soort.before_record_id), record_id_json(json_, record.name);
        json_.put("\",\"versie\":"), json_.decimal(record.versie), json_.byte(',');
        place(soort, t.cause.partition, record.offset);
        period(t.wanted && record.period.there ? &record.period : nullptr);
        json_.byte('}');
    }

    void place(const Soort& soort, i64 partition, i64 offset) {
        json_.put(soort.before_partition), json_.decimal(partition);
        json_.put(",\"offset\":"), json_.decimal(offset);
    }

    void content(Slice s) { out_.varint(i64(s.size)), out_.put(s); }

    void headers(Change change, i64 versie, Slice kenmerk) {
        const Headers& h = program_.headers;
        out_.put(h.before_id);
        scratch_.clear();
        scratch_.put(id_.slice()), scratch_.byte(':'), scratch_.decimal(versie);
        content(scratch_.slice());
        out_.put(h.before_time[int(change)]), content(time_.slice());
        out_.put(h.before_subject), content(kenmerk);
        out_.put(h.behind);
    }
};

}  // namespace kern
