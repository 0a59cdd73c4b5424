#include "master/files/config_loader.h"

#include "master/config/transfer.h"
#include "master/files/config_child.h"

#include <cstring>
#include <span>
#include <spdlog/fmt/fmt.h>
#include <sys/mman.h>
#include <utility>

namespace healthcheckd::master {

// Memory shared by parent and child; pages that are not touched take no memory.
class ConfigLoader::SharedArea {
public:
    static constexpr std::size_t kBytes = 32u << 20;

    SharedArea()
        : begin_(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1, 0)) {
        if (valid())
            ::madvise(begin_, kBytes, MADV_DONTDUMP);
    }
    ~SharedArea() {
        if (!valid())
            return;
        ::madvise(begin_, kBytes, MADV_REMOVE);  // frees the pages that held secrets
        ::munmap(begin_, kBytes);
    }
    SharedArea(const SharedArea&) = delete;
    SharedArea& operator=(const SharedArea&) = delete;

    bool valid() const { return begin_ != MAP_FAILED; }
    std::span<char> bytes() const { return {static_cast<char*>(begin_), kBytes}; }
    // Later children must not inherit it.
    void keep_from_forks() const { ::madvise(begin_, kBytes, MADV_DONTFORK); }

private:
    void* begin_;
};

struct ConfigLoader::Loading {
    SharedArea area;
    Callback callback;
};

ConfigLoader::ConfigLoader(Loop& loop, Spawner& spawner, Milliseconds limit)
    : limit_(limit), task_(loop, spawner) {}

ConfigLoader::~ConfigLoader() = default;

bool ConfigLoader::load(const std::string& path, Callback callback) {
    if (loading_)
        return false;
    if (task_.left_behind() >= kMostLeft) {
        callback(Error{
            fmt::format("{} is not read: {} processes that read it earlier hang in the kernel, its disk "
                        "does not answer",
                        path, task_.left_behind())});
        return true;
    }
    auto loading = std::make_unique<Loading>();
    if (!loading->area.valid()) {
        callback(system_error("mmap", ENOMEM));
        return true;
    }
    ChildSpec spec(children::kConfiguration);
    spec.main = [path, area = loading->area.bytes()](pid_t) {
        return run_load_config(path, area);
    };
    const auto started = task_.start(spec, {.limit = limit_}, {.on_end = [this, path](const auto&) {
                                         on_end(path);
                                     }});
    if (!started) {
        callback(started.error());
        return true;
    }
    loading->area.keep_from_forks();
    loading->callback = std::move(callback);
    loading_ = std::move(loading);
    return true;
}

void ConfigLoader::on_end(const std::string& path) {
    const auto done = std::exchange(loading_, nullptr);
    if (task_.failure().empty())
        done->callback(unpack_config(done->area.bytes()));
    else
        done->callback(Error{"reading " + path + " in a process of its own: " + task_.failure()});
}

}  // namespace healthcheckd::master
