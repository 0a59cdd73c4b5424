// The login that a URL may hold: http://user:pass@host. Configuration child.
#pragma once

#include "common/system/result.h"

#include <string>
#include <string_view>

namespace healthcheckd::master {

struct UrlLogin {
    std::string url;         // without the login
    bool given = false;      // the URL holds one
    std::string user, pass;  // as the server is told them: %40 is '@'
};

// Takes the login of an http or https URL out of it (RFC 3986, 3.2.1). Any other URL comes back as it is. The
// complaint never quotes the URL.
Result<UrlLogin> split_login(std::string_view url);

}  // namespace healthcheckd::master
