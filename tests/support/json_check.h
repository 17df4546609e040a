// Whether a text is one JSON document, asked of two readers that know nothing of each
// other (and nothing of us).
#pragma once

#include <rapidjson/reader.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pgc::test {

struct NlohmannHandler : nlohmann::json::json_sax_t {
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(std::int64_t) override { return true; }
    bool number_unsigned(std::uint64_t) override { return true; }
    bool number_float(double, const std::string&) override { return true; }
    bool string(std::string&) override { return true; }
    bool binary(nlohmann::json::binary_t&) override { return true; }
    bool start_object(std::size_t) override { return true; }
    bool key(std::string&) override { return true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t, const std::string&,
                     const nlohmann::json::exception& error) override {
        problem = error.what();
        number_too_large = error.id == 406;
        return false;
    }

    std::string problem;
    bool number_too_large = false;
};

// Empty when both readers take `text` to the end, else what they say. A number that no
// double can hold is valid JSON, but they give up there. Requires: no zero byte in it.
inline std::string json_problem(std::string_view text) {
    NlohmannHandler handler;
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), &handler) &&
        !handler.number_too_large) {
        return "nlohmann: " + handler.problem;
    }
    // In place, so that RapidJSON needs no stack of its own: growing one from nothing is
    // arithmetic on a null pointer, which stops a sanitized build.
    std::string copy{text};
    rapidjson::InsituStringStream stream{copy.data()};
    rapidjson::Reader reader;
    rapidjson::BaseReaderHandler<> ignore;
    constexpr unsigned flags = rapidjson::kParseInsituFlag | rapidjson::kParseValidateEncodingFlag;
    const auto result = reader.Parse<flags>(stream, ignore);
    if (result.IsError() && result.Code() != rapidjson::kParseErrorNumberTooBig) {
        return "RapidJSON: error " + std::to_string(result.Code()) + " at " +
               std::to_string(result.Offset());
    }
    return {};
}

// The same, and that it is one line without a byte a line reader stumbles over.
inline std::string message_problem(std::string_view text) {
    for (const char c : text) {
        if (static_cast<unsigned char>(c) < 0x20) {
            return "holds a control character";
        }
    }
    return json_problem(text);
}

}  // namespace pgc::test
