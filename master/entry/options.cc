#include "master/entry/options.h"

#include <getopt.h>

namespace healthcheckd::master {

namespace {

constexpr int kTestMail = 256;  // a long option only

}  // namespace

Result<Options> parse_options(int argc, char** argv) {
    static const option kLong[] = {{"config", required_argument, nullptr, 'c'},
                                   {"test", no_argument, nullptr, 't'},
                                   {"dump-config", no_argument, nullptr, 'T'},
                                   {"once", no_argument, nullptr, 'o'},
                                   {"test-mail", no_argument, nullptr, kTestMail},
                                   {"verbose", no_argument, nullptr, 'v'},
                                   {"version", no_argument, nullptr, 'V'},
                                   {"help", no_argument, nullptr, 'h'},
                                   {nullptr, 0, nullptr, 0}};
    Options options;
    opterr = 0;
    for (int letter = 0; (letter = ::getopt_long(argc, argv, ":c:tTovVh", kLong, nullptr)) != -1;) {
        switch (letter) {
        case 'c':
            options.config_file = optarg;
            break;
        case 't':
            options.mode = Mode::test;
            break;
        case 'T':
            options.mode = Mode::dump;
            break;
        case 'o':
            options.mode = Mode::once;
            break;
        case kTestMail:
            options.mode = Mode::test_mail;
            break;
        case 'v':
            options.verbose = true;
            break;
        case 'V':
            options.mode = Mode::version;
            return options;
        case 'h':
            options.mode = Mode::help;
            return options;
        case ':':
            return Error{std::string("option '") + argv[optind - 1] + "' needs a value"};
        default:
            return Error{std::string("unknown option '") + argv[optind - 1] + "'"};
        }
    }
    if (optind < argc)
        return Error{std::string("unexpected argument '") + argv[optind] + "'"};
    return options;
}

std::string usage() {
    return "usage: healthcheckd [-c FILE] [-t | -T | -o | --test-mail] [-v] [-V] [-h]\n"
           "\n"
           "Watches programs under supervisord and acts when they fail; see healthcheckd(8).\n"
           "\n"
           "  -c, --config FILE   configuration (default /etc/supervisord.d/scripts/config.yaml)\n"
           "  -t, --test          check the configuration, say every problem, exit 0 or 1\n"
           "  -T, --dump-config   print the effective configuration as YAML, without passwords\n"
           "  -o, --once          probe every cat once, print a table, exit 0 if all succeeded, else 1\n"
           "      --test-mail     send one mail, print the dialogue with the server, exit 0 or 1\n"
           "  -v, --verbose       log more\n"
           "  -V, --version       print the version\n"
           "  -h, --help          print this help\n";
}

}  // namespace healthcheckd::master
