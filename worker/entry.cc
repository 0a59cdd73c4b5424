#include "worker/entry.h"

#include "common/config/log_path.h"
#include "common/file/log_file.h"
#include "common/proc/pid_finder.h"
#include "common/sandbox/landlock.h"
#include "common/system/pages.h"
#include "common/wire/protocol.h"
#include "worker/log.h"
#include "worker/look_mark.h"
#include "worker/loop.h"
#include "worker/reporter.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <stdexcept>

namespace healthcheckd::worker {

namespace {

constexpr rlim_t kMostLookups = 8;  // threads, including those that hang

rlim_t log_limit(std::uint64_t max_bytes) {
    return max_bytes == 0 ? RLIM_INFINITY : log_file_limit(max_bytes);
}

// Returns "confined: user 65534, landlock ABI 7, seccomp strict; missing: ...".
std::string confinement(const SandboxProfile& profile, SandboxLevel level,
                        const std::vector<std::string>& missing, int abi) {
    std::string text = fmt::format("confined as {}: user {}, landlock ABI {}, sandbox {}", profile.name,
                                   ::geteuid(), abi, to_string(level));
    for (const std::string& layer : missing)
        text += (&layer == &missing.front() ? "; missing: " : ", ") + layer;
    return text;
}

void live(const WorkerStart& start, Reporter& reporter) {
    WorkerLog log(who_of(start.name, start.program), start.config.log_format, start.config.log_max_bytes);
    if (start.logs)
        log.open(worker_log_path(start.config, start.name));

    const CheckType& type = *start.cat.type;
    const std::unique_ptr<Probe> probe = type.make_probe(start.cat);
    if (const auto prepared = probe->prepare(); !prepared)
        throw std::runtime_error(prepared.error().text());
    const std::unique_ptr<PidFinder> finder = make_pid_finder(start.cat, start.master);
    LookMark mark(start.look_mark);
    if (finder) {
        finder->set_on_look([&mark](pid_t pid) { mark.at(pid); });
        finder->leave_out(start.left_out);
    }
    SandboxProfile profile = type.profile(start.cat);
    profile.filter = start.filter;
    profile.uid = start.user.uid;
    profile.gid = finder ? finder->group().value_or(start.user.gid) : start.user.gid;
    if (start.user.single)
        profile.tasks = profile.threads ? 1 + kMostLookups : 1;
    profile.file_size = log_limit(start.config.log_max_bytes);
    const int abi = landlock_abi();
    auto confined = enter_sandbox(profile, start.config.sandbox, start.master);
    if (!confined)
        throw std::runtime_error("sandbox: " + confined.error().text());
    if (!start.user.missing.empty())
        confined->emplace_back(start.user.missing);
    // Sent before the first log line, which may hang: the master recognizes such a worker by its not
    // reading the probe command.
    reporter.send(Ready{fmt::format("{}", fmt::join(*confined, ","))});
    log.write(confined->empty() ? LogLevel::info : LogLevel::warning,
              confinement(profile, start.config.sandbox, *confined, abi));
    release_stack();  // preparation and confinement have used more of it than a probe needs
    WorkerLoop(start.cat, *probe, finder.get(), reporter, log).run();
}

}  // namespace

int run_worker(const WorkerStart& start) noexcept {
    Reporter reporter(kReportFd);
    try {
        live(start, reporter);
        return 0;
    } catch (const std::exception& error) {
        reporter.send(Broken{error.what()});
    } catch (...) {
        reporter.send(Broken{"an exception of an unknown type"});
    }
    return 1;
}

}  // namespace healthcheckd::worker
