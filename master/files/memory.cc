#include "master/files/memory.h"

#include "common/text/json.h"
#include "common/text/json_number.h"
#include "common/text/printable.h"

namespace healthcheckd::master {

namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kMostCats = 20'000;
constexpr std::size_t kMostMessage = 500;  // maximum of one action's message in bytes

json encode(const RememberedCat& cat) {
    json actions = json::array();
    for (const RememberedAction& action : cat.actions)
        actions.push_back({{"atMs", unix_ms(action.at)},
                           {"kind", action.kind},
                           {"ok", action.ok},
                           {"message", printable(action.message, kMostMessage)}});
    json paused = nullptr;
    if (cat.paused)
        paused = {{"untilMs", cat.paused_until ? json(unix_ms(*cat.paused_until)) : json(nullptr)}};
    return {{"definition", cat.definition},
            {"about", cat.about},
            {"failed", cat.failed},
            {"failures", cat.failures},
            {"successes", cat.successes},
            {"pid", cat.process.pid},
            {"startTicks", cat.process.start_ticks},
            {"probes", cat.probes},
            {"fired", cat.fired},
            {"paused", std::move(paused)},
            {"actions", std::move(actions)}};
}

RememberedCat decode(const json& value) {
    RememberedCat cat;
    cat.definition = value.at("definition").get<std::string>();
    cat.about = value.at("about").get<std::string>();
    cat.failed = value.at("failed").get<bool>();
    cat.failures = whole_of<std::uint32_t>(value.at("failures"));
    cat.successes = whole_of<std::uint32_t>(value.at("successes"));
    cat.process.pid = whole_of<pid_t>(value.at("pid"));
    cat.process.start_ticks = whole_of<std::uint64_t>(value.at("startTicks"));
    cat.probes = whole_of<std::uint64_t>(value.at("probes"));
    cat.fired = whole_of<std::uint64_t>(value.at("fired"));
    if (const json& paused = value.at("paused"); !paused.is_null()) {
        cat.paused = true;
        if (!paused.at("untilMs").is_null())
            cat.paused_until = time_of(paused.at("untilMs"));
    }
    if (value.at("actions").size() > kMostActions)
        throw std::invalid_argument("more actions than are kept");
    for (const json& action : value.at("actions"))
        cat.actions.push_back({time_of(action.at("atMs")), action.at("kind").get<std::string>(),
                               action.at("ok").get<bool>(), action.at("message").get<std::string>()});
    return cat;
}

}  // namespace

std::string encode_memory(const Memory& memory) {
    json cats = json::object();
    for (const auto& [name, cat] : memory)
        cats[name] = encode(cat);
    // Names may come from files in any encoding.
    return json_text(json{{"version", kVersion}, {"cats", std::move(cats)}}, 1) + '\n';
}

Result<Memory> decode_memory(std::string_view text) {
    try {
        const json whole = json::parse(text);
        if (whole.at("version") != kVersion)
            return Error{"it is of another version"};
        const json& cats = whole.at("cats");
        if (!cats.is_object() || cats.size() > kMostCats)
            return Error{"it has no cats, or too many"};
        Memory memory;
        for (const auto& [name, cat] : cats.items())
            memory[name] = decode(cat);
        return memory;
    } catch (const std::exception& failure) {
        return Error{printable(failure.what(), 200)};
    }
}

}  // namespace healthcheckd::master
