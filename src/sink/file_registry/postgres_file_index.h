// The index of files in a PostgreSQL database (schema.h), asked and waited for.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/wait.h"
#include "sink/file_registry/client.h"
#include "sink/file_registry/file_index.h"

namespace pgc {

class PostgresFileIndex final : public FileIndex {
public:
    // What ends the waiting for an answer, and with it all use of the index: `asked`, which is
    // noticed when `fd` becomes readable.
    struct Interrupt {
        int fd = -1;
        const std::atomic<bool>* asked = nullptr;
    };
    // `clock`, `waiter` and what the interrupt is outlive it.
    PostgresFileIndex(std::unique_ptr<LinkFactory> links, FileRegistryConfig config,
                      const Clock& clock, Waiter& waiter, Interrupt interrupt);

    Result<IndexState> state() override;
    Result<std::vector<IndexedFile>> files(std::uint64_t after, std::size_t most) override;
    Result<std::vector<std::string>> registered(const std::vector<std::string>& paths) override;
    Result<std::vector<OldBatch>> removable(const RetentionRule& rule, std::size_t most) override;
    Result<void> remove(const std::vector<std::string>& paths, bool only_loaded,
                        const std::string& why) override;
    std::string where() const override { return client_.where(); }

private:
    [[nodiscard]] Result<Rows> ask(Query query);
    template <typename T>
    [[nodiscard]] Result<T> placed(Result<T> answer) const;
    const std::string& pipeline() const noexcept { return client_.config().pipeline; }

    const std::unique_ptr<LinkFactory> links_;
    FileRegistryClient client_;
    Waiter& waiter_;
    const Interrupt interrupt_;
};

}  // namespace pgc
