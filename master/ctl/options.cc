#include "master/ctl/options.h"

#include "common/text/printable.h"
#include "common/text/suggest.h"

#include <algorithm>
#include <charconv>
#include <getopt.h>
#include <optional>
#include <spdlog/fmt/fmt.h>
#include <string_view>
#include <vector>

namespace healthcheckd::ctl {

namespace {

constexpr option kLong[] = {
    {"socket", required_argument, nullptr, 's'},  {"json", no_argument, nullptr, 'j'},
    {"failed", no_argument, nullptr, 'F'},        {"for", required_argument, nullptr, 'f'},
    {"dry-run", no_argument, nullptr, 'd'},       {"interval", required_argument, nullptr, 'n'},
    {"timeout", required_argument, nullptr, 't'}, {"version", no_argument, nullptr, 'V'},
    {"help", no_argument, nullptr, 'h'},          {nullptr, 0, nullptr, 0}};

std::string in_single_quotes(std::string_view text) {
    return "'" + printable(text, 100) + "'";
}

std::string option_name(char letter) {
    for (const option& one : kLong)
        if (one.name != nullptr && one.val == letter)
            return std::string("--") + one.name;
    return std::string("-") + letter;
}

Error unknown_option(const std::string& given) {
    std::vector<std::string> names;
    for (const option& one : kLong)
        if (one.name != nullptr)
            names.push_back(std::string("--") + one.name);
    return Error{"unknown option " + in_single_quotes(given) +
                 did_you_mean(given.substr(0, given.find('=')), {names.begin(), names.end()})};
}

Error unknown_command(const std::string& given) {
    std::vector<std::string_view> names;
    for (const ControlCommand& command : control_commands())
        names.push_back(command.name);
    return Error{"unknown command " + in_single_quotes(given) + did_you_mean(given, names)};
}

// Parses seconds with decimals, for -n and --timeout.
std::optional<std::chrono::milliseconds> parse_seconds(std::string_view text) {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() || !(seconds >= 0.1 && seconds <= 3600))
        return std::nullopt;
    return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

// Handles the words that are no options: a command and its argument.
Result<Options> with_command(Options options, const std::vector<std::string>& words,
                             std::string_view letters) {
    if (words.empty())
        return Error{"no command is given"};
    const ControlCommand* command = find_command(words[0]);
    if (command == nullptr)
        return unknown_command(words[0]);
    const std::string name(command->name);
    options.command = command;
    for (const char letter : letters)
        if (command->options.find(letter) == std::string_view::npos)
            return Error{name + " has no option " + option_name(letter)};
    if (command->names_cats() && words.size() < 2)
        return Error{name + " needs the name of a cat" +
                     (command->argument == ControlCommand::Argument::cats ? " or a program" : "")};
    const std::size_t most = command->argument == ControlCommand::Argument::none ? 1 : 2;
    if (words.size() > most)
        return Error{"unexpected argument " + in_single_quotes(words[most])};
    if (words.size() == 2) {
        if (words[1].empty() || words[1].size() > 1000)
            return Error{in_single_quotes(words[1]) + " is no name"};
        options.name = words[1];
    }
    if (name == "test-action" && !options.dry_run)
        return Error{"test-action only says what would be done and does nothing: add --dry-run"};
    return options;
}

}  // namespace

Result<std::uint64_t> parse_duration(const std::string& text) {
    std::uint64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [unit, error] = std::from_chars(text.data(), end, count);
    std::uint64_t factor_ms = 0;
    if (error == std::errc() && unit + 1 == end)
        factor_ms = *unit == 's'   ? 1000
                    : *unit == 'm' ? 60'000
                    : *unit == 'h' ? 3'600'000
                    : *unit == 'd' ? 86'400'000
                                   : 0;
    if (factor_ms == 0)
        return Error{in_single_quotes(text) +
                     " is no duration: give a whole number and a unit, as in 90s, 30m, 2h, 1d"};
    if (count == 0 || count > kLongestPauseMs / factor_ms)
        return Error{in_single_quotes(text) + " is not from one second to ten years"};
    return count * factor_ms;
}

Result<Options> parse_options(int argc, char** argv) {
    Options options;
    std::string letters;
    opterr = 0;
    optind = 0;  // glibc: restarts parsing, for a further command line in one process
    for (int letter = 0; (letter = ::getopt_long(argc, argv, ":s:n:Vh", kLong, nullptr)) != -1;) {
        switch (letter) {
        case 's':
            if (*optarg == '\0')
                return Error{"--socket needs a path"};
            options.socket = optarg;
            continue;
        case 'V':
            return options;
        case 'h':
            options.help = true;
            return options;
        case 'j':
            options.json = true;
            break;
        case 'F':
            options.failed = true;
            break;
        case 'd':
            options.dry_run = true;
            break;
        case 'f': {
            const auto duration = parse_duration(optarg);
            if (!duration)
                return Error{"--for: " + duration.error().text()};
            options.for_ms = *duration;
            break;
        }
        case 'n': {
            const auto interval = parse_seconds(optarg);
            if (!interval)
                return Error{"--interval: " + in_single_quotes(optarg) + " is not from 0.1 to 3600 seconds"};
            options.every = *interval;
            break;
        }
        case 't':
            options.timeout = parse_seconds(optarg);
            if (!options.timeout)
                return Error{"--timeout: " + in_single_quotes(optarg) + " is not from 0.1 to 3600 seconds"};
            continue;
        case ':':
            return Error{"option " + in_single_quotes(argv[optind - 1]) + " needs a value"};
        default:
            return optopt != 0 && std::string_view(argv[optind - 1]).substr(0, 2) != "--"
                       ? unknown_option(std::string("-") + static_cast<char>(optopt))
                       : unknown_option(argv[optind - 1]);
        }
        letters += static_cast<char>(letter);
    }
    return with_command(std::move(options), {argv + optind, argv + argc}, letters);
}

std::string usage() {
    std::string commands;
    for (const ControlCommand& each : control_commands())
        commands += fmt::format("  {:<30} {}\n", each.usage, each.help);
    return "usage: healthcheckctl [-s SOCKET] COMMAND\n"
           "\n"
           "Asks a running healthcheckd, or tells it something; see healthcheckctl(1).\n"
           "\n" +
           commands +
           "\n"
           "  -s, --socket SOCKET   where healthcheckd listens (default " +
           std::string(kDefaultSocket) +
           ")\n"
           "      --timeout SECONDS give up after so long without a whole answer (default 5; check, reload "
           "35)\n"
           "  -V, --version         print the version\n"
           "  -h, --help            print this help\n";
}

}  // namespace healthcheckd::ctl
