#include "master/config/reading/twins.h"

#include "master/config/values.h"

#include <map>
#include <utility>

namespace healthcheckd::master {

namespace {

// Which limit judges a cat, and by what value.
struct Limit {
    std::string_view key;
    std::string value;
};

std::vector<Limit> limits_of(const CatConfig& cat) {
    switch (cat.type) {
    case CheckType::mem:
        return {{"maxMem", decimal_text(cat.max_mem_mb)}};
    case CheckType::cpu:
        return {{"maxCpu", decimal_text(cat.max_cpu_percent)}};
    case CheckType::http:
        return {{"expectStatus", status_text(cat.expect_status)},
                {"timeoutSeconds", seconds_text(cat.timeout)}};
    case CheckType::tcp:
        return {{"timeoutSeconds", seconds_text(cat.timeout)}};
    case CheckType::restart:
        return {{"mincontinueRun", seconds_text(cat.min_continue_run)}};
    }
    __builtin_unreachable();
}

// What is checked of a program: of two cats with the same, one is too many.
std::string subject_of(const CatConfig& cat) {
    std::string text(to_string(cat.type));
    if (cat.type == CheckType::mem)
        text += ' ' + std::string(to_string(cat.mem_type));
    if (cat.measures_process())
        text += ' ' + std::string(to_string(cat.pid_get)) + ' ' + cat.pid_file;
    if (cat.uses_network())
        text += ' ' + cat.host + ' ' + std::to_string(cat.port);
    if (cat.type == CheckType::http)
        text += ' ' + cat.method + ' ' + cat.path;
    return text;
}

// supervisord calls a program whose group has the same name by that name alone.
std::string program_of(const CatConfig& cat) {
    const std::string& name = cat.program;
    const std::size_t colon = name.find(':');
    return colon != std::string::npos && name.substr(0, colon) == name.substr(colon + 1)
               ? name.substr(0, colon)
               : name;
}

}  // namespace

void warn_of_twins(const std::vector<SectionDraft>& drafts, const Config& config, Complaints& complaints) {
    std::map<std::pair<std::string, std::string>, const CatConfig*> first;
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        const CatConfig& cat = config.cats[i];
        if (!cat.enabled || drafts[i].any_spoilt())
            continue;
        const std::string program = program_of(cat);
        const std::string subject = subject_of(cat);
        auto earlier = first.find({subject, program});
        // "web:web_00" is a member of "web:*" too.
        if (const std::size_t colon = program.find(':'); earlier == first.end() && colon != std::string::npos)
            earlier = first.find({subject, program.substr(0, colon) + ":*"});
        if (earlier == first.end()) {
            first.try_emplace({subject, program}, &cat);
            continue;
        }
        const std::vector<Limit> limits = limits_of(cat);
        const std::vector<Limit> others = limits_of(*earlier->second);
        for (std::size_t k = 0; k < limits.size(); ++k)
            if (limits[k].value != others[k].value)
                complaints.warning(
                    drafts[i].place_of(limits[k].key), drafts[i].path + '.' + std::string(limits[k].key),
                    "is " + limits[k].value + ", but " + in_quotes(earlier->second->name) + " in line " +
                        std::to_string(earlier->second->line) + " checks the same program for the same by " +
                        others[k].value + ": whichever is reached first acts");
    }
}

}  // namespace healthcheckd::master
