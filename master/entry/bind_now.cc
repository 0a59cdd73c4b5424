#include "master/entry/bind_now.h"

#include <cstdlib>
#include <sys/auxv.h>
#include <unistd.h>

namespace healthcheckd::master {

void bind_now(char** argv) {
    constexpr char kName[] = "LD_BIND_NOW";
    // Says that kName is ours, also where the linker removes that one: in a program with file capabilities.
    constexpr char kAgain[] = "HEALTHCHECKD_AGAIN";
    const bool again = std::getenv(kAgain) != nullptr;
    // Without an interpreter (getauxval(3)) the linker was executed with our name: /proc/self/exe is the linker.
    if (!again && (std::getenv(kName) != nullptr || ::getauxval(AT_BASE) == 0))
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
