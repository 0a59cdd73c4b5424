#include "common/wire/control.h"

#include <algorithm>
#include <stdexcept>

namespace healthcheckd {

namespace {

using Argument = ControlCommand::Argument;

constexpr ControlCommand kCommands[] = {
    {.name = "status",
     .argument = Argument::cat_shown,
     .options = "jF",
     .usage = "status [CAT] [--json] [--failed]",
     .help = "all cats; exit 0 healthy, 1 something failed, 2 no answer"},
    {.name = "watch",
     .argument = Argument::cat_shown,
     .options = "n",
     .asks = "status",
     .usage = "watch [CAT] [-n SECONDS]",
     .help = "the same, drawn again every 2 seconds; q ends it"},
    {.name = "pause",
     .argument = Argument::cats,
     .options = "f",
     .has_duration = true,
     .usage = "pause CAT|PROGRAM [--for 30m]",
     .help = "no probes and no actions until resumed, or for a while"},
    {.name = "resume",
     .argument = Argument::cats,
     .usage = "resume CAT|PROGRAM",
     .help = "the end of a pause"},
    {.name = "check",
     .argument = Argument::cat,
     .is_slow = true,
     .usage = "check CAT",
     .help = "probe now; exit 0 on success, else 1"},
    {.name = "test-action",
     .argument = Argument::cat,
     .options = "d",
     .usage = "test-action CAT --dry-run",
     .help = "what would be done if it failed now"},
    {.name = "reload", .is_slow = true, .usage = "reload", .help = "read the configuration anew"},
    {.name = "history",
     .argument = Argument::cat,
     .usage = "history CAT",
     .help = "the last 50 verdicts and actions"},
    // A new command goes above this line.
};

}  // namespace

std::span<const ControlCommand> control_commands() {
    return kCommands;
}

const ControlCommand* find_command(std::string_view name) {
    const auto found = std::ranges::find(kCommands, name, &ControlCommand::name);
    return found == std::end(kCommands) ? nullptr : found;
}

ControlRequest request_of(std::string_view command, std::string name, std::uint64_t for_ms) {
    const ControlCommand* found = find_command(command);
    if (found != nullptr && !found->asks.empty())
        found = find_command(found->asks);
    if (found == nullptr)
        throw std::logic_error("no command " + std::string(command));
    return {found, std::move(name), for_ms};
}

LineWriter encode(const ControlRequest& m) {
    LineWriter out(m.command->name);
    if (m.command->names_cats())
        out.word("name", m.name);
    if (m.command->has_duration)
        out.number("for_ms", m.for_ms);
    return out;
}

bool decode(std::string_view line, ControlRequest& out) {
    LineReader in(line);
    out = {find_command(in.kind())};
    if (out.command == nullptr || !out.command->asks.empty())
        return false;
    if (out.command->names_cats())
        in.word("name", out.name);
    if (out.command->has_duration)
        in.number("for_ms", out.for_ms);
    return in.ok() && (!out.name.empty() || !out.command->names_cats()) && out.for_ms <= kLongestPauseMs;
}

}  // namespace healthcheckd
