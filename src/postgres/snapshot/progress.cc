#include "postgres/snapshot/progress.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "base/lsn.h"
#include "base/percent.h"

namespace pgc {
namespace {

constexpr std::string_view kHead = "snapshot 1";

// "%" is the empty text: a word is never empty.
std::string escaped(std::string_view text) {
    if (text.empty()) return "%";
    std::string out;
    percent_encode(out, text, [](char c) { return is_plain_in_line(c) && c != ','; });
    return out;
}

std::optional<std::string> unescaped(std::string_view text) {
    if (text == "%") return std::string{};
    if (text.empty()) return std::nullopt;
    return percent_decode(text);
}

std::string key_word(const Key& key) {
    if (key.empty()) return "-";
    std::string word;
    for (const std::string& text : key) word += (word.empty() ? "" : ",") + escaped(text);
    return word == "-" ? "%2D" : word;
}

std::optional<Key> read_key(std::string_view word) {
    Key key;
    if (word == "-") return key;
    while (true) {
        const auto comma = word.find(',');
        auto text = unescaped(word.substr(0, comma));
        if (!text) return std::nullopt;
        key.push_back(std::move(*text));
        if (comma == std::string_view::npos) return key;
        word.remove_prefix(comma + 1);
    }
}

// The words of one line, off its front.
class LineWords {
public:
    explicit LineWords(std::string_view line) : rest_(line) {}

    bool over() const noexcept { return rest_.empty(); }
    std::string_view next() {
        const auto space = rest_.find(' ');
        const auto word = rest_.substr(0, space);
        rest_.remove_prefix(space == std::string_view::npos ? rest_.size() : space + 1);
        return word;
    }
    std::optional<std::uint32_t> number() {
        const auto word = next();
        std::uint32_t value = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
        return value;
    }

private:
    std::string_view rest_;
};

void write_oids(std::string& out, std::string_view word, const std::set<Oid>& oids) {
    if (oids.empty()) return;
    out += fmt::format("\n{}", word);
    std::uint32_t before = 0;
    for (const Oid oid : oids) {
        out += fmt::format(" {}", oid.value - std::exchange(before, oid.value));
    }
}

void write_job(std::string& out, const SnapshotJob& job) {
    out += fmt::format("\nrequest {}{}", escaped(job.request.id), job.all() ? " all" : "");
    for (const std::string& table : job.request.tables) {
        out += fmt::format("\ntable {}", escaped(table));
    }
    if (!job.request.where.empty()) out += fmt::format("\nwhere {}", escaped(job.request.where));
    if (const auto& reload = job.request.reload) {
        out += fmt::format("\nreload {} {}", escaped(reload->by), to_string(reload->at));
    }
    if (job.paused) out += "\npaused";
    if (job.messaged) out += "\nmessaged";
    if (job.begun) out += "\nbegun";
    write_oids(out, "meant", job.pending);
    write_oids(out, "done", job.done);
    for (const auto& [oid, table] : job.open) {
        out += fmt::format("\nopen {} {}", oid.value, table.shown.value);
        for (const std::string& column : table.key) out += " " + escaped(column);
        if (table.begun) out += "\nbegun";
        if (!table.name.empty()) {
            out += fmt::format("\ncalled {} {}", escaped(table.schema), escaped(table.name));
        }
        if (table.columns.last != 0) {
            out += fmt::format("\ncolumns {} {}", table.columns.last, table.columns.sum);
        }
        for (const KeyRange& range : table.left) {
            out += range.alone
                       ? fmt::format("\nalone {}", key_word(range.upto))
                       : fmt::format("\nleft {} {}", key_word(range.after), key_word(range.upto));
        }
    }
}

// Reads the lines after a "request". Each returns false for what can't be.
class JobReader {
public:
    bool line(std::string_view line) {
        LineWords words{line};
        const auto what = words.next();
        if (what == "request") return request(words);
        if (jobs_.empty()) return false;
        if (what == "table") return table(words);
        if (what == "where") return where(words);
        if (what == "reload") return reload(words);
        if (what == "paused") return (jobs_.back().paused = true) && words.over();
        if (what == "messaged") return (jobs_.back().messaged = true) && words.over();
        if (what == "begun") return begun(words);
        if (what == "meant") return !all_ && oids(words, jobs_.back().pending);
        if (what == "done") return oids(words, jobs_.back().done);
        if (what == "open") return open(words);
        if (what == "called") return called(words);
        if (what == "columns") return columns(words);
        if (what == "alone") return alone(words);
        return what == "left" && left(words);
    }
    // Whether every request says what it is for.
    bool whole() const { return jobs_.empty() || jobs_.back().all() == all_; }
    std::vector<SnapshotJob> take() { return std::move(jobs_); }

private:
    bool request(LineWords& words) {
        if (!whole()) return false;
        auto id = unescaped(words.next());
        if (!id || !is_snapshot_id(*id)) return false;
        all_ = !words.over();
        if (all_ && words.next() != "all") return false;
        jobs_.push_back({.request = {.id = std::move(*id), .tables = {}}});
        open_ = nullptr;
        return words.over();
    }
    bool table(LineWords& words) {
        auto pattern = unescaped(words.next());
        if (!pattern || all_ || !words.over()) return false;
        jobs_.back().request.tables.push_back(std::move(*pattern));
        return true;
    }
    bool where(LineWords& words) {
        auto text = unescaped(words.next());
        if (!text || !words.over()) return false;
        jobs_.back().request.where = std::move(*text);
        return true;
    }
    bool reload(LineWords& words) {
        auto by = unescaped(words.next());
        const auto at = parse_lsn(words.next());
        if (!by || !at || !words.over()) return false;
        jobs_.back().request.reload = {.by = std::move(*by), .at = *at};
        return true;
    }
    static bool oids(LineWords& words, std::set<Oid>& oids) {
        std::uint32_t oid = 0;
        while (!words.over()) {
            const auto step = words.number();
            if (!step || *step == 0 || oid + *step < oid) return false;
            oid += *step;
            oids.insert(Oid{oid});
        }
        return oid != 0;
    }
    bool open(LineWords& words) {
        const auto oid = words.number();
        const auto shown = words.number();
        if (!oid || !shown || words.over()) return false;
        open_ = &jobs_.back().open[Oid{*oid}];
        open_->shown = Oid{*shown};
        while (!words.over()) {
            auto column = unescaped(words.next());
            if (!column) return false;
            open_->key.push_back(std::move(*column));
        }
        return true;
    }
    bool begun(LineWords& words) {
        (open_ != nullptr ? open_->begun : jobs_.back().begun) = true;
        return words.over();
    }
    bool called(LineWords& words) {
        auto schema = unescaped(words.next());
        auto name = unescaped(words.next());
        if (!schema || !name || !words.over() || open_ == nullptr) return false;
        open_->schema = std::move(*schema);
        open_->name = std::move(*name);
        return true;
    }
    bool columns(LineWords& words) {
        const auto last = words.number();
        const auto sum = words.number();
        if (!last || !sum || !words.over() || open_ == nullptr) return false;
        open_->columns = {.last = *last, .sum = *sum};
        return true;
    }
    bool left(LineWords& words) {
        auto after = read_key(words.next());
        auto upto = read_key(words.next());
        if (!after || !upto || !words.over() || open_ == nullptr) return false;
        open_->left.push_back({std::move(*after), std::move(*upto)});
        return true;
    }

