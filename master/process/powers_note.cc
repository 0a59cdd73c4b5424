#include "master/process/powers_note.h"

#include "common/sandbox/powers.h"

#include <linux/capability.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

namespace healthcheckd::master {

namespace {

constexpr std::uint32_t bit(int capability) {
    return 1U << capability;
}

// All that healthcheckd uses, by the names that containers have for them.
constexpr struct {
    std::uint32_t mask;
    std::string_view name;
} kUsed[] = {
    {bit(CAP_CHOWN), "CHOWN"},           {bit(CAP_DAC_OVERRIDE), "DAC_OVERRIDE"}, {bit(CAP_KILL), "KILL"},
    {bit(CAP_SETGID), "SETGID"},         {bit(CAP_SETPCAP), "SETPCAP"},           {bit(CAP_SETUID), "SETUID"},
    {bit(CAP_SYS_PTRACE), "SYS_PTRACE"},
};

}  // namespace

PowersNote powers_note(std::uint32_t permitted, bool root, bool others) {
    PowersNote note;
    std::vector<std::string_view> names, costs;
    for (const auto& each : kUsed)
        if ((permitted & each.mask) == 0)
            names.push_back(each.name);
    const auto lacks = [permitted](std::uint32_t mask) {
        return (permitted & mask) != mask;
    };
    if (!others || !may_change_users(permitted, root)) {
        costs.emplace_back("workers and mailer keep the user of healthcheckd");
        note.layers = {"uid", "single uids"};
    } else if (!may_give_files(permitted, root)) {
        costs.emplace_back("the mailer keeps the user of healthcheckd, and the spool too");
    }
    if (lacks(bit(CAP_KILL)))
        costs.emplace_back("programs of other users cannot be killed");
    if (lacks(bit(CAP_DAC_OVERRIDE)))
        costs.emplace_back("files and sockets of other users are used as far as their modes allow it");
    if (lacks(bit(CAP_SETPCAP))) {
        costs.emplace_back("children keep their capability bounding set");
        note.layers.emplace_back("bounding set");
    }
    if (lacks(bit(CAP_SYS_PTRACE))) {
        // Otherwise the file is opened as the program's user.
        costs.emplace_back(root && !lacks(bit(CAP_SETUID) | bit(CAP_SETGID))
                               ? "pss and uss of programs that changed their user themselves are unknown"
                               : "pss and uss of other users' programs are unknown");
        note.layers.emplace_back("CAP_SYS_PTRACE");
    }
    if (costs.empty())
        return note;
    std::vector<std::string> missing;
    for (const std::string_view name : names)
        missing.push_back(fmt::format("CAP_{}", name));
    if (!root)
        missing = {"root's powers"};
    if (!others)
        missing.emplace_back("other users in this user namespace");
    note.text = fmt::format("without {}: {}", fmt::join(missing, ", "), fmt::join(costs, "; "));
    if (root && !names.empty())
        note.text += fmt::format(" (a container gets capabilities by cap_add: [{}])", fmt::join(names, ", "));
    return note;
}

}  // namespace healthcheckd::master
