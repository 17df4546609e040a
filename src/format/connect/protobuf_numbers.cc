#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/connect/protobuf_schema.h"

namespace pgc {

namespace {

// Numbers that Protobuf keeps for itself.
constexpr std::uint32_t kOwnFirst = 19000;
constexpr std::uint32_t kOwnLast = 19999;

// What a field was, whichever number it had: "5email_string". The length makes it unambiguous.
std::string nature(const ProtobufField& field) {
    std::string type = field.repeated ? "repeated_" + field.type : field.type;
    std::ranges::replace_if(
        type, [](char c) { return c == '.' || c == ',' || c == ' ' || c == '<' || c == '>'; }, '_');
    return fmt::format("{}{}_{}", field.name.size(), field.name, type);
}

// What is reserved for a field that is gone: "was_3_5email_string".
std::string was_name(const ProtobufField& field) {
    return fmt::format("was_{}_{}", field.number, nature(field));
}

struct Was {
    std::uint32_t number = 0;
    std::string_view nature;
};

// Nothing where it is the name of something else.
std::optional<Was> read_was_name(std::string_view name) {
    constexpr std::string_view prefix = "was_";
    if (!name.starts_with(prefix)) return std::nullopt;
    name.remove_prefix(prefix.size());
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || number == 0 || number > kMaxFieldNumber) return std::nullopt;
    name.remove_prefix(static_cast<std::size_t>(end - name.data()));
    if (!name.starts_with('_')) return std::nullopt;
    return Was{number, name.substr(1)};
}

bool reads_both(const ProtobufField& now, const ProtobufField& before) noexcept {
    if (now.repeated != before.repeated) return false;
    return now.type == before.type || (now.type == "int64" && before.type == "int32");
}

class Numbering {
public:
    Numbering(ProtobufMessage& message, const ProtobufMessage& earlier)
        : message_(message), earlier_(earlier) {}

    // False: no number is left.
    bool run() {
        for (ProtobufField& field : message_.fields) keep(field);
        for (ProtobufField& field : message_.fields) restore(field);
        for (ProtobufField& field : message_.fields) {
            if (field.number == 0 && !take_next(field)) return false;
        }
        reserve_numbers();
        reserve_names();
        return messages();
    }

private:
    void keep(ProtobufField& field);
    void restore(ProtobufField& field);
    bool take_next(ProtobufField& field);
    void reserve_numbers();
    void reserve_names();
    bool messages();

    std::uint32_t after_all() const;
    // The number itself where it is free, or the next that may be.
    std::uint32_t passed(std::uint32_t number) const;

    bool is_field(std::string_view name) const {
        return std::ranges::find(message_.fields, name, &ProtobufField::name) !=
               message_.fields.end();
    }
    bool is_reserved(std::uint32_t number) const {
        return std::ranges::any_of(earlier_.reserved, [&](const auto& range) {
            return range.first <= number && number <= range.second;
        });
    }

