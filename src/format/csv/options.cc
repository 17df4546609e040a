#include "format/csv/options.h"

#include <fmt/format.h>

#include <optional>

#include "base/words.h"
#include "config/option_checker.h"
#include "format/options.h"

namespace pgc {
namespace {

constexpr auto kQuotes =
    words_for<CsvQuote>({{"minimal", CsvQuote::minimal}, {"all", CsvQuote::all}});
constexpr auto kBooleans = words_for<CsvBooleans>({{"words", CsvBooleans::words},
                                                   {"letters", CsvBooleans::letters},
                                                   {"digits", CsvBooleans::digits}});
constexpr auto kBinaries =
    words_for<CsvBinary>({{"hex", CsvBinary::hex}, {"base64", CsvBinary::base64}});

constexpr std::string_view kDelimiter = "format.csv.delimiter";
constexpr std::string_view kNullText = "format.csv.null_text";
constexpr std::string_view kOp = "format.csv.columns.op";
constexpr std::string_view kColumns = "format.csv.columns.";

constexpr Option kOptions[] = {
    {.path = kDelimiter,
     .fallback = ",",
     .help = "what stands between two fields",
     .doc = "One ASCII character; `\\t` is a tab. Not a quote, a line end, a letter, a digit, a "
            "space, or one of `+ - . : \\`, of which numbers and times are made."},
    {.path = "format.csv.quote",
     .kind = OptionKind::choice,
     .fallback = "minimal",
     .help = "which fields stand between double quotes",
     .doc = "`minimal`: those that hold the delimiter, a quote or a line end, the empty text, and "
            "what would be read as NULL otherwise. `all`: every field but NULL.",
     .words = kQuotes.all()},
    {.path = kNullText,
     .fallback_note = "nothing between two delimiters",
     .help = "what stands for NULL, without quotes",
     .doc = "As `NULL` of PostgreSQL's COPY: a value that is this very text stands between quotes. "
            "`\\N` is for loaders that can't distinguish `\"\"` from nothing."},
    {.path = "format.csv.header",
     .kind = OptionKind::boolean,
     .fallback = "true",
     .help = "a line of the columns' names at the head of each file",
     .doc = "The console and Kafka have no files, and no such line."},
    {.path = "format.csv.booleans",
     .kind = OptionKind::choice,
     .fallback = "words",
     .help = "how booleans are written",
     .doc = "`words`: true and false. `letters`: t and f. `digits`: 1 and 0. PostgreSQL reads all "
            "of them. Within arrays and composites they are t and f always.",
     .words = kBooleans.all()},
    {.path = "format.csv.binary",
     .kind = OptionKind::choice,
     .fallback = "hex",
     .help = "how bytea is written",
     .doc = "`hex`: as PostgreSQL prints and reads it, `\\x00ff`. `base64`: a third shorter, for "
            "loaders that are set to it. Within arrays and composites it is hex always.",
     .words = kBinaries.all()},
    {.path = kOp,
     .fallback = "_op",
     .help = "name of the column with INSERT, UPDATE, DELETE, TRUNCATE, READ or MESSAGE",
     .doc = "This one can't be left out: nothing else distinguishes a DELETE from an INSERT."},
    {.path = "format.csv.columns.commit_lsn",
     .fallback = "_commit_lsn",
     .help = "name of the column with the LSN at which the transaction committed",
     .doc = "16 hexadecimal digits, so that texts sort as LSNs do. An empty name leaves the column "
            "out, here and below."},
    {.path = "format.csv.columns.seq",
     .fallback = "_seq",
     .help = "name of the column with the number of the change in its transaction"},
    {.path = "format.csv.columns.lsn",
     .fallback = "_lsn",
     .help = "name of the column with the LSN of the change itself"},
    {.path = "format.csv.columns.xid",
     .fallback = "_xid",
     .help = "name of the column with the transaction's number"},
    {.path = "format.csv.columns.commit_ts",
     .fallback = "_commit_ts",
     .help = "name of the column with the time at which the transaction committed"},
    {.path = "format.csv.columns.before",
     .fallback = "_before",
     .help = "name of the column with what is known of the old row, as JSON"},
    {.path = "format.csv.columns.unchanged",
     .fallback = "_unchanged",
     .help = "name of the column that distinguishes unchanged values from NULL",
     .doc = "A JSON array of the columns whose large value did not change, so that PostgreSQL did "
            "not send it. Where it is left out, only `source.toast` `placeholder` or `reselect` "
            "distinguishes them from NULL."},
    {.path = "format.csv.columns.notes",
     .fallback = "_notes",
     .help = "name of the column with what else must be known to read the line, as JSON"},
};

// `\t`, or a byte that no number and no time is made of: those are written without a look at it.
std::optional<char> delimiter_of(std::string_view text) {
    if (text == "\\t") return '\t';
    if (text.size() != 1) return std::nullopt;
    const auto byte = static_cast<unsigned char>(text.front());
    const bool of_values = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                           (byte >= 'A' && byte <= 'Z') ||
                           std::string_view{" +-.:\\"}.contains(text.front());
    const bool breaks = byte == '"' || byte == '\r' || byte == '\n' || byte == 0 || byte >= 0x80;
    if (of_values || breaks) return std::nullopt;
    return text.front();
}

CsvColumns columns_of(const Settings& settings) {
    CsvColumns columns;
    for (const CsvColumn& column : kCsvColumns) {
        columns.*column.name = settings.text(csv_column_option(column));
    }
    return columns;
}

class Checker final : OptionChecker {
public:
    Checker(const Settings& settings, Errors& errors) : OptionChecker(settings, errors) {}