    bool alone(LineWords& words) {
        auto key = read_key(words.next());
        if (!key || key->empty() || !words.over() || open_ == nullptr) return false;
        open_->left.push_back({.after = {}, .upto = std::move(*key), .alone = true});
        return true;
    }

    std::vector<SnapshotJob> jobs_;
    bool all_ = false;
    OpenTable* open_ = nullptr;
};

}  // namespace

std::string ordering_word(const Ordering& ordering) {
    return fmt::format("{}:{}:{}:{}", ordering.column, ordering.type.value, ordering.unusual,
                       ordering.version);
}

std::string_view ordered_column(std::string_view word) noexcept {
    for (int i = 0; i < 3; ++i) {
        const auto colon = word.rfind(':');
        if (colon == std::string_view::npos) return {};
        word = word.substr(0, colon);
    }
    return word;
}

bool has_key_of(const Relation& relation, const OpenTable& open) {
    const auto name = [&](std::uint32_t place) -> std::string_view {
        return relation.columns[place].name;
    };
    return std::ranges::equal(open.key, relation.key, {}, ordered_column, name);
}

void add_moved(OpenTable& open, const std::optional<Key>& key) {
    // All of it is left.
    if (open.left.size() == 1 && open.left.front() == KeyRange{}) return;
    const auto alone = std::ranges::count_if(open.left, &KeyRange::alone);
    if (!key || static_cast<std::size_t>(alone) >= kAlone_max) {
        open.left.assign(1, {});
        return;
    }
    KeyRange range{.after = {}, .upto = *key, .alone = true};
    if (std::ranges::find(open.left, range) == open.left.end()) {
        open.left.push_back(std::move(range));
    }
}

std::vector<SnapshotJob> bounded(std::vector<SnapshotJob> jobs) {
    struct Open {
        std::size_t bytes = 0;  // of its list, about
        OpenTable* table = nullptr;
    };
    std::vector<Open> tables;
    std::size_t bytes = write_progress(jobs).size();
    if (bytes <= kProgressBytes_max) return jobs;
    for (SnapshotJob& job : jobs) {
        for (auto& [oid, table] : job.open) {
            std::size_t size = 0;
            for (const KeyRange& range : table.left) {
                size += key_word(range.after).size() + key_word(range.upto).size();
            }
            tables.push_back({.bytes = size, .table = &table});
        }
    }
    std::ranges::sort(tables, std::ranges::greater{}, &Open::bytes);
    for (const Open& open : tables) {
        if (bytes <= kProgressBytes_max) break;
        bytes -= std::min(bytes, open.bytes);
        open.table->left.assign(1, {});
    }
    return jobs;
}

std::string write_progress(const std::vector<SnapshotJob>& jobs) {
    if (jobs.empty()) return {};
    std::string text{kHead};
    for (const SnapshotJob& job : jobs) write_job(text, job);
    return text;
}

Result<std::vector<SnapshotJob>, std::string> read_progress(std::string_view text) {
    if (text.empty()) return std::vector<SnapshotJob>{};
    if (text == kWholeSnapshot) {
        return std::vector<SnapshotJob>{
            {.request = {.id = std::string{kWholeSnapshotId}, .tables = {}}}};
    }
    if (!text.starts_with(kHead)) {
        return std::unexpected("it was written by another version of pg-capture");
    }
    text.remove_prefix(kHead.size());
    JobReader reader;
    while (!text.empty()) {
        if (text.front() != '\n') return std::unexpected("its lines are not those of a snapshot");
        text.remove_prefix(1);
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(line.size());
        if (!reader.line(line)) return std::unexpected("its lines are not those of a snapshot");
    }
    if (!reader.whole()) return std::unexpected("it is cut short");
    return reader.take();
}

}  // namespace pgc
