#include "master/spool_message.h"

#include "common/line_codec.h"

#include <nlohmann/json.hpp>

namespace healthcheckd::master {

using nlohmann::json;

std::string encode_message(const SpoolMessage& message) {
    const auto made = std::chrono::duration_cast<std::chrono::milliseconds>(message.made.time_since_epoch());
    const json all = {{"version", 1},
                      {"channel", message.channel},
                      {"madeMs", made.count()},
                      {"subject", message.subject},
                      {"text", message.text},
                      {"sender", message.sender},
                      {"recipients", message.recipients},
                      {"notices", message.notices},
                      {"marks", marks_json(message.marks)},
                      {"lost", message.lost},
                      {"partly", message.partly},
                      {"tries", message.tries},
                      {"lastError", message.last_error}};
    return all.dump(1, ' ', false, json::error_handler_t::replace) + '\n';
}

Result<SpoolMessage> decode_message(std::string_view text, std::string name) {
    try {
        const json all = json::parse(text);
        SpoolMessage message;
        message.name = std::move(name);
        message.channel = all.at("channel");
        message.made = std::chrono::system_clock::time_point(std::chrono::milliseconds(all.at("madeMs")));
        message.subject = all.at("subject");
        message.text = all.at("text");
        message.sender = all.at("sender");
        message.recipients = all.at("recipients");
        message.notices = all.at("notices");
        message.marks = marks_of(all.at("marks"));
        message.lost = all.value("lost", std::uint64_t{0});
        message.partly = all.value("partly", false);
        message.tries = all.at("tries");
        message.last_error = all.at("lastError");
        // Whoever wrote it, it is sent as it is.
        if (message.channel != "mail" && !json::accept(message.text))
            return Error{"is damaged: its call is no JSON"};
        return message;
    } catch (const std::exception& failure) {
        return Error{"is no message: " + printable(failure.what(), 200)};
    }
}

}  // namespace healthcheckd::master
