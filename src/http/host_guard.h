// Which names an instance may be asked by, against DNS rebinding: a web page whose own name is
// suddenly our address makes a browser read our answers for it. Such a request bears that name in
// its Host header.
//
// Allowed are addresses (probes ask by a pod's), "localhost", names without a dot (nobody can
// register one), the host we listen on, and the names that are configured; "*" is every name. A
// request without the header comes from no browser.
//
// Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgc {

class HostGuard {
public:
    HostGuard(std::string listen_host, std::vector<std::string> names)
        : listen_host_(std::move(listen_host)), names_(std::move(names)) {}

    // `header` as it was sent: "metrics.example.com:9090".
    bool allows(std::string_view header) const;

private:
    std::string listen_host_;
    std::vector<std::string> names_;
};

}  // namespace pgc
