#include "master/ctl/status.h"

#include "common/text/cat_table.h"
#include "common/text/printable.h"
#include "common/text/suggest.h"
#include "common/text/table.h"
#include "common/text/time.h"
#include "common/text/width.h"

#include <algorithm>
#include <array>
#include <map>

namespace healthcheckd::ctl {

namespace {

using TimePoint = std::chrono::system_clock::time_point;

// In the order in which the summary counts them, and in which cats are shown when not all fit.
constexpr std::array kStates = {"failed",   "unknown", "failing", "paused",
                                "starting", "idle",    "healthy", "disabled"};

std::string state_of(const json& cat) {
    const std::string state = text_at(cat, "state", 20);
    return state.empty() ? "unknown" : state;
}

bool paused(const json& cat) {
    return at(cat, "paused").is_object();
}

// Returns the state that the summary counts a cat under: "paused" whatever it was before,
// "unknown" without a state.
std::string summary_state(const json& cat) {
    const std::string state = state_of(cat);
    return paused(cat) && state != "disabled" ? "paused" : state;
}

std::size_t urgency(const json& cat) {
    const auto* found = std::find(kStates.begin(), kStates.end(), summary_state(cat));
    return static_cast<std::size_t>(found - kStates.begin());
}

Colour colour_of(const std::string& state) {
    if (state == "healthy")
        return Colour::good;
    if (state == "failed" || state == "unknown")
        return Colour::bad;
    if (state == "failing" || state == "paused")
        return Colour::warning;
    return Colour::quiet;
}

// Returns "23:30", with the date if it is not within a day.
std::string end_of_pause(TimePoint until, TimePoint now) {
    const std::string text = local_time(until);  // 2026-01-02 15:04:05 +0100
    return until - now < std::chrono::hours(24) ? text.substr(11, 5) : text.substr(0, 16);
}

// Returns "failed, restarting for 12 s (STOPPING)" or "failed (paused until 23:30, dry run)".
Cell state_cell(const json& cat, TimePoint now) {
    std::string marks;
    if (paused(cat)) {
        const auto until = time_at(at(cat, "paused"), "until");
        marks = until ? "paused until " + end_of_pause(*until, now) : "paused";
    }
    if (flag_at(cat, "dryRun"))
        marks += marks.empty() ? "dry run" : ", dry run";
    std::string state = state_of(cat);
    const json& running = at(at(cat, "actions"), "running");
    if (const auto since = time_at(running, "since"))
        state +=
            ", " + activity_text(text_at(running, "kind", 20), now - *since, text_at(running, "phase", 60));
    return {marks.empty() ? state : state + " (" + marks + ")", colour_of(summary_state(cat))};
}

std::string last_probe(const json& cat, TimePoint now) {
    const json& probe = at(cat, "lastProbe");
    if (!probe.is_object())
        return "-";
    const auto when = time_at(probe, "at");
    return (when ? age_text(now - *when) + " ago: " : "") + text_at(probe, "message", 200);
}

std::vector<Cell> row_of(const json& cat, TimePoint now) {
    const std::string pid = number_at(cat, "pid");
    const auto of = [&](const char* count, const char* limit) {
        return number_at(cat, count) + "/" + number_at(cat, limit);
    };
    return {{text_at(cat, "name", 200)},
            {text_at(cat, "program", 200)},
            {text_at(cat, "type", 20)},
            state_cell(cat, now),
            {pid == "0" ? "-" : pid},
            {of("failures", "failureThreshold")},
            {of("successes", "successThreshold")},
            {number_at(at(cat, "actions"), "fired")},
            {last_probe(cat, now)}};
}

std::string counts(const json& cats) {
    std::map<std::string, std::size_t> of;
    for (const json& cat : cats)
        ++of[summary_state(cat)];
    std::string text = std::to_string(cats.size()) + (cats.size() == 1 ? " cat" : " cats");
    const char* separator = ": ";
    for (const char* state : kStates)
        if (const auto found = of.find(state); found != of.end()) {
            text += separator + std::to_string(found->second) + " " + state;
            separator = ", ";
        }
    return text;
}

Cell summary(const json& state) {
    const json& supervisord = at(state, "supervisord");
    const json& mail = at(state, "mail");
    const bool reachable = flag_at(supervisord, "reachable");
    const std::string why = text_at(supervisord, "error", 200);
    std::string text = counts(list_at(state, "cats")) + "; supervisord ";
    text += reachable ? "answers" : "does not answer" + (why.empty() ? "" : " (" + why + ")");
    text += "; mail: " + number_at(mail, "queued") + " queued, " + number_at(mail, "sent") + " sent, " +
            number_at(mail, "failed") + " failed";
    if (const std::string refusal = text_at(mail, "refusal", 200); !refusal.empty())
        text += "; this host is refused by " + refusal;
    const bool bad = !reachable || number_at(mail, "failed") != "0" || status_code(state) != 0;
    return {text, bad ? Colour::warning : Colour::none};
}

}  // namespace

Result<json> state_in(const json& answer, const std::string& name) {
    if (!at(at(answer, "state"), "cats").is_array())
        return Error{"this is no state of healthcheckd"};
    json state = at(answer, "state");
    if (name.empty())
        return state;
    json kept = json::array();
    std::vector<std::string> names;
    for (const json& cat : list_at(state, "cats")) {
        names.push_back(text_at(cat, "name"));
        if (names.back() == name || names.back().starts_with(name + "/"))
            kept.push_back(cat);
    }
    if (kept.empty())
        return Error{"there is no cat '" + printable(name, 100) + "'" +
                     did_you_mean(name, {names.begin(), names.end()})};
    state["cats"] = std::move(kept);
    return state;
}

std::vector<std::string> status_lines(const json& state, const StatusView& view) {
    std::vector<const json*> cats;
    for (const json& cat : list_at(state, "cats"))
        cats.push_back(&cat);
    // Lines besides the cats: the titles, the summary, and the number of cats not shown.
    const bool fits = view.height == 0 || cats.size() + 2 <= view.height;
    const std::size_t shown = fits ? cats.size() : std::max<std::size_t>(view.height, 4) - 3;
    if (!fits)
        std::stable_sort(cats.begin(), cats.end(),
                         [](const json* a, const json* b) { return urgency(*a) < urgency(*b); });

    Table table = cat_table();
    for (std::size_t i = 0; i < shown; ++i)
        table.add(row_of(*cats[i], view.now));
    std::vector<std::string> lines = table.lines(view.colours, view.width);
    if (!fits)
        lines.push_back(coloured("... and " + std::to_string(cats.size() - shown) + " more", Colour::quiet,
                                 view.colours));
    const Cell last = summary(state);
    lines.push_back(
        coloured(view.width == 0 ? last.text : clipped(last.text, view.width), last.colour, view.colours));
    return lines;
}

int status_code(const json& state, bool failed_only) {
    for (const json& cat : list_at(state, "cats"))
        if (const std::string as = summary_state(cat); as == "failed" || (as == "unknown" && !failed_only))
            return 1;
    return 0;
}

}  // namespace healthcheckd::ctl
