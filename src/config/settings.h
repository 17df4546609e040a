// The merged configuration: for every declared option its value and where it came from.
//
// Made by load() alone; immutable; may be read from any thread. The getters take
// the path of an option declared with that kind: anything else is a bug and asserted.
//
// An element of a list of objects is Settings too, of its own fields.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/words.h"
#include "config/option.h"

namespace pgc {

struct Origin {
    enum class Source : std::uint8_t { fallback, file, environment, flag };
    Source source = Source::fallback;
    std::string text = "default";  // "shop.yaml:3", "environment PG_HOST", "flag --sink"
};

// Gives a secret as it is now: its files are read again at every call.
using SecretSource = std::function<Result<Secret>()>;

class Settings {
public:
    using List = std::vector<std::string>;
    using Map = std::map<std::string, std::string>;
    using Objects = std::vector<Settings>;
    using Value = std::variant<std::string, Secret, std::int64_t, bool, List, Map, Objects>;

    // A secret is put together from texts and from files that are read on demand.
    struct SecretPart {
        Secret text;
        std::string file;  // if not empty, its content stands here instead
    };

    struct Entry {
        const Option* option = nullptr;
        Value value;
        Origin origin;
        // What the user wrote if it holds ${…} references; shown instead of the value.
        std::string written;
        std::vector<SecretPart> secret_parts;
        // Given wrongly or missing: the value is the default, an error says more.
        bool broken = false;
    };

    Settings() = default;
    // `name` is the element's, "transforms[2]"; empty for the whole configuration.
    explicit Settings(std::vector<Entry> entries, std::string name = {});

    const std::string& text(std::string_view path) const;
    // A choice, by the table that its option's words are of.
    template <typename Value, std::size_t kCount>
    Value choice(std::string_view path, const Words<Value, kCount>& table) const {
        return table.find(word(path, table.all())).value();
    }
    // Its word, for whoever else understands it: libpq, librdkafka, people.
    const std::string& word(std::string_view path) const;
    const Secret& secret(std::string_view path) const;
    std::int64_t integer(std::string_view path) const;
    bool boolean(std::string_view path) const;
    Duration duration(std::string_view path) const;  // seconds and milliseconds
    const List& list(std::string_view path) const;
    const Map& map(std::string_view path) const;
    const Objects& objects(std::string_view path) const;  // in their order

    // For secrets that may change under us: ask at each connect. The result keeps a
    // reference to `files`, and nothing of these Settings.
    SecretSource secret_source(std::string_view path, Files& files) const;

    const Origin& origin(std::string_view path) const;
    // Somebody gave a value, be it the default's.
    bool given(std::string_view path) const;
    // Only during checks: the value is not to be trusted, the error is reported already.
    bool broken(std::string_view path) const;
    bool declared(std::string_view path) const;
    // With the name of the element: "transforms[2].salt". For people.
    std::string full_path(std::string_view path) const;

    // In the order of declaration.
    const std::vector<Entry>& entries() const noexcept { return entries_; }

private:
    const Entry& entry(std::string_view path) const;
    const std::string& word(std::string_view path, std::string_view all) const;

    std::string name_;
    std::vector<Entry> entries_;
    std::map<std::string_view, std::size_t> by_path_;  // the texts are the tables' literals
};

// `config show`: one line an option or field, "path = value  # origin"; secrets as ***.
std::string show(const Settings& settings);
// {"postgres.host":{"value":"db","origin":"shop.yaml:3"},…}; secrets as "***"; the elements of
// a list of objects likewise.
std::string show_json(const Settings& settings);

}  // namespace pgc
