#include "common/net/resolver.h"

#include <algorithm>
#include <cstdlib>
#include <dlfcn.h>
#include <fstream>
#include <malloc.h>
#include <pthread.h>
#include <spdlog/fmt/fmt.h>
#include <sstream>

namespace healthcheckd {

namespace {

constexpr int kMaxLines = 1000;
constexpr std::size_t kThreadStack = 1 << 20;  // bytes; lookups do not need the default of 8 MB
constexpr int kMaxTimeout = 30;                // seconds, RES_MAXRETRANS in resolv.conf(5)
constexpr int kMaxAttempts = 5;                // RES_MAXRETRY in resolv.conf(5)

void preload_name_services() {
    std::ifstream config("/etc/nsswitch.conf");
    std::string line;
    for (int i = 0; i < kMaxLines && std::getline(config, line); ++i) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string word;
        if (!(words >> word) || word != "hosts:")
            continue;
        while (words >> word) {
            // "[NOTFOUND=return]" is no module; files and dns are part of the C library (glibc 2.34).
            if (word.find_first_of("[]=/") != std::string::npos || word == "files" || word == "dns")
                continue;
            // Stays loaded: the library then finds it by its name without opening a file. The resolver also
            // skips a module that is not installed.
            ::dlopen(("libnss_" + word + ".so.2").c_str(), RTLD_LAZY);
        }
    }
}

// Sets several tries, the last of which is still under way when the probe times out: a name server that does not answer
// is always reported as the probe's timeout, and a lost datagram still gets a second try in time.
void limit_resolver(std::chrono::milliseconds limit) {
    const auto in_seconds = [](std::chrono::milliseconds time) {
        return static_cast<int>(std::chrono::ceil<std::chrono::seconds>(time).count());
    };
    const int timeout = std::clamp(in_seconds(limit / 3), 1, kMaxTimeout);
    const int attempts = std::min(in_seconds(limit) / timeout + 1, kMaxAttempts);
    const std::string options = fmt::format("timeout:{} attempts:{}", timeout, attempts);
    ::setenv("RES_OPTIONS", options.c_str(), 1);
}

void limit_threads() {
    pthread_attr_t attributes;
    if (::pthread_attr_init(&attributes) != 0)
        return;
    if (::pthread_attr_setstacksize(&attributes, kThreadStack) == 0)
        ::pthread_setattr_default_np(&attributes);
    ::pthread_attr_destroy(&attributes);
    // Each arena of malloc(3) reserves 64 MB of address space.
    ::mallopt(M_ARENA_MAX, 2);
}

}  // namespace

const std::vector<std::string>& resolver_files() {
    static const std::vector<std::string> files = {"/etc/gai.conf", "/etc/host.conf", "/etc/hosts",
                                                   "/etc/nsswitch.conf", "/etc/resolv.conf"};
    return files;
}

Resolver::Resolver(std::chrono::milliseconds limit) : files_(resolver_files()) {
    preload_name_services();
    limit_resolver(limit);
    limit_threads();
}

}  // namespace healthcheckd
