#include "worker/check/process.h"

#include "common/wire/line_codec.h"

#include <filesystem>

namespace healthcheckd {

std::string process_of(const CatConfig& cat) {
    return ' ' + std::string(to_string(cat.pid_get)) + ' ' + cat.pid_file;
}

std::string_view objection_by_value(const Report& report, const ProbeCommand&) {
    if (is_judgement(report.verdict) && !same_number(report.value, report.limit) &&
        (report.value >= report.limit) != (report.verdict == Verdict::failure))
        return "its verdict does not follow from its value";
    return {};
}

SandboxProfile measuring_profile(const CatConfig& cat) {
    SandboxProfile profile;
    profile.name = cat.type->name;
    profile.address_space = kSmallAddressSpace;
    if (cat.whole_machine() || cat.pid_get == PidGet::supervisor)
        return profile;
    profile.open_files = true;
    profile.readable = {"/proc"};
    if (cat.pid_get == PidGet::file)
        // The folder, since programs replace the file itself at each start.
        profile.readable.push_back(std::filesystem::path(cat.pid_file).parent_path().string());
    return profile;
}

}  // namespace healthcheckd
