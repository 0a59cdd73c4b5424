#include "worker/look_mark.h"

#include <sys/mman.h>
#include <unistd.h>

namespace healthcheckd::worker {

namespace {

constexpr std::size_t kBytes = sizeof(std::atomic<pid_t>);
constexpr pid_t kMostPid = 1 << 22;  // PID_MAX_LIMIT (proc_sys_kernel(5))

}  // namespace

UniqueFd make_look_mark() {
    UniqueFd mark(::memfd_create("looking at", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    // The seals keep a worker from using it to store data.
    if (mark && (::ftruncate(mark.get(), kBytes) != 0 ||
                 ::fcntl(mark.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0))
        mark.reset();
    return mark;
}

pid_t read_look_mark(const UniqueFd& mark) {
    pid_t pid = 0;
    if (!mark || ::pread(mark.get(), &pid, sizeof pid, 0) != sizeof pid || pid < 2 || pid > kMostPid)
        return 0;
    return pid;
}

LookMark::LookMark(int fd) {
    void* const place =
        fd < 0 ? MAP_FAILED : ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (place != MAP_FAILED)
        place_ = static_cast<std::atomic<pid_t>*>(place);
}

LookMark::~LookMark() {
    if (place_ != nullptr)
        ::munmap(place_, kBytes);
}

}  // namespace healthcheckd::worker
