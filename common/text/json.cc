#include "common/text/json.h"

namespace healthcheckd {

namespace {

template <class Json> std::string text_of(const Json& value, int indent) {
    return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

template <class Json> Json parse(std::string_view text, int max_depth) {
    bool too_deep = false;
    const auto watch = [&](int depth, typename Json::parse_event_t, Json&) {
        too_deep = too_deep || depth > max_depth;
        return !too_deep;
    };
    Json value = Json::parse(text, watch, false);
    return too_deep ? Json(Json::value_t::discarded) : value;
}

}  // namespace

std::string json_text(const nlohmann::json& value, int indent) {
    return text_of(value, indent);
}
std::string json_text(const nlohmann::ordered_json& value, int indent) {
    return text_of(value, indent);
}

nlohmann::json parse_json(std::string_view text, int max_depth) {
    return parse<nlohmann::json>(text, max_depth);
}
nlohmann::ordered_json parse_ordered_json(std::string_view text, int max_depth) {
    return parse<nlohmann::ordered_json>(text, max_depth);
}

}  // namespace healthcheckd
