#include "sink/file/closing.h"

#include <fmt/core.h>

#include <utility>

#include "observe/json_reader.h"
#include "observe/json_text.h"

namespace pgc {

std::string write_closing(const Closing& closing) {
    std::string out = fmt::format("{{\"seal\":{},\"moves\":[", closing.seal);
    for (const FolderMove& move : closing.moves) {
        if (out.back() == '}') out += ',';
        out += '{';
        append_json_field(out, "from", move.from);
        out += ',';
        append_json_field(out, "to", move.to);
        out += '}';
    }
    return out + "]}\n";
}

std::optional<Closing> read_closing(std::string_view text) {
    constexpr JsonLimits limits{
        .bytes = std::size_t{16} << 20, .values = std::size_t{1} << 20, .depth = 8};
    const auto document = read_json(text, limits);
    if (!document) return std::nullopt;
    const auto seal = document->member("seal").count();
    if (!seal || !document->member("moves").is_list()) return std::nullopt;
    Closing closing{.seal = *seal, .moves = {}};
    for (const Json& item : document->member("moves").elements()) {
        auto from = item.member("from").text();
        auto to = item.member("to").text();
        if (!from || !to) return std::nullopt;
        closing.moves.push_back({.from = std::move(*from), .to = std::move(*to)});
    }
    return closing;
}

}  // namespace pgc