    void run() {
        const bool csv = format_type(settings()) == FormatType::csv;
        for (const Option& option : kOptions) {
            only_with(option.path, "format.type", csv, "it is about CSV",
                      "set format.type to csv, or leave it out");
        }
        if (!csv) return;
        delimiter();
        null_text();
        columns();
    }

private:
    void delimiter() {
        if (!good(kDelimiter) || delimiter_of(settings().text(kDelimiter))) return;
        add(kDelimiter, "is not a character that can stand between fields",
            "set it to one of , ; | or \\t");
    }

    void null_text() {
        if (!good(kNullText)) return;
        const std::string& text = settings().text(kNullText);
        const auto delimiter = delimiter_of(settings().text(kDelimiter));
        if (text.find_first_of("\"\r\n") == std::string::npos &&
            (!delimiter || !text.contains(*delimiter))) {
            return;
        }
        add(kNullText, "holds the delimiter, a quote or a line end",
            "leave it out, or set it to \\N");
    }

    void columns() {
        if (good(kOp) && settings().text(kOp).empty()) {
            add(kOp, "is empty, and this column can't be left out", "leave the option out");
        }
        for (const CsvColumn& one : kCsvColumns) {
            for (const CsvColumn& other : kCsvColumns) {
                if (&other == &one) break;
                both(csv_column_option(other), csv_column_option(one));
            }
        }
    }

    void both(const std::string& first, const std::string& second) {
        const std::string& name = settings().text(first);
        if (name.empty() || name != settings().text(second)) return;
        contradiction({first, second}, fmt::format("two columns are called \"{}\"", name),
                      "give them different names");
    }
};

void check_csv(const Settings& settings, Errors& errors) {
    Checker(settings, errors).run();
}

}  // namespace

const OptionTable kCsvOptions{
    .section = "format.csv",
    .about =
        "CSV: a line a change, of the table's columns and some that are added. "
        "docs/reference/csv.md says what they hold.",
    .options = kOptions,
    .check = check_csv,
};

std::string csv_column_option(const CsvColumn& column) {
    return fmt::format("{}{}", kColumns, column.option);
}

CsvOptions csv_options(const Settings& settings) {
    return {.delimiter = delimiter_of(settings.text(kDelimiter)).value_or(','),
            .quote = settings.choice("format.csv.quote", kQuotes),
            .null_text = settings.text(kNullText),
            .header = settings.boolean("format.csv.header"),
            .booleans = settings.choice("format.csv.booleans", kBooleans),
            .binary = settings.choice("format.csv.binary", kBinaries),
            .columns = columns_of(settings)};
}

}  // namespace pgc
