// The two streams a command talks to people and programs with, as an object so that
// tests can listen. Text for people goes out as it is said, results on `out`, everything
// else on `err`.
//
// Who reads `out` may do so slowly, stop, or go away (`| head`). out() waits for him; a signal
// ends the waiting: it ends the process, or where a command looks after signals itself, obey()
// reports them. After the first text that could not be written nothing more is, and a command
// that goes on and on looks at out_is_over(). Requires: SIGPIPE is ignored.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "pipeline/stop_request.h"
#include "sink/console/output.h"

namespace pgc {

class Console {
public:
    Console() = default;
    Console(const Console&) = delete;
    Console& operator=(const Console&) = delete;
    virtual ~Console() = default;

    virtual void out(std::string_view text) = 0;
    virtual void err(std::string_view text) = 0;
    virtual bool out_is_terminal() const = 0;
    // How many characters go into a line of `out`, when it is a terminal.
    virtual std::size_t out_width() const = 0;

    // Nobody gets what is said on `out` any more.
    virtual bool out_is_over() const { return false; }
    // Why not, unless its reader went away: that is no error.
    virtual std::optional<Error> out_error() const { return std::nullopt; }
    // out() gives up when somebody asks `stop` to end; null: nobody does.
    virtual void obey(const StopRequest* /*stop*/) {}
};

// While it stands, the console obeys.
class Obedience {
public:
    Obedience(Console& console, const StopRequest& stop) : console_(console) {
        console_.obey(&stop);
    }
    Obedience(const Obedience&) = delete;
    Obedience& operator=(const Obedience&) = delete;
    ~Obedience() { console_.obey(nullptr); }

private:
    Console& console_;
};

// Descriptors 1 and 2.
class SystemConsole final : public Console {
public:
    void out(std::string_view text) override;
    void err(std::string_view text) override;
    bool out_is_terminal() const override;
    std::size_t out_width() const override;
    bool out_is_over() const override { return over_; }
    std::optional<Error> out_error() const override { return error_; }
    void obey(const StopRequest* stop) override { stop_ = stop; }

private:
    void write_out(Output& output, std::string_view text);
    bool wait_for_reader(const Output& output) const;

    std::optional<Output> output_;  // made when first needed
    const StopRequest* stop_ = nullptr;
    bool over_ = false;
    std::optional<Error> error_;
};

class CapturedConsole final : public Console {
public:
    void out(std::string_view text) override { out_text += text; }
    void err(std::string_view text) override { err_text += text; }
    bool out_is_terminal() const override { return is_terminal; }
    std::size_t out_width() const override { return 80; }

    std::string out_text;
    std::string err_text;
    bool is_terminal = false;
};

}  // namespace pgc
