// Entry of healthcheckctl: looks at the command line and hands on. Everything else is in libhealthcheckd.a.
#include "master/ctl/commands.h"

#include <cstdio>

int main(int argc, char** argv) {
    using namespace healthcheckd;
    const auto options = ctl::parse_options(argc, argv);
    if (!options) {
        std::fprintf(stderr, "healthcheckctl: %s\nTry 'healthcheckctl --help'.\n",
                     options.error().text().c_str());
        return 2;
    }
    if (options->command != nullptr)
        return ctl::run(*options);
    const bool shown = options->help ? std::fputs(ctl::usage().c_str(), stdout) >= 0
                                     : std::puts("healthcheckctl " HEALTHCHECKD_VERSION) >= 0;
    return shown ? 0 : 2;
}
