// Entry of healthcheckctl: looks at the command line and hands on. Everything else is in libhealthcheckd.a.
#include "master/ctl/commands.h"
#include "master/ctl/watch.h"

#include <cstdio>

int main(int argc, char** argv) {
    using namespace healthcheckd;
    const auto options = ctl::parse_options(argc, argv);
    if (!options) {
        std::fprintf(stderr, "healthcheckctl: %s\nTry 'healthcheckctl --help'.\n",
                     options.error().text().c_str());
        return 2;
    }
    switch (options->command) {
    case ctl::Command::help:
        return std::fputs(ctl::usage().c_str(), stdout) < 0 ? 2 : 0;
    case ctl::Command::version:
        return std::puts("healthcheckctl " HEALTHCHECKD_VERSION) < 0 ? 2 : 0;
    case ctl::Command::status:
        return ctl::run_status(*options);
    case ctl::Command::watch:
        return ctl::run_watch(*options);
    case ctl::Command::pause:
        return ctl::run_pause(*options);
    case ctl::Command::resume:
        return ctl::run_resume(*options);
    case ctl::Command::check:
        return ctl::run_check(*options);
    case ctl::Command::test_action:
        return ctl::run_test_action(*options);
    case ctl::Command::reload:
        return ctl::run_reload(*options);
    case ctl::Command::history:
        return ctl::run_history(*options);
    }
}
