#include "master/entry/bind_now.h"

#include <cstdlib>
#include <unistd.h>

namespace healthcheckd::master {

void bind_now(char** argv) {
    constexpr char kName[] = "LD_BIND_NOW";
    // Says that kName is ours, also where the linker removes that one: in a program with file capabilities.
    constexpr char kAgain[] = "HEALTHCHECKD_AGAIN";
    const bool again = std::getenv(kAgain) != nullptr;
    if (!again && std::getenv(kName) != nullptr)
        return;
    if (!again) {
        ::setenv(kName, "1", 1);
        ::setenv(kAgain, "1", 1);
        ::execv("/proc/self/exe", argv);
    }
    ::unsetenv(kName);
    ::unsetenv(kAgain);
}

}  // namespace healthcheckd::master
