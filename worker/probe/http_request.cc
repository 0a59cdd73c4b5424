#include "worker/probe/http_request.h"

#include "common/text/mime.h"
#include "worker/probe/http_head.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

#ifndef HEALTHCHECKD_VERSION
#define HEALTHCHECKD_VERSION "unknown"
#endif

namespace healthcheckd::worker {

namespace {

// Returns whether a header says where the body ends.
bool frames_body(std::string_view name) {
    return same_word(name, "Content-Length") || same_word(name, "Transfer-Encoding");
}

}  // namespace

std::string request_target(std::string_view path) {
    std::string target(path.starts_with('/') ? 0 : 1, '/');
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= 0x20 || byte >= 0x7f || c == '#')
            target += fmt::format("%{:02X}", byte);
        else
            target += c;
    }
    return target;
}

std::string authority_of(std::string_view host, int port, int default_port) {
    std::string name(host);
    if (name.find(':') != std::string::npos) {
        std::erase_if(name, [](char c) { return c == '[' || c == ']'; });
        name = '[' + name.substr(0, name.find('%')) + ']';
    }
    return port == default_port ? name : name + ':' + std::to_string(port);
}

HttpRequest::HttpRequest(std::string_view method, std::string_view target, std::string_view authority,
                         const Headers& headers, std::string_view login, std::string_view given) {
    const bool posts = method == "POST";
    const auto find = [&](std::string_view name) {
        return std::ranges::find_if(headers, [&](const auto& one) { return same_word(one.first, name); });
    };
    const auto unless_given = [&](std::string_view name, const std::string& value) {
        if (find(name) == headers.end())
            head += fmt::format("{}: {}\r\n", name, value);
    };
    head = fmt::format("{} {} HTTP/1.1\r\n", method, target);
    const auto host = find("Host");  // comes first (RFC 9110, 7.2)
    head += fmt::format("Host: {}\r\n", host == headers.end() ? std::string(authority) : host->second);
    if (!login.empty())
        unless_given("Authorization", "Basic " + base64(login));
    unless_given("User-Agent", "healthcheckd/" HEALTHCHECKD_VERSION);
    unless_given("Accept", "*/*");
    for (const auto& [name, value] : headers)
        if (!same_word(name, "Host") && !(posts && frames_body(name)))
            head += value.empty() ? name + ":\r\n" : fmt::format("{}: {}\r\n", name, value);
    if (!posts) {
        head += "\r\n";
        return;
    }
    body = given;
    if (!body.empty())
        unless_given("Content-Type", "application/json");
    const auto coding = find("Transfer-Encoding");
    if (coding == headers.end() || !same_word(coding->second, "chunked")) {
        head += fmt::format("Content-Length: {}\r\n\r\n", body.size());
        return;
    }
    head += "Transfer-Encoding: chunked\r\n\r\n";
    if (!body.empty())
        head += fmt::format("{:x}\r\n", body.size());
    tail = body.empty() ? "0\r\n\r\n" : "\r\n0\r\n\r\n";
}

}  // namespace healthcheckd::worker