    ProtobufMessage& message_;
    const ProtobufMessage& earlier_;
    std::set<std::uint32_t> used_;
    std::set<std::string_view> restored_;  // reserved names of fields that are back
};

void Numbering::keep(ProtobufField& field) {
    const auto before = std::ranges::find(earlier_.fields, field.name, &ProtobufField::name);
    const bool same = before != earlier_.fields.end() && reads_both(field, *before);
    field.number = same && used_.insert(before->number).second ? before->number : 0;
}

void Numbering::restore(ProtobufField& field) {
    if (field.number != 0) return;
    const std::string wanted = nature(field);
    for (const std::string& name : earlier_.reserved_names) {
        const auto was = read_was_name(name);
        if (was && was->nature == wanted && is_reserved(was->number) &&
            used_.insert(was->number).second) {
            field.number = was->number;
            restored_.insert(name);
            return;
        }
    }
}

std::uint32_t Numbering::after_all() const {
    std::uint32_t last = used_.empty() ? 0 : *used_.rbegin();
    for (const ProtobufField& field : earlier_.fields) last = std::max(last, field.number);
    for (const auto& range : earlier_.reserved) {
        if (range.second < kMaxFieldNumber) last = std::max(last, range.second);
    }
    return last + 1;
}

std::uint32_t Numbering::passed(std::uint32_t number) const {
    if (number >= kOwnFirst && number <= kOwnLast) return kOwnLast + 1;
    for (const auto& [first, last] : earlier_.reserved) {
        if (first <= number && number <= last) return last + 1;
    }
    const bool is_taken =
        used_.contains(number) ||
        std::ranges::find(earlier_.fields, number, &ProtobufField::number) != earlier_.fields.end();
    return is_taken ? number + 1 : number;
}

bool Numbering::take_next(ProtobufField& field) {
    // After all that were ever used; where that is beyond the last there may be gaps.
    for (std::uint32_t from : {after_all(), std::uint32_t{1}}) {
        for (std::uint32_t next = passed(from); next != from; next = passed(from)) from = next;
        if (from <= kMaxFieldNumber) {
            field.number = from;
            used_.insert(from);
            return true;
        }
    }
    return false;
}

void Numbering::reserve_numbers() {
    for (const auto& [first, last] : earlier_.reserved) {
        std::uint32_t from = first;
        for (auto used = used_.lower_bound(first); used != used_.end() && *used <= last; ++used) {
            if (from < *used) message_.reserved.emplace_back(from, *used - 1);
            from = *used + 1;
        }
        if (from <= last) message_.reserved.emplace_back(from, last);
    }
    for (const ProtobufField& field : earlier_.fields) {
        if (used_.contains(field.number)) continue;
        message_.reserved.emplace_back(field.number, field.number);
    }
    std::ranges::sort(message_.reserved);
}

void Numbering::reserve_names() {
    for (const std::string& name : earlier_.reserved_names) {
        if (!is_field(name) && !restored_.contains(name)) message_.reserved_names.push_back(name);
    }
    for (const ProtobufField& field : earlier_.fields) {
        if (used_.contains(field.number)) continue;
        message_.reserved_names.push_back(was_name(field));
    }
    // Whatever went first: a table that is as it was has the schema that it had.
    std::ranges::stable_sort(message_.reserved_names, {}, [](const std::string& name) {
        const auto was = read_was_name(name);
        return was ? was->number : 0;
    });
}

bool Numbering::messages() {
    for (ProtobufMessage& inner : message_.messages) {
        const auto* const before = find_message(earlier_.messages, inner.name);
        if (before != nullptr && !Numbering{inner, *before}.run()) return false;
    }
    for (const ProtobufMessage& before : earlier_.messages) {
        const bool is_taken =
            find_message(message_.messages, before.name) != nullptr || is_field(before.name);
        if (!is_taken) message_.messages.push_back(before);
    }
    return true;
}

// What older versions of a message used, reserved in the newest of them.
class History {
public:
    explicit History(ProtobufMessage& newest) : newest_(newest), known_(newest.reserved) {
        for (const ProtobufField& field : newest.fields) {
            known_.emplace_back(field.number, field.number);
        }
        std::ranges::sort(known_);
    }

    void add(const ProtobufMessage& older) {
        for (const ProtobufField& field : older.fields) {
            if (is_known(field.number)) continue;
            newest_.reserved.emplace_back(field.number, field.number);
            add_name(was_name(field));
        }
        for (const auto& [first, last] : older.reserved) reserve(first, last);
        for (const std::string& name : older.reserved_names) {
            const auto was = read_was_name(name);
            if (was && !is_known(was->number)) add_name(name);
        }
        add_messages(older);
    }

private:
    bool is_known(std::uint32_t number) const {
        return std::ranges::any_of(known_, [&](const auto& range) {
            return range.first <= number && number <= range.second;
        });
    }
    void add_name(std::string name) {
        std::vector<std::string>& names = newest_.reserved_names;
        if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
    }
    void reserve(std::uint32_t first, std::uint32_t last);
    void add_messages(const ProtobufMessage& older);

    ProtobufMessage& newest_;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> known_;  // numbers, in their order
};

// What of it is not known.
void History::reserve(std::uint32_t first, std::uint32_t last) {
    for (const auto& [from, to] : known_) {
        if (to < first) continue;
        if (from > last) break;
        if (first < from) newest_.reserved.emplace_back(first, from - 1);
        first = to + 1;
    }
    if (first <= last) newest_.reserved.emplace_back(first, last);
}

void add_to(std::vector<ProtobufMessage>& newest, const ProtobufMessage& older) {
    const auto known = std::ranges::find(newest, older.name, &ProtobufMessage::name);
    if (known == newest.end()) {
        newest.push_back(older);
    } else {
        History{*known}.add(older);
    }
}

void History::add_messages(const ProtobufMessage& older) {
    for (const ProtobufMessage& inner : older.messages) {
        const bool is_field = std::ranges::find(newest_.fields, inner.name, &ProtobufField::name) !=
                              newest_.fields.end();
        if (!is_field) add_to(newest_.messages, inner);
    }
}

}  // namespace

void add_history(ProtobufFile& newest, const ProtobufFile& older) {
    for (const ProtobufMessage& message : older.messages) add_to(newest.messages, message);
}

Result<void> keep_numbers(ProtobufFile& file, const ProtobufFile& earlier) {
    ProtobufMessage root = std::move(file.messages[file.root]);
    const auto before = std::ranges::find(earlier.messages, root.name, &ProtobufMessage::name);
    if (before != earlier.messages.end() && !Numbering{root, *before}.run()) {
        return std::unexpected(
            stop(Error::Category::data,
                 fmt::format("no field number of Protobuf is left in {}", root.name)));
    }
    file.messages = earlier.messages;
    file.root = static_cast<std::size_t>(before - earlier.messages.begin());
    file.messages.resize(std::max(file.messages.size(), file.root + 1));
    file.messages[file.root] = std::move(root);
    return {};
}

}  // namespace pgc
