// Loading the outbox from the spool: at the start after any kind of end, and whenever there are new files.
// Mailer.
#include "master/mailer/outbox.h"

#include <algorithm>
#include <charconv>
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
    for (const std::string& name : spool_.list(kMessageFile))
        take_up_message(name, now);
}

void Outbox::take_up_message(const std::string& name, Time now) {
    const auto text = spool_.read(name);
    auto message = text ? decode_message(*text, name) : Result<SpoolMessage>(text.error());
    if (!message)
        return put_aside(name, message.error().text());
    // A crash interrupted the removal of its notices after it was written.
    const std::vector<std::string> left = spool_.list(kNoticeFile);
    if (std::ranges::any_of(message->notices,
                            [&](const std::string& each) { return std::ranges::count(left, each) > 0; })) {
        told_.apply(message->marks);
        told_.note_message(message->channel, message->made);
        for (const std::string& each : message->notices) {
            seen_.insert(each);  // in case the removal fails
            told_.unsaid.erase(each);
            to_remove_.push_back(each);
        }
        save_told();
    }
    std::uint64_t number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    last_name_ = std::max(last_name_, std::chrono::nanoseconds(number));
    const auto channel = channels_.find(message->channel);
    if (channel == channels_.end()) {
        if (!give_up(*message, message->recipients, "the configuration has no such channel any more"))
            return;
        told_.lost += message->partially_delivered ? 0 : message->lost;
        (void)spool_.remove(name);
        return;
    }
    Message& loaded = channel->second.messages.emplace_back(Message{std::move(*message)});
    loaded.next_try = now;
    loaded.blocks_channel = !loaded.partially_delivered;
    loaded.notices.clear();
}

void Outbox::put_aside(const std::string& name, const std::string& why) {
    const auto moved = spool_.put_aside(name);
    say_(Weight::error, "spool",
         fmt::format("{} {}: {}", name, why,
                     moved ? "put aside in " + spool_.dead_dir() : moved.error().text()));
}

// Pending notices of a previous run: the results of their actions will never come.
void Outbox::release_pending() {
    for (const std::string& name : spool_.list(kPendingFile)) {
        const auto text = spool_.read(name);
        const auto notice = text ? decode_notice(*text) : Result<Notice>(text.error());
        if (notice && notice->run_id == run_id_)
            continue;
        if (const auto released = spool_.release(name); !released)
            say_(Weight::error, "spool", released.error().text());
    }
}

void Outbox::scan() {
    if (!to_remove_.empty())
        save_told();
    const std::vector<std::string> files = spool_.list(kNoticeFile);
    const std::set<std::string> present(files.begin(), files.end());
    // Files that have disappeared were removed by somebody else.
    std::erase_if(seen_, [&](const std::string& file) { return !present.contains(file); });
    std::erase_if(told_.unsaid, [&](const auto& each) { return !present.contains(each.first); });
    for (auto& [name, channel] : channels_)
        std::erase_if(channel.notices, [&](const Waiting& each) { return !present.contains(each.file); });
    std::vector<Waiting> found;
    for (const std::string& file : files)
        if (!seen_.contains(file))
            take_up_notice(file, found);
    // Sorted by arrival; notices of a previous run come first, since the clock may have been set back since.
    std::ranges::stable_sort(found, {}, [&](const Waiting& each) { return each.notice.run_id == run_id_; });
    for (Waiting& each : found) {
        Channel& channel = channels_.at(each.notice.channel);
        channel.needs_pruning = true;
        channel.notices.push_back(std::move(each));
    }
}

void Outbox::take_up_notice(const std::string& file, std::vector<Waiting>& found) {
    const auto text = spool_.read(file);
    if (!text && (text.error().code == ENOENT || text.error().code == EMFILE || text.error().code == ENFILE))
        return;
    seen_.insert(file);
    auto notice = text ? decode_notice(*text) : Result<Notice>(text.error());
    if (!notice)
        return put_aside(file, notice.error().text());
    if (!channels_.contains(notice->channel))
        return put_aside(file, "is for " + notice->channel + ", which the configuration does not have");
    found.push_back({file, text->size(), std::move(*notice)});
}

}  // namespace healthcheckd::master
