// What the outbox takes up from the spool: at its start after any kind of end, and whenever something is new.
// Mailer.
#include "common/line_codec.h"
#include "master/outbox.h"

#include <algorithm>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::master {

void Outbox::load(Time now) {
    spool_.remove_leftovers();
    const auto told = spool_.read(kToldFile);
    if (told) {
        if (const auto read = told_.decode(*told); !read)
            say_(Weight::error, "spool",
                 fmt::format("{} {}; starting afresh", kToldFile, read.error().text()));
    } else if (told.error().code != ENOENT) {
        say_(Weight::error, "spool", told.error().text());
    }
    load_messages(now);
    release_pending();
    told_.prune(
        [this](const std::string& channel, const std::string& name) {
            const auto cat =
                std::ranges::find(config_.cats, name.substr(0, name.find('/')), &CatConfig::name);
            return cat != config_.cats.end() &&
                   std::ranges::count(channels_of(config_, cat->action), channel) > 0;
        },
        now);
    scan();
}

void Outbox::load_messages(Time now) {
    for (const std::string& name : spool_.list(kMessageFile)) {
        const auto text = spool_.read(name);
        auto message = text ? decode_message(*text, name) : Result<SpoolMessage>(text.error());
        if (!message) {
            say_(Weight::error, "spool", fmt::format("{}: {}", name, message.error().text()));
            if (text && spool_.bury(name + ".damaged", *text))
                (void)spool_.remove(name);
            continue;
        }
        // It was written, but what it stands for was not all removed: the crash came between.
        const std::vector<std::string> left = spool_.list(kNoticeFile);
        if (std::ranges::any_of(message->notices, [&](const std::string& each) {
                return std::ranges::count(left, each) > 0;
            })) {
            told_.apply(message->marks);
            told_.note_message(message->channel, message->made);
            keep_told();
            forget_notices(message->notices);
        }
        const auto channel = channels_.find(message->channel);
        if (channel == channels_.end()) {
            give_up(*message, message->recipients, "the configuration has no such channel any more");
            (void)spool_.remove(name);
            continue;
        }
        Message& loaded = channel->second.messages.emplace_back(Message{std::move(*message)});
        loaded.next_try = now;
        loaded.notices.clear();
        loaded.marks.clear();
    }
}

// Actions of an earlier life cannot come back.
void Outbox::release_pending() {
    for (const std::string& name : spool_.list(kPendingFile)) {
        const auto text = spool_.read(name);
        const auto notice = text ? decode_notice(*text) : Result<Notice>(text.error());
        if (notice && notice->life == life_)
            continue;
        if (const auto released = spool_.release(name); !released)
            say_(Weight::error, "spool", released.error().text());
    }
}

void Outbox::scan() {
    std::set<std::string> present;
    for (const std::string& file : spool_.list(kNoticeFile)) {
        present.insert(file);
        if (seen_.contains(file))
            continue;
        const auto text = spool_.read(file);
        if (!text &&
            (text.error().code == ENOENT || text.error().code == EMFILE || text.error().code == ENFILE))
            continue;
        const auto notice = text ? decode_notice(*text) : Result<Notice>(text.error());
        const auto channel = notice ? channels_.find(notice->channel) : channels_.end();
        if (channel == channels_.end()) {
            say_(Weight::error, "spool",
                 fmt::format("{} {}", file,
                             notice ? "is for " + notice->channel + ", which the configuration does not have"
                                    : notice.error().text()));
            if (!text || spool_.bury(file + ".damaged", *text))
                (void)spool_.remove(file);
            continue;
        }
        seen_.insert(file);
        channel->second.notices.push_back({file, std::move(*notice)});
    }
    // What was there and is not any more, somebody removed.
    std::erase_if(seen_, [&](const std::string& file) { return !present.contains(file); });
    for (auto& [name, channel] : channels_) {
        std::erase_if(channel.notices, [&](const Waiting& each) { return !present.contains(each.file); });
        std::ranges::stable_sort(channel.notices, {}, &Waiting::file);
    }
}

}  // namespace healthcheckd::master
