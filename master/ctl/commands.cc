#include "master/ctl/commands.h"

#include "common/text/json.h"
#include "common/text/printable.h"
#include "common/text/table.h"
#include "common/text/time.h"
#include "master/ctl/answer.h"
#include "master/ctl/client.h"
#include "master/ctl/status.h"
#include "master/ctl/terminal.h"
#include "master/ctl/watch.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace healthcheckd::ctl {

namespace {

constexpr int kSaidNo = 1;
constexpr int kNoAnswer = 2;

int complain(const std::string& text, int status) {
    std::fprintf(stderr, "healthcheckctl: %s\n", text.c_str());
    return status;
}

// Prints the text. Returns a failure if it could not be written.
int print(const std::string& text, int status = 0) {
    if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0)
        return status;
    return complain("the answer could not be written to standard output", kNoAnswer);
}

// Sends the request and parses the answer.
Result<json> answer_to(const Options& options, const ControlRequest& request) {
    const auto text = ask(options.socket, request, limits_for(request, options.timeout));
    if (!text)
        return text.error();
    auto answer = parse_answer(*text);
    if (!answer)
        return Error{printable(options.socket, 200) + ": " + answer.error().text()};
    return answer;
}

// Sends the request; on success calls `show` to print the answer.
template <class Show> int asked(const Options& options, const Show& show) {
    const auto answer = answer_to(options, request_of(options.command->name, options.name, options.for_ms));
    if (!answer)
        return complain(answer.error().text(), kNoAnswer);
    if (flag_at(*answer, "ok"))
        return show(*answer);
    for (const std::string& problem : texts_at(*answer, "problems"))
        std::fprintf(stderr, "%s\n", problem.c_str());
    return complain(text_at(*answer, "error"), kSaidNo);
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts)
        all += (all.empty() ? "" : ", ") + text;
    return all;
}

std::string when(const json& object, const char* key) {
    const auto time = time_at(object, key);
    return time ? local_time(*time) : text_at(object, key, 40);
}

// Returns "431.2 MB"; "" for a value that is no number or has no unit, as in a verdict without a measured
// value.
std::string measured(const json& object, const char* key) {
    const std::string unit = text_at(object, "unit", 40);
    return at(object, key).is_number() && !unit.empty() ? number_at(object, key) + " " + unit : "";
}

// JSON escapes only control characters up to 0x1f; any such character outside of strings is its own line
// break. 0x7f and U+0080 to U+009F, which also control a terminal, occur only in strings.
std::string without_controls(const std::string& document) {
    std::string out;
    for (std::size_t i = 0; i < document.size(); ++i) {
        const auto byte = static_cast<unsigned char>(document[i]);
        const auto next = i + 1 < document.size() ? static_cast<unsigned char>(document[i + 1]) : 0;
        if (byte == 0x7f) {
            out += "\\u007f";
        } else if (byte == 0xc2 && next < 0xa0) {
            constexpr char kHex[] = "0123456789abcdef";
            out += std::string("\\u00") + kHex[next >> 4] + kHex[next & 15];
            ++i;
        } else {
            out += document[i];
        }
    }
    return out;
}

int run_status(const Options& options) {
    return asked(options, [&](const json& answer) {
        const auto state = state_in(answer, options.name);
        if (!state)
            return complain(state.error().text(), kNoAnswer);
        const int status = status_code(*state, options.failed);
        if (options.json)
            return print(without_controls(json_text(*state, 2)) + "\n", status);
        const StatusView view{.now = std::chrono::system_clock::now(),
                              .colours = wants_colours(STDOUT_FILENO)};
        std::string text;
        for (const std::string& line : status_lines(*state, view))
            text += line + "\n";
        return print(text, status);
    });
}

int run_pause(const Options& options) {
    return asked(options, [](const json& answer) {
        const std::string until = when(answer, "until");
        return print("paused until " + (until.empty() ? "resumed" : until) + ": " +
                     joined(texts_at(answer, "cats")) + "\n");
    });
}

