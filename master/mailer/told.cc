#include "master/mailer/told.h"

#include "common/text/json.h"
#include "common/text/json_number.h"
#include "common/text/printable.h"

#include <algorithm>

namespace healthcheckd::master {

namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr char kBetween = '\n';  // separator in keys; names do not contain it
constexpr std::string_view kUnmeasurable = "unmeasurable";
constexpr std::size_t kMostFailures = 10'000;
constexpr auto kHour = 1h;

// supervisord giving up is news even for a program that failed before: from now on nothing restarts it.
bool is_given_up(const Notice& notice) {
    return notice.kind == NoticeKind::failed && notice.state.starts_with("FATAL");
}

// Splits a key into channel, cat, and "unmeasurable" or "".
std::array<std::string, 3> parts_of(const std::string& key) {
    const std::size_t first = key.find(kBetween);
    const std::size_t second = key.find(kBetween, first + 1);
    return {key.substr(0, first), key.substr(first + 1, second - first - 1),
            second == std::string::npos ? "" : key.substr(second + 1)};
}

}  // namespace

std::string Told::key_of(const Notice& notice, bool measured) {
    std::string key = notice.channel + kBetween + notice.cat;
    if (!measured)
        (key += kBetween) += kUnmeasurable;
    return key;
}

bool Told::is_news(const Notice& notice) const {
    const bool measured = notice.kind != NoticeKind::unmeasurable;
    const auto found = failures_.find(key_of(notice, measured));
    if (notice.kind == NoticeKind::recovered)
        return notice.announce && found != failures_.end();
    // A negative difference means that the clock was set back.
    const auto passed = found == failures_.end() ? Time::duration{} : notice.at - found->second->last;
    return found == failures_.end() || std::chrono::abs(passed) >= limits_.reminder ||
           (is_given_up(notice) && !found->second->given_up);
}

std::optional<Telling> Told::take(const Notice& notice, Marks& marks, std::uint32_t dropped) {
    const bool news = is_news(notice);
    const bool measured = notice.kind != NoticeKind::unmeasurable;
    const std::string key = key_of(notice, measured);
    const auto found = failures_.find(key);
    std::optional<Telling> telling;
    if (news)
        telling.emplace(Telling{notice});
    if (notice.kind == NoticeKind::recovered) {
        for (const std::string& ended : {key, key_of(notice, false)})
            if (failures_.erase(ended) > 0)
                marks[ended] = std::nullopt;
        return telling;
    }
    if (found == failures_.end()) {
        if (failures_.size() >= kMostFailures)
            return telling;
        marks[key] = failures_[key] = Failure{notice.at, notice.at, dropped, is_given_up(notice)};
        return telling;
    }
    Failure& failure = *found->second;
    if (news) {
        telling->reminder = measured;
        telling->repeats = failure.repeats;
        telling->first = failure.first;
        failure.last = notice.at;
        failure.repeats = dropped;
        failure.given_up = is_given_up(notice);
    } else {
        failure.repeats += 1 + dropped;
    }
    marks[key] = failure;
    return telling;
}

void Told::apply(const Marks& marks) {
    for (const auto& [key, failure] : marks)
        if (failure)
            failures_[key] = failure;
        else
            failures_.erase(key);
}

void Told::forget(const Marks& marks) {
    for (const auto& [key, failure] : marks) {
        const auto known = failures_.find(key);
        // `last` differs if a reminder followed.
        if (failure && failure->first == failure->last && known != failures_.end() &&
            known->second->last == failure->last)
            failures_.erase(known);
    }
}

std::set<std::string> Told::cats_of(const Marks& marks) {
    std::set<std::string> cats;
    for (const auto& [key, failure] : marks)
        cats.insert(parts_of(key)[1]);
    return cats;
}

Told::Time Told::next_message_at(const std::string& channel, Time now) const {
    const auto found = messages_.find(channel);
    if (found == messages_.end())
        return now;
    std::vector<Time> recent;
    std::ranges::copy_if(found->second, std::back_inserter(recent),
                         [&](Time at) { return at <= now && now - at < kHour; });
    if (recent.empty())
        return now;
    std::ranges::sort(recent);
    Time next = std::max(now, recent.back() + limits_.digest);
    if (recent.size() >= limits_.most_per_hour)
        next = std::max(next, recent[recent.size() - limits_.most_per_hour] + kHour);
    return next;
}

void Told::note_message(const std::string& channel, Time at) {
    std::vector<Time>& times = messages_[channel];
    std::erase_if(times, [&](Time each) { return each > at || at - each >= kHour; });
    times.push_back(at);
}

std::set<std::string> Told::failed_cats() const {
    std::set<std::string> cats;
    for (const auto& [key, failure] : failures_)
        if (const auto parts = parts_of(key); parts[2].empty())
            cats.insert(parts[1]);
    return cats;
}

void Told::prune(const std::function<bool(const std::string&, const std::string&)>& current, Time now) {
    std::erase_if(failures_, [&](const auto& entry) {
        const auto parts = parts_of(entry.first);
        const bool stale = parts[2] == kUnmeasurable && now - entry.second->last >= limits_.reminder;
        return stale || !current(parts[0], parts[1]);
    });
    std::erase_if(messages_, [&](const auto& entry) {
        return std::ranges::none_of(entry.second, [&](Time at) { return at <= now && now - at < kHour; });
    });
}

json marks_json(const Told::Marks& marks) {
    json out = json::object();
    for (const auto& [key, failure] : marks)
        out[key] = failure ? json{{"firstMs", unix_ms(failure->first)},
                                  {"lastMs", unix_ms(failure->last)},
                                  {"repeats", failure->repeats},
                                  {"givenUp", failure->given_up}}
                           : json(nullptr);
    return out;
}

Told::Marks marks_of(const json& object) {
    Told::Marks marks;
    for (const auto& [key, value] : object.items()) {
        if (value.is_null())
            marks[key] = std::nullopt;
        else
            marks[key] = Told::Failure{time_of(value.at("firstMs")), time_of(value.at("lastMs")),
                                       whole_of<std::uint32_t>(value.at("repeats")), value.at("givenUp")};
    }
    return marks;
}

std::string Told::encode() const {
    json messages = json::object();
    for (const auto& [channel, times] : messages_)
        for (const Time at : times)
            messages[channel].push_back(unix_ms(at));
    const json all = {{"version", 1},
                      {"failures", marks_json(failures_)},
                      {"messagesMs", messages},
                      {"lost", lost},
                      {"unsaid", unsaid}};
    return json_text(all, 1) + '\n';
}

Result<void> Told::decode(std::string_view text) {
    try {
        const json all = json::parse(text);
        Marks failures = marks_of(all.at("failures"));
        std::erase_if(failures, [](const auto& entry) { return !entry.second; });
        std::map<std::string, std::vector<Time>> messages;
        for (const auto& [channel, times] : all.at("messagesMs").items())
            for (const json& at : times)
                messages[channel].push_back(time_of(at));
        std::map<std::string, std::uint32_t> dropped;
        if (const auto found = all.find("unsaid"); found != all.end())
            for (const auto& [file, count] : found->items())
                dropped[file] = whole_of<std::uint32_t>(count);
        lost = whole_of<std::uint64_t>(all.at("lost"));
        unsaid = std::move(dropped);
        failures_ = std::move(failures);
        messages_ = std::move(messages);
        return {};
    } catch (const std::exception& failure) {
        return Error{"is damaged: " + printable(failure.what(), 200)};
    }
}

}  // namespace healthcheckd::master
