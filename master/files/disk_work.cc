#include "master/files/disk_work.h"

#include "common/system/pidfd.h"
#include "common/system/process_title.h"
#include "common/system/readable.h"
#include "common/wire/channel.h"
#include "common/wire/protocol.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kAnswerFd = kReportFd + 1, kPlacesFd = kReportFd + 2;
constexpr milliseconds kEndLimit{100};  // from a child's answer to its end

enum class Kind { done, failed, not_begun };

// The child's answer: what() and code of its error.
struct Answer {
    Kind kind = Kind::done;
    int code = 0;
    std::array<char, 1024> what{};
};

Answer answer_of(const Result<void>& result) {
    Answer answer;
    if (!result) {
        answer.kind = Kind::failed;
        answer.code = result.error().code;
        result.error().what.copy(answer.what.data(), answer.what.size() - 1);
    }
    return answer;
}

bool take_place(int places) {
    for (int i = 0; i < DiskWork::kMostLeft; ++i) {
        struct flock place {};
        place.l_type = F_WRLCK;
        place.l_whence = SEEK_SET;
        place.l_start = i;
        place.l_len = 1;
        if (::fcntl(places, F_SETLK, &place) == 0)
            return true;
    }
    return false;
}

[[noreturn]] void child_life(int answer, int places, pid_t parent,
                             const std::function<Result<void>()>& work) {
    for (int number = 1; number < NSIG; ++number)
        if (number != SIGPIPE && number != SIGXFSZ)
            ::signal(number, SIG_DFL);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
        ::_exit(1);
    // Moves it above the final numbers first.
    answer = ::fcntl(answer, F_DUPFD_CLOEXEC, kPlacesFd + 1);
    if (places >= 0)
        places = ::fcntl(places, F_DUPFD_CLOEXEC, kPlacesFd + 1);
    if (answer < 0 || ::dup3(answer, kAnswerFd, O_CLOEXEC) < 0 ||
        (places >= 0 && ::dup3(places, kPlacesFd, O_CLOEXEC) < 0))
        ::_exit(1);
    ::close(kControlFd);
    ::close_range(places >= 0 ? kPlacesFd + 1 : kPlacesFd, ~0U, 0);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    set_process_title("healthcheckd: action's files");

    Answer out;
    if (places >= 0 && !take_place(kPlacesFd))
        out.kind = Kind::not_begun;
    else
        out = answer_of(work());
    (void)!::write(kAnswerFd, &out, sizeof out);
    ::_exit(0);
}

// Abandons a child in state D; the kernel makes init its parent when this process ends.
void leave(pid_t child) {
    ::kill(child, SIGKILL);
    reap_within(child, kEndLimit);
}

}  // namespace

Result<UniqueFd> DiskWork::make_places() {
    UniqueFd places(::memfd_create("healthcheckd-disk-places", MFD_CLOEXEC));
    if (!places)
        return system_error("memfd_create");
    return places;
}

bool DiskWork::somebody_waits() const {
    struct flock place {};
    place.l_type = F_WRLCK;
    place.l_whence = SEEK_SET;
    place.l_len = kMostLeft;
    return places_ >= 0 && ::fcntl(places_, F_GETLK, &place) == 0 && place.l_type != F_UNLCK;
}

Result<Result<void>> DiskWork::run(milliseconds limit, const std::function<Result<void>()>& work) const {
    auto pipe = make_pipe();
    if (!pipe)
        return pipe.error();
    const auto deadline = Clock::now() + limit;
    const pid_t self = ::getpid();
    // Not fork(), see Spawner.
    const pid_t child = ::_Fork();
    if (child < 0)
        return system_error("fork");
    if (child == 0)
        child_life(pipe->second.get(), places_, self, work);
    pipe->second.reset();
    // The answer, or end of file when the child has ended.
    if (!readable_by(pipe->first.get(), deadline)) {
        leave(child);
        return Error{fmt::format("the disk of stateDir did not answer in {} ms", limit.count())};
    }
    Answer answer;
    const ssize_t n = ::read(pipe->first.get(), &answer, sizeof answer);
    // The child is about to end, unless its end waits for the disk as well.
    reap_within(child, kEndLimit);
    if (n != static_cast<ssize_t>(sizeof answer))
        return Error{"the process that does it ended"};
    if (answer.kind == Kind::not_begun)
        return Error{fmt::format("the disk of stateDir hangs, {} processes wait for it already", kMostLeft)};
    return answer.kind == Kind::failed ? Result<void>(Error{answer.what.data(), answer.code})
                                       : Result<void>();
}

}  // namespace healthcheckd::master
