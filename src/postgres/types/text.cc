#include "postgres/types/text.h"

namespace pgc::types {

bool read_plain(const Type&, std::string_view bytes, Scratch&, Value& out) {
    out.text = bytes;
    return true;
}

bool read_versioned(const Type&, std::string_view bytes, Scratch&, Value& out) {
    if (bytes.empty() || bytes.front() != 1) {
        return false;
    }
    out.text = bytes.substr(1);
    return true;
}

bool read_char_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes.size() != 1) {
        return false;
    }
    const auto byte = static_cast<unsigned char>(bytes.front());
    if (byte < 0x80) {
        out.text = byte == 0 ? std::string_view{} : bytes;
        return true;
    }
    char* text = scratch.allocate<char>(4);
    text[0] = '\\';
    text[1] = static_cast<char>('0' + (byte >> 6));
    text[2] = static_cast<char>('0' + (byte >> 3 & 7));
    text[3] = static_cast<char>('0' + (byte & 7));
    out.text = {text, 4};
    return true;
}

}  // namespace pgc::types
