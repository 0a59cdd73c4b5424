#include "master/config/reading/url.h"

#include "common/text/suggest.h"

#include <charconv>

namespace healthcheckd::master {

namespace {

Result<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const std::string_view digits = text.substr(i + 1, 2);
        unsigned byte = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
        if (digits.size() != 2 || error != std::errc() || end != digits.data() + 2)
            return Error{
                "has a '%' in its user or password that two hexadecimal digits do not follow: write %25"};
        out += static_cast<char>(byte);
        i += 2;
    }
    return out;
}

}  // namespace

Result<UrlLogin> split_login(std::string_view url) {
    UrlLogin login{std::string(url), false, {}, {}};
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos)
        return login;
    const std::string name = lower(url.substr(0, scheme));
    if (name != "http" && name != "https")
        return login;
    const std::string_view rest = url.substr(scheme + 3);
    const std::string_view place = rest.substr(0, rest.find_first_of("/?#"));
    const std::size_t at = place.rfind('@');
    if (at == std::string_view::npos)
        return login;
    const std::string_view both = place.substr(0, at);
    const std::size_t colon = both.find(':');
    auto user = decoded(both.substr(0, colon));
    auto pass = decoded(colon == std::string_view::npos ? std::string_view{} : both.substr(colon + 1));
    if (!user || !pass)
        return user ? pass.error() : user.error();
    login.url = std::string(url.substr(0, scheme + 3)) + std::string(rest.substr(at + 1));
    login.given = true;
    login.user = std::move(*user);
    login.pass = std::move(*pass);
    return login;
}

}  // namespace healthcheckd::master