int run_resume(const Options& options) {
    return asked(options, [](const json& answer) {
        const std::string cats = joined(texts_at(answer, "cats"));
        return print(cats.empty() ? "nothing was paused\n" : "resumed: " + cats + "\n");
    });
}

int run_check(const Options& options) {
    return asked(options, [](const json& answer) {
        const std::string verdict = text_at(answer, "verdict", 20);
        const std::string value = measured(answer, "value");
        const std::string text =
            text_at(answer, "cat", 200) + ": " + verdict + ": " + text_at(answer, "message") +
            (value.empty() ? "" : " (" + value + " of " + measured(answer, "limit") + ")") + ", took " +
            number_at(answer, "tookMs") + " ms" +
            (at(answer, "state").is_string() ? "; now " + text_at(answer, "state", 20) : "") + "\n";
        return print(text, verdict == "success" ? 0 : kSaidNo);
    });
}

int run_test_action(const Options& options) {
    return asked(options, [](const json& answer) {
        std::string text = text_at(answer, "cat", 200) + ", if it failed now:\n";
        for (const std::string& line : texts_at(answer, "lines"))
            text += "  " + line + "\n";
        return print(text);
    });
}

int run_reload(const Options& options) {
    return asked(options, [](const json& answer) {
        std::string text;
        for (const char* list : {"added", "removed", "changed"})
            if (const std::string names = joined(texts_at(answer, list)); !names.empty())
                text += std::string(list) + ": " + names + "\n";
        text += "unchanged: " + number_at(answer, "unchanged") + "\n";
        for (const std::string& note : texts_at(answer, "notes"))
            text += "note: " + note + "\n";
        return print(text);
    });
}

int run_history(const Options& options) {
    return asked(options, [](const json& answer) {
        Table table({{"AT"}, {"EVENT"}, {"RESULT"}, {"VALUE", true}, {"TOOK", true}, {"STATE"}, {"TEXT"}});
        for (const json& event : list_at(answer, "events")) {
            const std::string kind = text_at(event, "kind", 20);
            const bool action = kind == "action";
            const bool verdict = kind == "verdict";
            const std::string result = action    ? flag_at(event, "ok") ? "done" : "failed"
                                       : verdict ? text_at(event, "verdict", 20)
                                                 : "";
            const Colour colour = result == "done" || result == "success"     ? Colour::good
                                  : result == "failed" || result == "failure" ? Colour::bad
                                                                              : Colour::quiet;
            table.add({{when(event, "at")},
                       {action    ? text_at(event, "action", 40)
                        : verdict ? "probe"
                                  : kind},
                       {result, colour},
                       {measured(event, "value")},
                       {verdict ? number_at(event, "tookMs") + " ms" : ""},
                       {text_at(event, "state", 20)},
                       {text_at(event, "text")}});
        }
        std::string text;
        for (const std::string& line : table.lines(wants_colours(STDOUT_FILENO)))
            text += line + "\n";
        return print(text);
    });
}

int run_lines(const Options& options) {
    return asked(options, [](const json& answer) {
        std::string text;
        for (const std::string& line : texts_at(answer, "lines"))
            text += line + "\n";
        return print(text);
    });
}

// Commands with an output format of their own.
constexpr std::pair<std::string_view, int (*)(const Options&)> kShown[] = {
    {"status", run_status}, {"watch", run_watch},     {"pause", run_pause},
    {"resume", run_resume}, {"check", run_check},     {"test-action", run_test_action},
    {"reload", run_reload}, {"history", run_history},
};

}  // namespace

int run(const Options& options) {
    const auto own =
        std::ranges::find(kShown, options.command->name, [](const auto& row) { return row.first; });
    return own == std::end(kShown) ? run_lines(options) : own->second(options);
}

}  // namespace healthcheckd::ctl
