// The two streams a command talks to people and programs with, as an object so that
// tests can listen. Text for people goes out as it is said, results on `out`, everything
// else on `err`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

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
};

// Descriptors 1 and 2.
class SystemConsole final : public Console {
public:
    void out(std::string_view text) override;
    void err(std::string_view text) override;
    bool out_is_terminal() const override;
    std::size_t out_width() const override;
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
