#include "master/memory.h"

#include "common/line_codec.h"

#include <limits>
#include <nlohmann/json.hpp>

namespace healthcheckd::master {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr int kVersion = 1;
constexpr std::size_t kMostCats = 20'000;
constexpr std::size_t kMostText = 500;  // bytes of one action's message

std::int64_t to_ms(system_clock::time_point at) {
    return std::chrono::duration_cast<milliseconds>(at.time_since_epoch()).count();
}

// Far from where the clock's arithmetic would overflow.
system_clock::time_point from_ms(const json& value) {
    const auto ms = value.get<std::int64_t>();
    if (ms < 0 || ms > 100'000'000'000'000)
        throw std::invalid_argument("a time that cannot be");
    return system_clock::time_point(milliseconds(ms));
}

template <class T> T count(const json& value) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<T>::max())
        throw std::invalid_argument("a count that cannot be");
    return value.get<T>();
}

json encode(const RememberedCat& cat) {
    json actions = json::array();
    for (const RememberedAction& action : cat.actions)
        actions.push_back({{"atMs", to_ms(action.at)},
                           {"kind", action.kind},
                           {"ok", action.ok},
                           {"message", printable(action.message, kMostText)}});
    json paused = nullptr;
    if (cat.paused)
        paused = {{"untilMs", cat.paused_until ? json(to_ms(*cat.paused_until)) : json(nullptr)}};
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
    cat.failures = count<std::uint32_t>(value.at("failures"));
    cat.successes = count<std::uint32_t>(value.at("successes"));
    cat.process.pid = static_cast<pid_t>(count<std::uint32_t>(value.at("pid")) & 0x7fffffff);
    cat.process.start_ticks = count<std::uint64_t>(value.at("startTicks"));
    cat.probes = count<std::uint64_t>(value.at("probes"));
    cat.fired = count<std::uint64_t>(value.at("fired"));
    if (const json& paused = value.at("paused"); !paused.is_null()) {
        cat.paused = true;
        if (!paused.at("untilMs").is_null())
            cat.paused_until = from_ms(paused.at("untilMs"));
    }
    if (value.at("actions").size() > kMostActions)
        throw std::invalid_argument("more actions than are kept");
    for (const json& action : value.at("actions"))
        cat.actions.push_back({from_ms(action.at("atMs")), action.at("kind").get<std::string>(),
                               action.at("ok").get<bool>(), action.at("message").get<std::string>()});
    return cat;
}

}  // namespace

std::string encode_memory(const Memory& memory) {
    json cats = json::object();
    for (const auto& [name, cat] : memory)
        cats[name] = encode(cat);
    // Names come from files of any encoding.
    return json{{"version", kVersion}, {"cats", std::move(cats)}}.dump(1, ' ', false,
                                                                       json::error_handler_t::replace) +
           '\n';
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
