// Entry of healthcheckd: parses the command line and dispatches. Everything else is in libhealthcheckd.a.
#include "common/system/process_title.h"
#include "master/entry/bind_now.h"
#include "master/entry/check_config.h"
#include "master/entry/daemon.h"
#include "master/entry/once.h"
#include "master/entry/options.h"
#include "master/entry/trial_mail.h"

#include <cstdio>

int main(int argc, char** argv) {
    using namespace healthcheckd;
    const auto options = master::parse_options(argc, argv);
    if (!options) {
        std::fprintf(stderr, "healthcheckd: %s\n%s", options.error().text().c_str(), master::usage().c_str());
        return 2;
    }
    switch (options->mode) {
    case master::Mode::help:
        std::fputs(master::usage().c_str(), stdout);
        return 0;
    case master::Mode::version:
        std::puts("healthcheckd " HEALTHCHECKD_VERSION);
        return 0;
    case master::Mode::test:
        return master::test_config(options->config_file);
    case master::Mode::dump:
        return master::print_config(options->config_file);
    case master::Mode::test_mail:
        init_process_title(argc, argv);
        return master::send_test_mail(options->config_file);
    case master::Mode::once:
        init_process_title(argc, argv);
        return master::run_once(options->config_file, options->verbose);
    case master::Mode::run:
        master::bind_now(argv);
        init_process_title(argc, argv);
        return master::run_daemon(options->config_file, options->verbose);
    }
}
