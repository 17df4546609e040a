// The file system of this machine, as a Disk.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sink/file/disk.h"

namespace pgc {

// The calls whose failures no test can bring about from outside.
struct SystemCalls {
    SystemCalls();

    ssize_t (*write)(int fd, const void* bytes, std::size_t size);
    int (*fdatasync)(int fd);
    int (*renameat2)(int from_folder, const char* from, int to_folder, const char* to,
                     unsigned flags);
};

class SystemDisk final : public Disk {
public:
    explicit SystemDisk(DiskModes modes = {}, SystemCalls calls = {});

    Result<std::unique_ptr<DiskFile>> create(const std::string& path) override;
    Result<std::unique_ptr<DiskFile>> append(const std::string& path, std::uint64_t size) override;
    Result<void> make_folder(const std::string& path) override;
    Result<void> rename(const std::string& from, const std::string& to) override;
    Result<void> sync_folder(const std::string& path) override;
    Result<std::optional<std::string>> read(const std::string& path) override;
    Result<std::optional<std::string>> read_part(const std::string& path, std::uint64_t offset,
                                                 std::size_t most) override;
    Result<void> replace(const std::string& path, std::string_view content) override;
    Result<void> remove(const std::string& path) override;
    Result<std::vector<std::string>> list(const std::string& path) override;
    Result<std::optional<std::uint64_t>> size(const std::string& path) override;
    Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override;

private:
    const DiskModes modes_;
    const SystemCalls calls_;
};

}  // namespace pgc
