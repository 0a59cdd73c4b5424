#include "master/ctl/answer.h"

#include "common/text/number.h"
#include "common/text/printable.h"

#include <cstdio>
#include <ctime>

namespace healthcheckd::ctl {

namespace {

// healthcheckd's answers are less deep; others are not worth the memory.
constexpr int kDeepest = 32;

}  // namespace

Result<json> parse_answer(std::string_view text) {
    json answer = parse_json(text, kDeepest);
    if (answer.is_discarded() || !answer.is_object() || !at(answer, "ok").is_boolean())
        return Error{"this is no answer of healthcheckd: '" + printable(text, 60) + "'"};
    return answer;
}

const json& at(const json& object, const char* key) {
    static const json kNull;
    const auto member = object.is_object() ? object.find(key) : object.end();
    return member == object.end() ? kNull : *member;
}

std::string text_at(const json& object, const char* key, std::size_t max) {
    const json& value = at(object, key);
    return value.is_string() ? printable(value.get_ref<const std::string&>(), max) : "";
}

bool flag_at(const json& object, const char* key) {
    const json& value = at(object, key);
    return value.is_boolean() && value.get<bool>();
}

std::string number_at(const json& object, const char* key) {
    const json& value = at(object, key);
    return number_text(value.is_number() ? value.get<double>() : 0);
}

const json& list_at(const json& object, const char* key) {
    static const json kEmpty = json::array();
    const json& value = at(object, key);
    return value.is_array() ? value : kEmpty;
}

std::vector<std::string> texts_at(const json& object, const char* key) {
    std::vector<std::string> texts;
    for (const json& value : list_at(object, key))
        if (value.is_string())
            texts.push_back(printable(value.get_ref<const std::string&>()));
    return texts;
}

std::optional<std::chrono::system_clock::time_point> time_at(const json& object, const char* key) {
    const std::string text = text_at(object, key, 40);
    std::tm utc{};
    int milliseconds = 0;
    int used = 0;
    if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &utc.tm_year, &utc.tm_mon, &utc.tm_mday,
                    &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &used) != 6)
        return std::nullopt;
    std::string_view rest = std::string_view(text).substr(static_cast<std::size_t>(used));
    if (rest.size() == 5 && std::sscanf(rest.data(), ".%3d", &milliseconds) == 1)
        rest.remove_prefix(4);
    if (rest != "Z")
        return std::nullopt;
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    return std::chrono::system_clock::from_time_t(::timegm(&utc)) + std::chrono::milliseconds(milliseconds);
}

}  // namespace healthcheckd::ctl
