#include "sink/file/simulated_disk.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sink/file/disk_error.h"

namespace pgc {

namespace {

std::unexpected<Error> refused(std::string_view verb, const std::string& path, int code) {
    return std::unexpected(disk_error(verb, path, code));
}

std::vector<std::string_view> parts_of(std::string_view path) {
    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const auto slash = path.find('/');
        if (slash != 0) parts.push_back(path.substr(0, slash));
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return parts;
}

bool changes_something(DiskCall call) {
    switch (call) {
        case DiskCall::sync:
        case DiskCall::sync_folder:
        case DiskCall::read:
        case DiskCall::list:
        case DiskCall::size: return false;
        default: return true;
    }
}

}  // namespace

std::string_view name(DiskCall call) noexcept {
    switch (call) {
        case DiskCall::create: return "create";
        case DiskCall::append: return "append to";
        case DiskCall::write: return "write";
        case DiskCall::sync: return "sync";
        case DiskCall::make_folder: return "create folder";
        case DiskCall::rename: return "rename";
        case DiskCall::sync_folder: return "sync folder";
        case DiskCall::read: return "read";
        case DiskCall::replace: return "replace";
        case DiskCall::remove: return "remove";
        case DiskCall::list: return "list";
        case DiskCall::size: return "measure";
        case DiskCall::lock: return "lock";
    }
    return "";
}

class SimulatedDisk::File final : public DiskFile {
public:
    File(SimulatedDisk& disk, NodeId id, std::string path)
        : disk_(disk), id_(id), life_(disk.life_), path_(std::move(path)) {}

