// How a room declares its options: one table of constant rows, from which loading,
// --help, the reference page, the examples and the JSON schema are all made.
//
//   constexpr Option kOptions[] = {
//       {.path = "postgres.host", .kind = OptionKind::text, .fallback = "localhost",
//        .variable = "PG_HOST", .help = "server to follow; several with commas"},
//       {.path = "postgres.port", .kind = OptionKind::integer, .fallback = "5432",
//        .variable = "PG_PORT", .help = "its port", .min = 1, .max = 65535},
//   };
//   constexpr OptionTable kPostgresOptions{
//       .section = "postgres", .about = "Where the changes come from.",
//       .options = kOptions, .check = check_postgres};
//
// A list of objects is one option too; the fields of its elements are rows like any other,
// with paths relative to the element:
//
//   constexpr Option kFields[] = {
//       {.path = "type", .kind = OptionKind::choice, .required = true, .words = kTypes.all(), …},
//       {.path = "tables", .kind = OptionKind::list, .fallback = "*.*", …}};
//   constexpr ObjectVariant kVariants[] = {
//       {.word = "mask", .about = "replaces values", .fields = kMaskFields}, …};
//   constexpr ObjectType kTransform{
//       .name = "transform", .fields = kFields, .chosen_by = "type", .variants = kVariants};
//   constexpr Option kOptions[] = {{.path = "transforms", .kind = OptionKind::objects,
//                                   .help = "…", .object = &kTransform}};
//
// All texts and tables must outlive the program's use of them: write literals and constants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace pgc {

class Errors;
class Settings;
struct ObjectType;

enum class OptionKind : std::uint8_t {
    text,          // any text without a zero byte
    secret,        // a text that is shown to nobody and is refused as a flag
    integer,       // within min…max
    boolean,       // true or false
    seconds,       // an integer, read as a Duration; the path ends in _secs
    milliseconds,  // an integer, read as a Duration; the path ends in _ms
    choice,        // one of `words`
    list,          // of texts; comma-separated outside files
    map,           // text to text; k=v,k=v outside files
    objects,       // a list of objects, each as `object` says; JSON outside files
};

struct Option {
    // Lower-case words joined by dots: the key in the file, the flag (--a.b_c) and,
    // in capitals with underscores, the variable PG_CAPTURE_A_B_C.
    std::string_view path{};
    OptionKind kind = OptionKind::text;
    // The default, written as in an environment variable. Empty for a text or a
    // secret means "not given".
    std::string_view fallback{};
    // What applies when nothing is given and `fallback` can't say it: "the slot's name".
    std::string_view fallback_note{};
    // Must be given; a secret may be given as the empty text, nothing else may.
    bool required = false;
    // "path=word": must be given when that choice is that word.
    std::string_view required_with{};
    // The short variable, as PG_HOST; each variable X has X_FILE too.
    std::string_view variable{};
    // The variable by which other programs are given the same, as PGHOST: weaker than the file,
    // stronger than the default; empty is as if it were not there.
    std::string_view customary{};
    // The short flag: 'c' for -c; 0 for none.
    char letter = 0;
    // One line, no capital, no full stop.
    std::string_view help{};
    // More for the reference page; whole sentences, Markdown.
    std::string_view doc{};
    // What the examples show for an option that is required, always or with a choice (they
    // show the default of others).
    std::string_view example{};
    // For numbers; in the unit of the path.
    static constexpr std::int64_t kNoMin = std::numeric_limits<std::int64_t>::min();
    static constexpr std::int64_t kNoMax = std::numeric_limits<std::int64_t>::max();
    std::int64_t min = kNoMin;
    std::int64_t max = kNoMax;
    // "a|b|c": the words of a choice; of a list its only items, of a map its only values. What we
    // decide by ourselves comes from a table (base/words.h).
    std::string_view words{};
    // What the elements of a list of objects hold.
    const ObjectType* object = nullptr;
};

// The fields that an object has when it is of one type.
struct ObjectVariant {
    std::string_view word{};   // the type, as `chosen_by` names it
    std::string_view about{};  // one line, no capital, no full stop
    std::span<const Option> fields{};
};

// What an element of a list of objects may hold. Its fields are declared as options are, without
// variables and letters: an element has neither variables nor flags of its own. A path with dots
// is a section within the element.
//
// Outside files the whole list is one value: JSON in one variable or flag. It replaces the list of
// every weaker source, as other lists do. There are no numbered variables
// (PG_CAPTURE_TRANSFORMS_0_TYPE): elements have an order and no names, so a variable that overrules
// number 0 of a file would silently apply to another element once one is inserted before it.
struct ObjectType {
    std::string_view name{};           // of one element: "transform"
    std::span<const Option> fields{};  // of every element; at least one of them is required
    // The choice among `fields` that says which variant it is; required. Empty: there are none.
    // Its words and the variants' are the same.
    std::string_view chosen_by{};
    std::span<const ObjectVariant> variants{};
    std::size_t count_max = 100;  // elements of one list
    // Looks for contradictions within one element. May be null.
    void (*check)(const Settings&, Errors&) = nullptr;
};

struct OptionTable {
    // The part of the tree this table explains ("postgres", "source.tables"), or
    // nothing for options at the root. Options elsewhere are allowed.
    std::string_view section{};
    // One or two sentences that head the section in help, reference and examples.
    std::string_view about{};
    std::span<const Option> options{};
    // Looks for contradictions between options once all is merged. May be null.
    void (*check)(const Settings&, Errors&) = nullptr;
};

}  // namespace pgc
