// The body of a webhook's request in each format, its signature, and the meaning of the response. Mailer.
#pragma once

#include "common/config/channels.h"
#include "master/mailer/text/notice_text.h"
#include "master/mailer/text/outcome.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

// Returns the unsigned JSON text for all `tellings`, which must not be empty. Format json has all details
// (healthcheckd(8), WEBHOOKS); the chat formats have text within the size limits of the service, which counts
// all tellings and names as many as fit. `lost`: number of lost notices.
std::string compose_call(WebhookFormat format, const std::vector<Telling>& tellings, std::uint64_t lost);

// A request ready to be sent at `now`.
struct SignedCall {
    std::string url;
    std::string body;
    std::vector<std::string> headers;  // "Name: value"
};

// Signs `body` with `secret` as the service requires; an empty secret signs nothing.
//   dingtalk  timestamp and sign in the URL (open.dingtalk.com: custom robot, signature)
//   feishu    timestamp and sign in the body (open.feishu.cn: custom bot, signature verification)
//   json      X-Healthcheckd-Timestamp, and X-Healthcheckd-Signature: sha256=HEX of HMAC-SHA-256 (RFC 2104)
//             over the timestamp, a dot and the body
SignedCall sign_call(WebhookFormat format, std::string_view url, std::string_view secret,
                     const std::string& body, std::chrono::system_clock::time_point now);

// The meaning of the service's response.
struct CallVerdict {
    Outcome outcome = Outcome::deferred;
    std::string why;                // for people; "" when sent
    bool retry_slowly = false;      // too many calls
    bool concerns_channel = false;  // deferred: the next request would fail as well
};
// `mask` is applied to each text of the response that `why` quotes, before it is truncated.
CallVerdict judge_answer(WebhookFormat format, long status, std::string_view body,
                         const std::function<std::string(std::string)>& mask = std::identity());

}  // namespace healthcheckd::master