    Result<void> write(std::string_view bytes) override {
        return disk_.write(id_, life_, path_, bytes);
    }
    Result<void> sync() override { return disk_.sync(id_, life_, path_); }

private:
    SimulatedDisk& disk_;
    const NodeId id_;
    const std::uint64_t life_;
    const std::string path_;
};

class SimulatedDisk::Lock final : public DiskLock {
public:
    Lock(SimulatedDisk& disk, NodeId id) : disk_(disk), id_(id), life_(disk.life_) {}
    ~Lock() override { disk_.unlock(id_, life_); }

private:
    SimulatedDisk& disk_;
    const NodeId id_;
    const std::uint64_t life_;
};

SimulatedDisk::SimulatedDisk() {
    nodes_[kRoot] = {.folder = true, .durable = Place{}};
}

SimulatedDisk::~SimulatedDisk() = default;

// -- the tree ---------------------------------------------------------------------------------

std::optional<SimulatedDisk::NodeId> SimulatedDisk::child(NodeId folder,
                                                          std::string_view name) const {
    for (const auto& [id, node] : nodes_) {
        if (id != kRoot && node.now.folder == folder && node.now.name == name) return id;
    }
    return std::nullopt;
}

Result<SimulatedDisk::NodeId, int> SimulatedDisk::find(std::string_view path) const {
    NodeId at = kRoot;
    for (const std::string_view part : parts_of(path)) {
        if (!nodes_.at(at).folder) return std::unexpected(ENOTDIR);
        const auto next = child(at, part);
        if (!next) return std::unexpected(ENOENT);
        at = *next;
    }
    return at;
}

// Where a new entry of this path goes.
Result<SimulatedDisk::Place, int> SimulatedDisk::place_of(std::string_view path) const {
    auto parts = parts_of(path);
    if (parts.empty()) return std::unexpected(path.empty() ? ENOENT : EEXIST);
    const std::string name{parts.back()};
    NodeId at = kRoot;
    parts.pop_back();
    for (const std::string_view part : parts) {
        const auto next = child(at, part);
        if (!next) return std::unexpected(ENOENT);
        if (!nodes_.at(*next).folder) return std::unexpected(ENOTDIR);
        at = *next;
    }
    return Place{at, name};
}

SimulatedDisk::NodeId SimulatedDisk::add(bool folder, Place place) {
    nodes_[++last_id_] = {.folder = folder, .now = std::move(place)};
    return last_id_;
}

bool SimulatedDisk::is_inside(NodeId id, NodeId folder) const {
    for (NodeId at = id; at != kRoot; at = nodes_.at(at).now.folder) {
        if (at == folder) return true;
    }
    return folder == kRoot;
}

// With what is in it.
void SimulatedDisk::erase(NodeId id) {
    std::vector<NodeId> gone;
    for (const auto& [other, node] : nodes_) {
        if (other != kRoot && is_inside(other, id)) gone.push_back(other);
    }
    for (const NodeId each : gone) nodes_.erase(each);
    // What was moved out of it is where it was moved to.
    for (auto& [other, node] : nodes_) {
        if (node.durable && !nodes_.contains(node.durable->folder)) node.durable = node.now;
    }
}

std::string SimulatedDisk::path_of(NodeId id) const {
    const Node& node = nodes_.at(id);
    const std::string end = node.now.name + (node.folder ? "/" : "");
    return node.now.folder == kRoot ? end : path_of(node.now.folder) + end;
}

// -- faults -----------------------------------------------------------------------------------

std::optional<int> SimulatedDisk::refusal(DiskCall call, const std::string& path) {
    if (observer_) observer_(call, path);
    if (read_only_ && changes_something(call)) return EROFS;
    for (Fault& fault : faults_[call]) {
        if (fault.strikes()) return fault.code;
    }
    return std::nullopt;
}

void SimulatedDisk::fail_next(DiskCall call, int code, unsigned count, unsigned after) {
    faults_[call].push_back({.code = code, .after = after, .count = count});
}

void SimulatedDisk::fail_sometimes(DiskCall call, int code, unsigned percent, Random& random) {
    auto& faults = faults_[call];
    std::erase_if(faults, [](const Fault& fault) { return fault.random != nullptr; });
    if (percent > 0) faults.push_back({.code = code, .percent = percent, .random = &random});
}

std::uint64_t SimulatedDisk::used() const {
    std::uint64_t sum = 0;
    for (const auto& [id, node] : nodes_) sum += node.bytes.size();
    return sum;
}

// -- files ------------------------------------------------------------------------------------

Result<std::unique_ptr<DiskFile>> SimulatedDisk::create(const std::string& path) {
    if (const auto code = refusal(DiskCall::create, path)) return refused("create", path, *code);
    auto place = place_of(path);
    if (!place) return refused("create", path, place.error());
    if (child(place->folder, place->name)) return refused("create", path, EEXIST);
    return std::make_unique<File>(*this, add(false, std::move(*place)), path);
}

Result<std::unique_ptr<DiskFile>> SimulatedDisk::append(const std::string& path,
                                                        std::uint64_t size) {
    if (const auto code = refusal(DiskCall::append, path)) return refused("open", path, *code);
    const auto id = find(path);
    if (!id) return refused("open", path, id.error());
    Node& node = nodes_.at(*id);
    if (node.folder) return refused("open", path, EISDIR);
    if (node.bytes.size() < size) {
        return std::unexpected(shorter_than_registered(path, node.bytes.size(), size));
    }
    node.bytes.resize(size);
    node.same = std::min(node.same, node.bytes.size());
    return std::make_unique<File>(*this, *id, path);
}

Result<void> SimulatedDisk::write(NodeId id, std::uint64_t life, const std::string& path,
                                  std::string_view bytes) {
    if (life != life_) return refused("write", path, EBADF);
    if (const auto code = refusal(DiskCall::write, path)) return refused("write", path, *code);
    // Not there: removed while it was open. Its bytes go nowhere.
    const auto found = nodes_.find(id);
    if (found == nodes_.end()) return {};
    const auto fits = capacity_ ? *capacity_ - std::min(*capacity_, used()) : bytes.size();
    found->second.bytes.append(bytes.substr(0, fits));
    if (bytes.size() > fits) return refused("write", path, ENOSPC);
    return {};
}

Result<void> SimulatedDisk::sync(NodeId id, std::uint64_t life, const std::string& path) {
    if (life != life_) return refused("sync", path, EBADF);
    const auto code = refusal(DiskCall::sync, path);
    if (const auto found = nodes_.find(id); found != nodes_.end()) {
        Node& node = found->second;
        if (code) {
            node.bytes.replace(node.same, std::string::npos, node.bytes.size() - node.same, '\0');
        } else {
            node.durable_bytes = node.bytes;
            node.same = node.bytes.size();
        }
    }
    if (code) return refused("sync", path, *code);
    return {};
}

// -- folders and names ------------------------------------------------------------------------

Result<void> SimulatedDisk::make_folder(const std::string& path) {
    if (const auto code = refusal(DiskCall::make_folder, path)) {
        return refused("create folder", path, *code);
    }
    const auto parts = parts_of(path);
    NodeId at = kRoot;
    for (std::size_t n = 0; n < parts.size(); ++n) {
        const auto next = child(at, parts[n]);
        const NodeId above = at;
        at = next ? *next : add(true, {above, std::string{parts[n]}});
        Node& node = nodes_.at(at);
        if (!node.folder) return refused("create folder", path, EEXIST);
        // Of those that exist, the lowest alone.
        if (next && n + 1 < parts.size()) continue;
        node.durable = node.now;
        if (!next) nodes_.at(above).durable = nodes_.at(above).now;
    }
    return {};
}

Result<void> SimulatedDisk::rename(const std::string& from, const std::string& to) {
    const std::string verb = "rename " + from + " to";
    if (const auto code = refusal(DiskCall::rename, from)) return refused(verb, to, *code);
    const auto id = find(from);
    if (!id) return refused(verb, to, id.error());
    auto place = place_of(to);
    if (!place) return refused(verb, to, place.error());
    if (is_inside(place->folder, *id)) return refused(verb, to, EINVAL);
    if (child(place->folder, place->name)) return refused(verb, to, EEXIST);
    nodes_.at(*id).now = std::move(*place);
    return {};
}

Result<void> SimulatedDisk::sync_folder(const std::string& path) {
    if (const auto code = refusal(DiskCall::sync_folder, path)) return refused("sync", path, *code);
    const auto folder = find(path);
    if (!folder) return refused("sync", path, folder.error());
    if (!nodes_.at(*folder).folder) return refused("sync", path, ENOTDIR);
    for (auto& [id, node] : nodes_) {
        if (node.now.folder == *folder) node.durable = node.now;
    }
    return {};
}

Result<std::optional<std::string>> SimulatedDisk::read(const std::string& path) {
    if (const auto code = refusal(DiskCall::read, path)) return refused("read", path, *code);
    const auto id = find(path);
    if (!id && id.error() == ENOENT) return std::nullopt;
    if (!id) return refused("open", path, id.error());
    const Node& node = nodes_.at(*id);
    if (node.folder) return refused("read", path, EISDIR);
    if (node.bytes.size() > kRead_max) return std::unexpected(too_large_to_read(path));
    return node.bytes;
}

Result<std::optional<std::string>> SimulatedDisk::read_part(const std::string& path,
                                                            std::uint64_t offset,
                                                            std::size_t most) {
    if (const auto code = refusal(DiskCall::read, path)) return refused("read", path, *code);
    const auto id = find(path);
    if (!id && id.error() == ENOENT) return std::nullopt;
    if (!id) return refused("open", path, id.error());
    const Node& node = nodes_.at(*id);
    if (node.folder) return refused("read", path, EISDIR);
    if (offset >= node.bytes.size()) return std::string{};
    return node.bytes.substr(offset, most);
}

Result<void> SimulatedDisk::replace(const std::string& path, std::string_view content) {
    if (const auto code = refusal(DiskCall::replace, path)) return refused("replace", path, *code);
    auto place = place_of(path);
    if (!place) return refused("replace", path, place.error());
    auto id = child(place->folder, place->name);
    if (id && nodes_.at(*id).folder) return refused("replace", path, EISDIR);
    if (capacity_ && used() + content.size() > *capacity_) return refused("replace", path, ENOSPC);
    if (!id) id = add(false, std::move(*place));
    Node& node = nodes_.at(*id);
    node.durable = node.now;
    node.bytes = content;
    node.durable_bytes = content;
    node.same = content.size();
    return {};
}

Result<void> SimulatedDisk::remove(const std::string& path) {
    if (const auto code = refusal(DiskCall::remove, path)) return refused("remove", path, *code);
    const auto id = find(path);
    if (!id && id.error() == ENOENT) return {};
    if (!id) return refused("remove", path, id.error());
    if (*id == kRoot) return refused("remove", path, EBUSY);
    erase(*id);
    return {};
}

Result<std::vector<std::string>> SimulatedDisk::list(const std::string& path) {
    if (const auto code = refusal(DiskCall::list, path)) return refused("list", path, *code);
    std::vector<std::string> names;
    const auto folder = find(path);
    if (!folder && folder.error() == ENOENT) return names;
    if (!folder) return refused("list", path, folder.error());
    if (!nodes_.at(*folder).folder) return refused("list", path, ENOTDIR);
    for (const auto& [id, node] : nodes_) {
        if (id != kRoot && node.now.folder == *folder) names.push_back(node.now.name);
    }
    std::ranges::sort(names);
    return names;
}

Result<std::optional<std::uint64_t>> SimulatedDisk::size(const std::string& path) {
    if (const auto code = refusal(DiskCall::size, path)) return refused("measure", path, *code);
    const auto id = find(path);
    if (!id && id.error() == ENOENT) return std::nullopt;
    if (!id) return refused("measure", path, id.error());
    if (nodes_.at(*id).folder) return refused("measure", path, EISDIR);
    return nodes_.at(*id).bytes.size();
}

// -- locks ------------------------------------------------------------------------------------

Result<std::unique_ptr<DiskLock>> SimulatedDisk::lock(const std::string& path) {
    if (const auto code = refusal(DiskCall::lock, path)) return refused("lock", path, *code);
    auto place = place_of(path);
    if (!place) return refused("open", path, place.error());
    auto id = child(place->folder, place->name);
    if (id && nodes_.at(*id).folder) return refused("open", path, EISDIR);
    if (!id) id = add(false, std::move(*place));
    if (!locked_.insert(*id).second) return std::unique_ptr<DiskLock>{};
    return std::make_unique<Lock>(*this, *id);
}

void SimulatedDisk::unlock(NodeId id, std::uint64_t life) {
    if (life == life_) locked_.erase(id);
}

void SimulatedDisk::end_process() {
    ++life_;
    locked_.clear();
}

// -- what tests ask ---------------------------------------------------------------------------

std::optional<std::string> SimulatedDisk::content(const std::string& path) const {
    const auto id = find(path);
    if (!id || nodes_.at(*id).folder) return std::nullopt;
    return nodes_.at(*id).bytes;
}

std::map<std::string, std::string> SimulatedDisk::tree() const {
    std::map<std::string, std::string> all;
    for (const auto& [id, node] : nodes_) {
        if (id != kRoot) all[path_of(id)] = node.bytes;
    }
    return all;
}

}  // namespace pgc
