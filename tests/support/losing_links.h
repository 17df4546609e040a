// Links to a real server of which the one that sends a certain command breaks: before that arrives,
// or after, so that nobody knows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pgclient/link.h"

namespace pgc {

class LosingLinks final : public LinkFactory {
public:
    enum class Loses : std::uint8_t { nothing, question, answer };

    explicit LosingLinks(LinkFactory& inner) : inner_(inner) {}

    // The next command that holds `text`.
    void lose_next(std::string text, Loses what) {
        text_ = std::move(text);
        what_ = what;
    }
    // Called with each answer that is whole.
    std::function<void(const Rows&)> on_answer;
    Result<std::unique_ptr<Link>> make(Use use) override;

private:
    class One;
    Loses take(std::string_view command) {
        if (what_ == Loses::nothing || command.find(text_) == std::string_view::npos) {
            return Loses::nothing;
        }
        return std::exchange(what_, Loses::nothing);
    }

    LinkFactory& inner_;
    std::string text_;
    Loses what_ = Loses::nothing;
};

class LosingLinks::One final : public Link {
public:
    One(LosingLinks& owner, std::unique_ptr<Link> inner)
        : owner_(owner), inner_(std::move(inner)) {}

    Result<Connecting> connect() override { return inner_->connect(); }
    int fd() const noexcept override { return inner_->fd(); }
    bool has_something_to_say() const noexcept override { return inner_->has_something_to_say(); }
    bool wants_to_write() const noexcept override { return inner_->wants_to_write(); }
    int server_version() const noexcept override { return inner_->server_version(); }
    std::uint32_t backend_pid() const noexcept override { return inner_->backend_pid(); }
    bool encrypted() const noexcept override { return inner_->encrypted(); }
    bool local() const noexcept override { return inner_->local(); }
    bool loopback() const noexcept override { return inner_->loopback(); }
    std::string parameter(const char* name) const override { return inner_->parameter(name); }

    Result<void> send(std::string_view command) override {
        loses_ = owner_.take(command);
        return loses_ == Loses::question ? Result<void>{} : inner_->send(command);
    }
    Result<void> send(std::string_view command,
                      std::span<const std::optional<std::string>> parameters,
                      bool binary_answer) override {
        loses_ = owner_.take(command);
        if (loses_ == Loses::question) return {};
        return inner_->send(command, parameters, binary_answer);
    }
    Result<std::optional<Rows>> result() override {
        if (loses_ == Loses::question) return std::unexpected(lost());
        auto rows = inner_->result();
        if (loses_ == Loses::answer && (!rows || *rows)) return std::unexpected(lost());
        if (rows && *rows && owner_.on_answer) owner_.on_answer(**rows);
        return rows;
    }
    const std::string& sqlstate() const noexcept override {
        return loses_ == Loses::nothing ? inner_->sqlstate() : none_;
    }
    bool copying() const noexcept override { return inner_->copying(); }
    Result<Drained> drain(std::vector<CopyMessage>& out, std::size_t max_messages,
                          std::size_t max_bytes, std::size_t& received) override {
        return inner_->drain(out, max_messages, max_bytes, received);
    }
    Release release() const noexcept override { return inner_->release(); }
    Result<void> put(std::string_view message) override { return inner_->put(message); }
    Result<void> flush() override { return inner_->flush(); }
    void set_low_water(std::size_t bytes) noexcept override { inner_->set_low_water(bytes); }
    Result<bool> end_copy() override { return inner_->end_copy(); }

private:
    static Error lost() { return retry(Error::Category::connection, "the connection was cut"); }

    LosingLinks& owner_;
    const std::unique_ptr<Link> inner_;
    Loses loses_ = Loses::nothing;
    const std::string none_;
};

inline Result<std::unique_ptr<Link>> LosingLinks::make(Use use) {
    auto made = inner_.make(use);
    if (!made) return made;
    return std::make_unique<One>(*this, std::move(*made));
}

}  // namespace pgc
