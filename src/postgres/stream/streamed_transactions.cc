#include "postgres/stream/streamed_transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <new>
#include <utility>

#include "base/byte_cursor.h"

namespace pgc {

namespace {

struct Head {
    std::uint32_t size = 0;
    std::uint64_t mark = 0;

    static constexpr std::size_t kSize = sizeof(size) + sizeof(mark);
    std::array<char, kSize> bytes() const noexcept {
        std::array<char, kSize> all;
        std::memcpy(all.data(), &size, sizeof(size));
        std::memcpy(all.data() + sizeof(size), &mark, sizeof(mark));
        return all;
    }
    static Head of(const std::array<char, kSize>& all) noexcept {
        Head head;
        std::memcpy(&head.size, all.data(), sizeof(size));
        std::memcpy(&head.mark, all.data() + sizeof(size), sizeof(mark));
        return head;
    }
};

// Xids go round.
bool is_before(std::uint32_t a, std::uint32_t b) noexcept {
    return static_cast<std::int32_t>(a - b) < 0;
}

std::string mebibytes(std::uint64_t bytes) {
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

}  // namespace

StreamedTransactions::~StreamedTransactions() {
    for (const auto& [xid, streamed] : open_) {
        if (streamed.file) deps_.folder.remove(*streamed.file);
    }
    open_.clear();
    bytes_ = 0;
    report();
}

Result<void> StreamedTransactions::start(const pgoutput::StreamStart& start) {
    assert(current_ == nullptr);
    // One that ended in a crash of the server, which then never says that it did.
    if (start.first) forget(start.xid.value);
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<char[]>(kBuffer);
    current_xid_ = start.xid.value;
    current_ = &open_[current_xid_];
    place_ = current_->size;
    end_ = 0;
    report();
    return {};
}

Result<void> StreamedTransactions::start_prepared(Xid xid) {
    prepared_ = true;
    return start({.xid = xid, .first = true});
}

Result<bool> StreamedTransactions::add(std::string_view message, std::uint64_t mark) {
    assert(current_ != nullptr);
    ByteCursor in{message};
    const std::string_view kind = in.take(1);
    const auto xid = in.read<std::uint32_t>();
    if (in.overrun()) return false;
    Streamed& streamed = *current_;
    if (xid != streamed.last_xid) [[unlikely]] {
        if (auto remembered = remember(streamed, xid); !remembered) {
            return std::unexpected(std::move(remembered.error()));
        }
    }
    auto added = append(kind, in.rest(), mark);
    if (!added) return std::unexpected(std::move(added.error()));
    return true;
}

Result<void> StreamedTransactions::add_plain(std::string_view message, std::uint64_t mark) {
    assert(current_ != nullptr && prepared_);
    return append(message.substr(0, 1), message.substr(1), mark);
}

Result<void> StreamedTransactions::append(std::string_view kind, std::string_view rest,
                                          std::uint64_t mark) {
    Streamed& streamed = *current_;
    const std::size_t entry = Head::kSize + 1 + rest.size();
    if (bytes_ + entry > deps_.limit) [[unlikely]] {
        return std::unexpected(give_up(
            fmt::format("transactions that are not committed yet take more than the {} that "
                        "state.spill_limit allows",
                        mebibytes(deps_.limit)),
            "raise state.spill_limit, if there is room for more"));
    }
    streamed.after_message = kind.front() == 'M';
    const auto head = Head{static_cast<std::uint32_t>(1 + rest.size()), mark}.bytes();
    for (const std::string_view part : {std::string_view{head.data(), head.size()}, kind, rest}) {
        if (auto done = put(part); !done) return done;
    }
    streamed.size += entry;
    bytes_ += entry;
    return {};
}

Result<void> StreamedTransactions::stop() {
    assert(current_ != nullptr);
    auto flushed = flush();
    current_ = nullptr;
    prepared_ = false;
    report();
    return flushed;
}

Result<void> StreamedTransactions::abort(const pgoutput::StreamAbort& abort) {
    const auto found = open_.find(abort.xid.value);
    if (found == open_.end()) return {};
    if (abort.sub_xid == abort.xid) {
        forget(abort.xid.value);
        return {};
    }
    Streamed& streamed = found->second;
    streamed.last_xid = 0;
    const auto aborted = find(streamed, abort.sub_xid.value);
    if (aborted != streamed.subtransactions.end()) {
        const std::uint64_t from = aborted->from;
        streamed.after_message = aborted->after_message;
        subtransactions_ -= static_cast<std::size_t>(streamed.subtransactions.end() - aborted);
        streamed.subtransactions.erase(aborted, streamed.subtransactions.end());
        if (auto done = cut(streamed, from); !done) return done;
    }
    if (!streamed.after_message) return {};
    return std::unexpected(give_up(fmt::format(
        "a part of transaction {} was rolled back, and the server does not say which of its "
        "logical messages belong to that part",
        abort.xid.value)));
}

// The first whose xid is not before it, if that is it.
std::vector<StreamedTransactions::Subtransaction>::iterator StreamedTransactions::find(
    Streamed& streamed, std::uint32_t xid) noexcept {
    auto& all = streamed.subtransactions;
    const auto at = std::ranges::lower_bound(all, xid, is_before, &Subtransaction::xid);
    return at != all.end() && at->xid == xid ? at : all.end();
}

Result<void> StreamedTransactions::remember(Streamed& streamed, std::uint32_t xid) {
    streamed.last_xid = xid;
    if (xid == current_xid_) return {};
    auto& all = streamed.subtransactions;
    const auto at = std::ranges::lower_bound(all, xid, is_before, &Subtransaction::xid);
    if (at != all.end() && at->xid == xid) return {};
    if (subtransactions_ == kSubtransactions_max) {
        return std::unexpected(give_up(
            fmt::format("transactions that are not committed yet have more than {} savepoints",
                        kSubtransactions_max)));
    }
    // Those after it are its own: aborted with it.
    Subtransaction own{xid, streamed.after_message, streamed.size};
    if (at != all.end()) own = {xid, at->after_message, at->from};
    all.insert(at, own);
    ++subtransactions_;
    return {};
}

Result<void> StreamedTransactions::put(std::string_view bytes) {
    if (bytes.size() > kBuffer - end_) {
        if (auto done = flush(); !done) return done;
    }
    if (bytes.size() > kBuffer) {
        if (auto done = deps_.folder.write(*current_->file, place_, bytes); !done) {
            return std::unexpected(fail(std::move(done.error())));
        }
        place_ += bytes.size();
        return {};
    }
    std::memcpy(buffer_.get() + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
    return {};
}

Result<void> StreamedTransactions::flush() {
    if (end_ == 0) return {};
    if (!current_->file) {
        const auto file = deps_.folder.create();
        if (!file) return std::unexpected(fail(file.error()));
        current_->file = *file;
    }
    if (auto done = deps_.folder.write(*current_->file, place_, {buffer_.get(), end_}); !done) {
        return std::unexpected(fail(std::move(done.error())));
    }
    place_ += end_;
    end_ = 0;
    return {};
}

Result<void> StreamedTransactions::cut(Streamed& streamed, std::uint64_t size) {
    bytes_ -= streamed.size - size;
    streamed.size = size;
    report();
    if (!streamed.file) return {};
    if (auto done = deps_.folder.truncate(*streamed.file, size); !done) {
        return std::unexpected(fail(std::move(done.error())));
    }
    return {};
}

void StreamedTransactions::open(Xid xid) noexcept {
    assert(current_ == nullptr && knows(xid));
    current_xid_ = xid.value;
    current_ = &open_.find(xid.value)->second;
    place_ = begin_ = end_ = 0;
}

// False: the file ends before.
Result<bool> StreamedTransactions::fill(char* to, std::size_t size) {
    while (size > 0) {
        if (begin_ == end_) {
            const bool direct = size >= kBuffer;
            const auto want =
                std::min<std::uint64_t>(direct ? size : kBuffer, current_->size - place_);
            char* const into = direct ? to : buffer_.get();
            const auto got = deps_.folder.read(*current_->file, place_, {into, want});
            if (!got) return std::unexpected(fail(got.error()));
            if (*got == 0) return false;
            place_ += *got;
            begin_ = 0;
            end_ = direct ? 0 : *got;
            if (direct) {
                to += *got;
                size -= *got;
                continue;
            }
        }
        const std::size_t part = std::min(size, end_ - begin_);
        std::memcpy(to, buffer_.get() + begin_, part);
        begin_ += part;
        to += part;
        size -= part;
    }
    return true;
}

Result<std::optional<SpilledMessage>> StreamedTransactions::next() {
    assert(current_ != nullptr);
    const std::uint64_t left = current_->size - place_ + (end_ - begin_);
    if (left == 0) return std::nullopt;
    std::array<char, Head::kSize> bytes{};
    const auto broken = [&] {
        return std::unexpected(give_up(
            fmt::format("the file of transaction {} is not as it was written", current_xid_)));
    };
    const auto has_head = fill(bytes.data(), bytes.size());
    if (!has_head) return std::unexpected(has_head.error());
    const Head head = Head::of(bytes);
    if (!*has_head || head.size == 0 || head.size > left - Head::kSize) return broken();
    SpilledMessage message{.mark = head.mark, .size = head.size, .bytes = {}};
    message.bytes.reset(static_cast<char*>(std::malloc(head.size)));
    if (!message.bytes) throw std::bad_alloc{};
    const auto has_rest = fill(message.bytes.get(), head.size);
    if (!has_rest) return std::unexpected(has_rest.error());
    if (!*has_rest) return broken();
    return message;
}

void StreamedTransactions::close() noexcept {
    current_ = nullptr;
    begin_ = end_ = 0;
    forget(current_xid_);
}

void StreamedTransactions::forget(std::uint32_t xid) noexcept {
    const auto found = open_.find(xid);
    if (found == open_.end()) return;
    if (found->second.file) deps_.folder.remove(*found->second.file);
    bytes_ -= found->second.size;
    subtransactions_ -= found->second.subtransactions.size();
    open_.erase(found);
    report();
}

void StreamedTransactions::report() noexcept {
    if (deps_.bytes != nullptr) deps_.bytes->set(static_cast<double>(bytes_));
    if (deps_.transactions != nullptr) deps_.transactions->set(static_cast<double>(open_.size()));
}

Error StreamedTransactions::give_up(std::string why, std::string hint) {
    std::string where = deps_.folder.path();
    if (current_ != nullptr) {
        where += fmt::format(", transaction {} of {} so far, {} in all", current_xid_,
                             mebibytes(current_->size), mebibytes(bytes_));
    }
    gave_up_ = true;
    if (prepared_) {
        return retry(Error::Category::storage,
                     why + ": a prepared transaction has to be kept here until it is decided")
            .at(std::move(where))
            .with_hint(std::move(hint));
    }
    why += ": continuing while the server keeps such transactions itself until they are committed";
    return restart_with(Error::Category::storage, std::move(why))
        .at(std::move(where))
        .with_hint(std::move(hint));
}

// The folder did not do what it was asked for.
Error StreamedTransactions::fail(Error error) {
    return give_up(std::move(error.what), std::move(error.hint));
}

}  // namespace pgc
