#include "master/config/reading/twins.h"

#include "common/config/values.h"

#include <map>
#include <utility>

namespace healthcheckd::master {

namespace {

// Returns what is checked of a program; two cats with the same subject are an error.
std::string subject_of(const CatConfig& cat) {
    return std::string(cat.type->name) + (cat.type->subject != nullptr ? cat.type->subject(cat) : "");
}

// supervisord omits the name of a group that equals the name of the program.
std::string program_of(const CatConfig& cat) {
    const std::string& name = cat.program;
    const std::size_t colon = name.find(':');
    return colon != std::string::npos && name.substr(0, colon) == name.substr(colon + 1)
               ? name.substr(0, colon)
               : name;
}

}  // namespace

void warn_of_twins(const std::vector<SectionDraft>& drafts, const Config& config, Diagnostics& diagnostics) {
    std::map<std::pair<std::string, std::string>, const CatConfig*> first;
    for (std::size_t i = 0; i < drafts.size(); ++i) {
        const CatConfig& cat = config.cats[i];
        if (!cat.enabled || drafts[i].any_invalid())
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
        const std::vector<JudgedBy> limits = cat.type->judged_by(cat);
        const std::vector<JudgedBy> others = earlier->second->type->judged_by(*earlier->second);
        for (std::size_t k = 0; k < limits.size(); ++k)
            if (limits[k].value != others[k].value)
                diagnostics.warning(
                    drafts[i].place_of(limits[k].key), drafts[i].path + '.' + std::string(limits[k].key),
                    "is " + limits[k].value + ", but " + in_quotes(earlier->second->name) + " in line " +
                        std::to_string(earlier->second->line) + " checks the same program for the same by " +
                        others[k].value + ": whichever is reached first acts");
    }
}

}  // namespace healthcheckd::master
