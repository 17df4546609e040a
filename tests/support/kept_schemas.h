// A schema registry that keeps what it is asked to register, and answers as a test wants it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "format/registry/registry.h"

namespace pgc::test {

class KeptSchemas final : public SchemaRegistry {
public:
    Result<SchemaAnswer> look_up(const Subject& subject, const SchemaText& schema) override {
        if (error) return std::unexpected(*error);
        if (pending) return SchemaAnswer::pending();
        auto& all = subjects[subject.name];
        const auto known = std::ranges::find(all, schema, &RegisteredSchema::schema);
        if (known != all.end()) return SchemaAnswer::known(known->id);
        if (!registers) {
            SchemaAnswer answer =
                pauses
                    ? SchemaAnswer::pending()
                    : SchemaAnswer::refused(stop(Error::Category::server, "it is not registered"));
            answer.refusals = refusals;
            return answer;
        }
        add(subject.name, schema.text);
        return SchemaAnswer::known(all.back().id);
    }
    void drop(const Subject&, const SchemaText& schema) override { dropped.push_back(schema.text); }
    Result<std::optional<Versions>> versions(const Subject& subject) override {
        ++asked;
        if (error) return std::unexpected(*error);
        if (pending) return std::nullopt;
        return subjects[subject.name];
    }
    void wants(Wants&) const override {}
    std::string waits_for() const override { return "a registry"; }

    void add(const std::string& subject, std::string text, SchemaType type = SchemaType::protobuf) {
        auto& all = subjects[subject];
        all.push_back({static_cast<std::int32_t>(all.size() + 1),
                       SchemaId{++last_id_},
                       {.type = type, .text = std::move(text)}});
    }

    bool pending = false;
    bool registers = true;
    bool pauses = false;         // what is not registered is pending
    std::uint32_t refusals = 1;  // of it, so far
    std::optional<Error> error;
    int asked = 0;
    std::vector<std::string> dropped;
    std::map<std::string, Versions> subjects;

private:
    std::int32_t last_id_ = 0;
};

}  // namespace pgc::test
