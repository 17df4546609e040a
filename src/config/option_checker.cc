#include "config/option_checker.h"

#include <utility>

namespace pgc {

void OptionChecker::add(std::string_view path, std::string reason, std::string hint,
                        std::string nearest) {
    errors_.add({.where = settings_.origin(path).text,
                 .key = std::string{path},
                 .reason = std::move(reason),
                 .nearest = std::move(nearest),
                 .hint = std::move(hint)});
}

void OptionChecker::contradiction(std::initializer_list<std::string_view> paths, std::string reason,
                                  std::string hint) {
    errors_.contradiction(settings_, paths, std::move(reason), std::move(hint));
}

void OptionChecker::only_with(std::string_view path, std::string_view other, bool sensible,
                              std::string_view reason, std::string_view hint) {
    if (settings_.given(path) && !sensible) {
        contradiction({path, other}, std::string{reason}, std::string{hint});
    }
}

}  // namespace pgc
