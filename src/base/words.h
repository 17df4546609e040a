// What the words of a choice stand for: one table, from which come both what may be written (an
// option's or a flag's `words`) and what the program does with it. So no word can be offered
// that stands for nothing, or for something else's behaviour:
//
//   enum class SinkKind : std::uint8_t { kafka, console };
//   inline constexpr auto kSinks = words_for<SinkKind>({{"kafka", SinkKind::kafka},
//                                                       {"console", SinkKind::console}});
//   {.path = "sink", .kind = OptionKind::choice, .words = kSinks.all()}
//
//   switch (settings.choice("sink", kSinks)) { case … }     // each value, no default: -Wswitch
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace pgc {

template <typename Value>
struct Word {
    std::string_view word;
    Value value;
};

template <typename Value, std::size_t kCount>
class Words {
public:
    consteval explicit Words(const Word<Value> (&table)[kCount]) {
        for (std::size_t i = 0; i < kCount; ++i) {
            table_[i] = table[i];
            if (i > 0) text_[size_++] = '|';
            for (const char c : table[i].word) text_[size_++] = c;  // beyond its end: no constant
        }
    }

    // "kafka|console"; as long-lived as this.
    constexpr std::string_view all() const noexcept { return {text_.data(), size_}; }

    constexpr std::optional<Value> find(std::string_view word) const noexcept {
        for (const Word<Value>& entry : table_) {
            if (entry.word == word) return entry.value;
        }
        return std::nullopt;
    }
    // The first word of a value; empty if it has none.
    constexpr std::string_view word(const Value& value) const noexcept {
        for (const Word<Value>& entry : table_) {
            if (entry.value == value) return entry.word;
        }
        return {};
    }

private:
    std::array<Word<Value>, kCount> table_{};
    std::array<char, 128> text_{};
    std::size_t size_ = 0;
};

template <typename Value, std::size_t kCount>
consteval Words<Value, kCount> words_for(const Word<Value> (&table)[kCount]) {
    return Words<Value, kCount>{table};
}

}  // namespace pgc
