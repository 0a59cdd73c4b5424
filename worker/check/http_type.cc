// The type `http`: its keys, the rules between them, and the privileges of its worker.
#include "common/config/accessors.h"
#include "common/config/draft.h"
#include "common/config/json.h"
#include "worker/check/http.h"

namespace healthcheckd {

namespace {

constexpr int kHttpsPort = 443;

Result<int> parse_status_code(std::string_view text) {
    const Result<std::uint64_t> code = parse_whole(text, 100, 599);
    if (!code)
        return Error{"status code " + code.error().what};
    return static_cast<int>(*code);
}

Result<std::string> canonical_method(std::string_view text) {
    for (const std::string_view name : {"GET", "POST", "HEAD"})
        if (lower(text) == lower(name))
            return std::string(name);
    return unknown_value(text, {"GET", "POST", "HEAD"});
}

Result<void> check_method(std::string_view text) {
    const Result<std::string> method = canonical_method(text);
    return method && *method == text ? Result<void>{} : Result<void>{Error{"unknown method"}};
}

Result<void> set_status(const KeyTarget& target, std::string_view text) {
    return store<&HttpCheck::expect_status>(target, parse_status(text));
}
std::string_view get_status(const KeySource& source, std::string& buffer) {
    return buffer = status_text(source.cat->own<HttpCheck>().expect_status);
}

using H = HttpCheck;

// clang-format off
constexpr Key kHttpKeys[] = {
    {.name = "mode", .alias = "method", .canonical = canonical_method,
     .set = set_text<&H::method, check_method>, .get = get_text<&H::method>},
    kHostKey,
    {.name = "path", .set = set_text<&H::path, check_request_path>, .get = get_text<&H::path>},
    kPortKey,
    {.name = "tls", .set = set_flag<&H::tls>, .get = get_flag<&H::tls>},
    {.name = "verify", .set = set_flag<&H::verify>, .get = get_flag<&H::verify>},
    {.name = "caFile", .set = set_text<&H::ca_file, check_absolute_path>, .get = get_text<&H::ca_file>},
    {.name = "json", .shape = Shape::json, .sensitivity = Sensitivity::masked, .canonical = checked_json,
     .set = set_secret<&H::json, check_json_size>, .get = get_secret<&H::json>},
    {.name = "headers", .alias = "hearders", .alias_is_wrong = true, .shape = Shape::headers,
     .sensitivity = Sensitivity::masked, .canonical = checked_headers,
     .set = set_secret<&H::headers, check_json_size>, .get = get_secret<&H::headers>},
    {.name = "username", .sensitivity = Sensitivity::kept,
     .set = set_secret<&H::username, check_login>, .get = get_secret<&H::username>},
    {.name = "password", .sensitivity = Sensitivity::password,
     .set = set_secret<&H::password, line_of<1024>>, .get = get_secret<&H::password>},
    {.name = "expectStatus", .shape = Shape::list, .set = set_status, .get = get_status},
};
// clang-format on

void finish_http(const SectionDraft& draft, CatConfig& cat, Diagnostics& diagnostics) {
    auto& http = cat.own<HttpCheck>();
    if (draft.has("json") && http.method != "POST" && !draft.invalid("mode"))
        diagnostics.warning(draft.place_of("json"), draft.path_of("json"),
                            "has no effect: mode is " + http.method + ", and a body is sent only with POST");
    if (draft.invalid("tls"))
        return;
    if (http.tls && !draft.has("port"))
        http.port = kHttpsPort;
    if (http.tls)
        return;
    // `verify: true` needs nothing that could be missing.
    for (const auto& [asks, key] : {std::pair{!http.verify, "verify"}, {!http.ca_file.empty(), "caFile"}})
        if (asks)
            diagnostics.warning(draft.place_of(key), draft.path_of(key), "has no effect: tls is false");
}

std::string http_subject(const CatConfig& cat) {
    const auto& http = cat.own<HttpCheck>();
    return server_of(cat) + ' ' + http.method + ' ' + http.path;
}

std::vector<JudgedBy> http_judged_by(const CatConfig& cat) {
    return {{"expectStatus", status_text(cat.own<HttpCheck>().expect_status)},
            {"timeoutSeconds", seconds_text(cat.timeout)}};
}

SandboxProfile http_profile(const CatConfig& cat) {
    SandboxProfile profile = network_profile(cat);
    // For checking whether the CA file was replaced, and for files that a TLS library may look for.
    profile.open_files = profile.open_files || cat.own<HttpCheck>().tls;
    return profile;
}

}  // namespace

Result<StatusRanges> parse_status(std::string_view text) {
    StatusRanges ranges;
    for (const std::string_view item : split_list(text)) {
        const std::size_t dash = item.find('-');
        const Result<int> first = parse_status_code(item.substr(0, dash));
        if (!first)
            return first.error();
        int last = *first;
        if (dash != std::string_view::npos) {
            const Result<int> end = parse_status_code(item.substr(dash + 1));
            if (!end)
                return end.error();
            last = *end;
        }
        if (last < *first)
            return Error{"range " + in_quotes(item) + " ends before it begins"};
        ranges.emplace_back(*first, last);
    }
    return ranges;
}

std::string status_text(const StatusRanges& ranges) {
    std::string out;
    for (const auto& [first, last] : ranges) {
        if (!out.empty())
            out += ',';
        out += std::to_string(first);
        if (last != first)
            out += '-' + std::to_string(last);
    }
    return out;
}

extern const CheckType kHttpCheck{
    .name = "http",
    .make_settings = make_settings<HttpCheck>,
    .keys = kHttpKeys,
    .finish = finish_http,
    .server = server_of,
    .subject = http_subject,
    .judged_by = http_judged_by,
    .scale = time_scale,
    .make_probe = worker::make_probe<worker::HttpProbe>,
    .profile = http_profile,
};

}  // namespace healthcheckd
