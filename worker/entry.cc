#include "worker/entry.h"

#include "common/config/log_path.h"
#include "common/file/log_file.h"
#include "common/net/resolver.h"
#include "common/proc/pid_finder.h"
#include "common/sandbox/landlock.h"
#include "common/wire/protocol.h"
#include "worker/log.h"
#include "worker/look_mark.h"
#include "worker/loop.h"
#include "worker/probe/cpu.h"
#include "worker/probe/http.h"
#include "worker/probe/mem.h"
#include "worker/probe/restart.h"
#include "worker/probe/tcp.h"
#include "worker/probe/tcp_connect.h"
#include "worker/reporter.h"

#include <algorithm>
#include <filesystem>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>
#include <stdexcept>
#include <sys/mman.h>

namespace healthcheckd::worker {

namespace {

constexpr rlim_t kNetworkDescriptors = 256;        // look-ups that hang keep three each for some seconds
constexpr rlim_t kMostLookups = 8;                 // threads: those that hang included
constexpr rlim_t kSmallAddressSpace = 256u << 20;  // no curl, no threads

template <class P> std::unique_ptr<Probe> make(const CatConfig& cat) {
    return std::make_unique<P>(cat);
}

std::unique_ptr<Probe> make_restart(const CatConfig&) {
    return std::make_unique<RestartProbe>();
}

// mem and cpu measure by a descriptor; only a search for the process needs files.
SandboxProfile measuring_profile(const CatConfig& cat) {
    SandboxProfile profile;
    profile.name = to_string(cat.type);
    profile.address_space = kSmallAddressSpace;
    if (cat.whole_machine() || cat.pid_get == PidGet::supervisor)
        return profile;
    profile.open_files = true;
    profile.readable = {"/proc"};
    if (cat.pid_get == PidGet::file)
        // The folder: programs replace the file itself at each start.
        profile.readable.push_back(std::filesystem::path(cat.pid_file).parent_path().string());
    return profile;
}

SandboxProfile restart_profile(const CatConfig&) {
    SandboxProfile profile;
    profile.name = "restart";
    profile.address_space = kSmallAddressSpace;
    return profile;
}

SandboxProfile network_profile(const CatConfig& cat) {
    SandboxProfile profile;
    profile.name = to_string(cat.type);
    profile.inet = true;
    profile.tcp_ports = {static_cast<std::uint16_t>(cat.port)};
    // To see that the authorities' file was replaced; and for what a library of TLS may look for.
    profile.open_files = cat.https();
    if (is_address(cat.host)) {
        // The number of its interface is asked for by a datagram socket.
        profile.datagrams = cat.host.find('%') != std::string::npos;
        return profile;
    }
    profile.descriptors = kNetworkDescriptors;
    profile.threads = true;  // libcurl resolves names in a thread
    profile.datagrams = true;
    profile.open_files = true;
    profile.readable = resolver_files();
    profile.tcp_ports.push_back(kDnsPort);
    return profile;
}

constexpr WorkerType kTypes[] = {
    {CheckType::http, &make<HttpProbe>, &network_profile},
    {CheckType::tcp, &make<TcpProbe>, &network_profile},
    {CheckType::mem, &make<MemProbe>, &measuring_profile},
    {CheckType::cpu, &make<CpuProbe>, &measuring_profile},
    {CheckType::restart, &make_restart, &restart_profile},
};

rlim_t log_limit(std::uint64_t max_bytes) {
    return max_bytes == 0 ? RLIM_INFINITY : log_file_limit(max_bytes);
}

// "confined: user 65534, landlock ABI 7, seccomp strict; missing: ...".
std::string confinement(const SandboxProfile& profile, SandboxLevel level,
                        const std::vector<std::string>& missing, int abi) {
    std::string text = fmt::format("confined as {}: user {}, landlock ABI {}, sandbox {}", profile.name,
                                   ::geteuid(), abi, to_string(level));
    for (const std::string& layer : missing)
        text += (&layer == &missing.front() ? "; missing: " : ", ") + layer;
    return text;
}

// Gives back the pages of the stack that preparing and confining have used: a probe needs fewer. Nothing
// lives below this function's frame but the red zone (128 bytes, System V ABI).
[[gnu::noinline]] void release_stack() {
    constexpr std::uintptr_t kPage = 4096;
    constexpr std::uintptr_t kMostUsed = 128 << 10;
    const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const std::uintptr_t end = (here - kPage) / kPage * kPage;
    // What of it is not mapped is left out, with ENOMEM (madvise(2)).
    (void)::madvise(reinterpret_cast<void*>(end - kMostUsed), kMostUsed, MADV_DONTNEED);
}

void live(const WorkerStart& start, Reporter& reporter) {
    WorkerLog log(who_of(start.name, start.program), start.config.log_format, start.config.log_max_bytes);
    if (start.logs && !start.config.log_dir.empty())  // without a folder there is no log: healthcheckd -o
        log.open(worker_log_path(start.config, start.name));

    const WorkerType& type = worker_type(start.cat.type);
    const std::unique_ptr<Probe> probe = type.make(start.cat);
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
    // Before the first line, which may hang: a worker that is ready and takes no probe is known by that.
    reporter.send(Ready{fmt::format("{}", fmt::join(*confined, ","))});
    log.write(confined->empty() ? LogLevel::info : LogLevel::warning,
              confinement(profile, start.config.sandbox, *confined, abi));
    release_stack();
    WorkerLoop(start.cat, *probe, finder.get(), reporter, log).run();
}

}  // namespace

const WorkerType& worker_type(CheckType type) {
    const auto* row =
        std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& t) { return t.type == type; });
    if (row == std::end(kTypes))
        throw std::logic_error("a check type without a row");
    return *row;
}

std::string measure_file(const CatConfig& cat) {
    if (!cat.measures_process() || cat.whole_machine())
        return {};
    if (cat.type == CheckType::cpu)
        return "stat";
    return cat.mem_type == MemType::rss ? "statm" : "smaps_rollup";
}

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
