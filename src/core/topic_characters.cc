#include "core/topic_characters.h"

namespace pgc {

std::string plain_topic_name(std::string_view name) {
    std::string plain;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        const bool continues = (byte & 0xC0U) == 0x80;
        if (continues) continue;
        if (byte >= 0xF0) plain += '_';  // a pair in UTF-16
        plain += is_topic_character(c) ? c : '_';
    }
    if (plain.size() > kTopicName_max) plain.resize(kTopicName_max);
    if (plain == "." || plain == "..") plain.assign(plain.size(), '_');
    return plain;
}

}  // namespace pgc
