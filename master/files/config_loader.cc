#include "master/files/config_loader.h"

#include "master/config/reading/yaml.h"
#include "master/config/transfer.h"

#include <cstring>
#include <span>
#include <sys/mman.h>

namespace healthcheckd::master {

namespace {}  // namespace

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
    pid_t pid = 0;
};

ConfigLoader::~ConfigLoader() {
    if (loading_) {
        spawner_.forget(loading_->pid);
        spawner_.kill(loading_->pid);
    }
}

bool ConfigLoader::load(const std::string& path, Callback callback) {
    if (loading_)
        return false;
    auto loading = std::make_shared<Loading>();
    if (!loading->area.valid()) {
        callback(system_error("mmap", ENOMEM));
        return true;
    }
    loading->callback = std::move(callback);
    ChildSpec spec(children::kConfiguration);
    spec.main = [path, area = loading->area.bytes()](pid_t) {
        return pack_config(load_config(path), area) ? 0 : 1;
    };
    const auto child = spawner_.spawn(spec, [this, path](const ChildEnd& end) {
        const auto done = std::exchange(loading_, nullptr);
        if (end.clean())
            done->callback(unpack_config(done->area.bytes()));
        else
            done->callback(Error{"reading " + path + " in a process of its own: " + end.text()});
    });
    if (!child) {
        loading->callback(child.error());
        return true;
    }
    loading->area.keep_from_forks();
    loading->pid = child->pid;
    loading_ = std::move(loading);
    return true;
}

}  // namespace healthcheckd::master
