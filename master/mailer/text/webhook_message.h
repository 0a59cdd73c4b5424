// The body of a webhook's call in each of the formats, and its signature. Mailer.
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

// The JSON text for all `tellings`, at least one, unsigned. Format json has everything (healthcheckd(8),
// WEBHOOKS); the chat services get text within their limits of size, in which everything that is told is
// counted and as much as fits is named. `lost`: notices that could not be kept.
std::string compose_call(WebhookFormat format, const std::vector<Telling>& tellings, std::uint64_t lost);

// A call as it is sent, at `now`.
struct SignedCall {
    std::string url;
    std::string body;
    std::vector<std::string> headers;  // "Name: value"
};

// Signs `body` with `secret` in the service's way; an empty secret signs nothing.
//   dingtalk  timestamp and sign in the URL (open.dingtalk.com: custom robot, signature)
//   feishu    timestamp and sign in the body (open.feishu.cn: custom bot, signature verification)
//   json      X-Healthcheckd-Timestamp, and X-Healthcheckd-Signature: sha256=HEX of HMAC-SHA-256 (RFC 2104)
//             over the timestamp, a dot and the body
SignedCall sign_call(WebhookFormat format, std::string_view url, std::string_view secret,
                     const std::string& body, std::chrono::system_clock::time_point now);

// What the service's answer to a call with HTTP `status` and `body` means.
struct CallVerdict {
    Outcome outcome = Outcome::deferred;
    std::string why;                // for a person; "" when sent
    bool retry_slowly = false;      // too many calls
    bool concerns_channel = false;  // deferred: the next call would fare no better
};
// `mask` is asked of every text of the answer that `why` quotes, before it is cut.
CallVerdict judge_answer(WebhookFormat format, long status, std::string_view body,
                         const std::function<std::string(std::string)>& mask = std::identity());

}  // namespace healthcheckd::master
