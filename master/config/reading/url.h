// The login in a URL: http://user:pass@host. Configuration child.
#pragma once

#include "common/system/result.h"

#include <string>
#include <string_view>

namespace healthcheckd::master {

struct UrlLogin {
    std::string url;         // without the login
    bool given = false;      // the URL contains a login
    std::string user, pass;  // percent-decoded: %40 is '@'
};

// Splits the login from an http or https URL (RFC 3986, 3.2.1). Returns any other URL unchanged. The
// error never quotes the URL.
Result<UrlLogin> split_login(std::string_view url);

}  // namespace healthcheckd::master
