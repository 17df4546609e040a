#include "format/json/number.h"

#include "base/ascii.h"

namespace pgc {
namespace {

// One or more digits; where they end, or nullptr.
const char* skip_digits(const char* at, const char* end) noexcept {
    const char* const start = at;
    while (at != end && is_digit(*at)) {
        ++at;
    }
    return at == start ? nullptr : at;
}

}  // namespace

const char* skip_json_number(const char* at, const char* end) noexcept {
    if (at != end && *at == '-') {
        ++at;
    }
    const bool leading_zero = at != end && *at == '0';
    at = leading_zero ? at + 1 : skip_digits(at, end);
    if (at != nullptr && at != end && *at == '.') {
        at = skip_digits(at + 1, end);
    }
    if (at != nullptr && at != end && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at != end && (*at == '+' || *at == '-')) {
            ++at;
        }
        at = skip_digits(at, end);
    }
    return at;
}

}  // namespace pgc
