#include "master/mailer/spool_message.h"

#include "common/config/channel_kind.h"
#include "common/text/json.h"
#include "common/text/json_number.h"
#include "common/text/printable.h"

namespace healthcheckd::master {

using nlohmann::json;

std::string encode_message(const SpoolMessage& message) {
    const json all = {{"version", 1},
                      {"channel", message.channel},
                      {"madeMs", unix_ms(message.made)},
                      {"subject", message.subject},
                      {"text", message.text},
                      {"sender", message.sender},
                      {"recipients", message.recipients},
                      {"notices", message.notices},
                      {"marks", marks_json(message.marks)},
                      {"lost", message.lost},
                      {"partly", message.partially_delivered},
                      {"tries", message.tries},
                      {"lastError", message.last_error}};
    return json_text(all, 1) + '\n';
}

Result<SpoolMessage> decode_message(std::string_view text, std::string name) {
    try {
        const json all = json::parse(text);
        SpoolMessage message;
        message.name = std::move(name);
        message.channel = all.at("channel");
        message.made = time_of(all.at("madeMs"));
        message.subject = all.at("subject");
        message.text = all.at("text");
        message.sender = all.at("sender");
        message.recipients = all.at("recipients");
        message.notices = all.at("notices");
        message.marks = marks_of(all.at("marks"));
        message.lost = all.contains("lost") ? whole_of<std::uint64_t>(all.at("lost")) : 0;
        message.partially_delivered = all.value("partly", false);
        message.tries = whole_of<std::uint32_t>(all.at("tries"));
        message.last_error = all.at("lastError");
        // The text is sent as it is, whoever wrote the file.
        const ChannelKind* kind = kind_of_channel(message.channel);
        if (kind != nullptr && kind->check_text != nullptr)
            if (const auto checked = kind->check_text(message.text); !checked)
                return Error{"is damaged: " + checked.error().what};
        return message;
    } catch (const std::exception& failure) {
        return Error{"is no message: " + printable(failure.what(), 200)};
    }
}

}  // namespace healthcheckd::master
