// Errors are values with an address: what happened, where, how to fix it, and what
// the caller does next. Whoever meets an error first fills in what it knows; the
// decision it implies (retry, stop) is taken in one place, pipeline supervision.
//
// Never put row values or secrets into any of the texts.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace pgc {

struct Error {
    // What kind of thing went wrong; the label of cdc_errors_total{type}.
    enum class Category : std::uint8_t {
        configuration,   // the user's text is wrong
        connection,      // a peer can't be reached, or went away
        authentication,  // a peer doesn't believe who we are
        permission,      // a peer knows us and says no
        server,          // a peer answered with an error of its own
        protocol,        // a peer sent what it must not
        position,        // stored position, slot and server don't fit together
        data,            // a row can't be decoded or encoded
        sink,            // the destination refused
        storage,         // a local file can't be read or written
        internal,        // only a bug of ours makes this
    };
    // What the caller does next.
    enum class Next : std::uint8_t {
        retry,  // likely to pass by itself: wait, reconnect, go on from what is durable
        stop,   // passes only when somebody fixes it
        // Nothing failed: it was decided to go on otherwise (values as text, smaller batches), and
        // whoever decided remembers it. What it takes is to build the part again. `what` says it.
        restart,
    };

    Category category = Category::internal;
    Next next = Next::stop;
    std::string what;   // one sentence, no full stop
    std::string where;  // table, key columns' names, LSN, file:line; may be empty
    std::string hint;   // the exact SQL, setting or step; may be empty

    Error&& at(std::string place) && {
        where = where.empty() ? std::move(place) : std::move(place) + ": " + where;
        return std::move(*this);
    }
    Error&& with_hint(std::string step) && {
        hint = std::move(step);
        return std::move(*this);
    }
};

inline Error retry(Error::Category category, std::string what) {
    return {category, Error::Next::retry, std::move(what), {}, {}};
}
inline Error stop(Error::Category category, std::string what) {
    return {category, Error::Next::stop, std::move(what), {}, {}};
}

inline Error restart_with(Error::Category category, std::string what) {
    return {category, Error::Next::restart, std::move(what), {}, {}};
}

constexpr std::string_view name(Error::Category category) noexcept {
    using enum Error::Category;
    switch (category) {
        case configuration: return "configuration";
        case connection: return "connection";
        case authentication: return "authentication";
        case permission: return "permission";
        case server: return "server";
        case protocol: return "protocol";
        case position: return "position";
        case data: return "data";
        case sink: return "sink";
        case storage: return "storage";
        case internal: return "internal";
    }
    return "internal";
}

// "what (where); hint: hint"
inline std::string describe(const Error& error) {
    std::string text = error.what;
    if (!error.where.empty()) text += " (" + error.where + ")";
    if (!error.hint.empty()) text += "; hint: " + error.hint;
    return text;
}

template <typename T, typename E = Error>
using Result = std::expected<T, E>;

}  // namespace pgc
