#include "master/notice/spool.h"

#include "common/file/durable_file.h"
#include "master/notice/spool_owner.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFileBytes = 4'000'000;
constexpr mode_t kPrivate = 0600;
constexpr std::chrono::hours kLeftover{1};  // no write takes longer

Result<void> prepare_folder(const std::string& path) {
    if (auto made = make_folder(path, 0700); !made)
        return made;
    const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder)
        return system_error("open " + path);
    return {};
}

std::string file_name(const std::string& id, const std::string& channel, std::string_view suffix) {
    return id + '.' + channel_label(channel) + std::string(suffix);
}

// Returns the channel label of a file, also of one being written (".ID.mail.notice.new").
std::string_view label_of(std::string_view file) {
    if (file.starts_with('.') && file.ends_with(".new"))
        file = file.substr(1, file.size() - 5);
    const std::size_t begin = file.find('.');
    const std::size_t end = file.rfind('.');
    return begin < end && end != std::string_view::npos ? file.substr(begin + 1, end - begin - 1)
                                                        : std::string_view();
}

}  // namespace

std::string channel_label(std::string channel) {
    std::ranges::replace(channel, ':', '.');
    return channel;
}

Result<void> Spool::prepare() const {
    const std::string state_dir = fs::path(dir_).parent_path();
    if (auto made = make_folder(state_dir, 0755); !made)
        return made;
    if (auto made = prepare_folder(dir_); !made)
        return made;
    return prepare_folder(dead_);
}

Result<bool> Spool::give_to(uid_t uid, gid_t gid) const {
    const auto spool = give_folder(dir_, uid, gid);
    if (!spool)
        return spool;
    const auto dead = give_folder(dead_, uid, gid);
    if (!dead)
        return dead;
    return *spool && *dead;
}

Result<UniqueFd> Spool::lock() const {
    UniqueFd folder(::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder)
        return system_error("open " + dir_);
    if (::flock(folder.get(), LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? Error{"another healthcheckd uses " + dir_}
                                    : system_error("flock " + dir_);
    return folder;
}

bool Spool::usable() const {
    return ::access(dir_.c_str(), R_OK | W_OK | X_OK) == 0 && ::access(dead_.c_str(), W_OK | X_OK) == 0 &&
           UniqueFd(::open(dir_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

// The size of the spool, in total and for each channel, counted only until it is known to be full: whoever
// can write there can create a million files.
class Spool::Load {
public:
    using Clock = std::chrono::steady_clock;

    Load(const std::string& dir, std::optional<Clock::time_point> until) : dir_(dir) {
        std::error_code failure;
        for (fs::directory_iterator entry(dir, failure), end; !failure && entry != end && !all_.full();
             entry.increment(failure)) {
            if (until && Clock::now() >= *until) {
                late_ = true;
                return;
            }
            std::uint64_t size = entry->file_size(failure);
            if (failure)  // the mailer may just have removed it
                size = 0;
            failure.clear();
            all_.add(size);
            own_[std::string(label_of(entry->path().filename().native()))].add(size);
        }
    }

    Result<void> room_for(const std::string& channel) {
        if (late_)
            return Error{"what the spool " + dir_ + " holds could not be counted in time", ETIMEDOUT};
        if (all_.full())
            return Error{"the spool " + dir_ + " is full", ENOSPC};
        const Occupied& own = own_[channel_label(channel)];
        if (own.files > kOwnShare * (kMostSpooled - all_.files) ||
            own.bytes > kOwnShare * (kMostSpooledBytes - all_.bytes))
            return Error{channel + " has its share of the spool " + dir_, ENOSPC};
        return {};
    }

private:
    struct Occupied {
        std::uint64_t files = 0, bytes = 0;

        void add(std::uint64_t size) {
            files += 1;
            bytes += size;
        }
        bool full() const { return files >= kMostSpooled || bytes >= kMostSpooledBytes; }
    };

    std::string dir_;
    Occupied all_;
    std::map<std::string, Occupied> own_;  // by label
    bool late_ = false;
};

Result<void> Spool::put_pending(const Incident& incident, std::chrono::milliseconds count_limit) const {
    Incident unfinished = incident;
    unfinished.result = {.ok = false, .message = "not known: healthcheckd ended while it was under way"};
    Result<void> all = prepare();
    Load load(dir_, Load::Clock::now() + count_limit);
    for (const std::string& channel : incident.request.channels) {
        if (auto room = load.room_for(channel); !room) {
            all = room;
            continue;
        }
        // Without fsync(2), so that the action need not wait.
        auto written = place_file(dir_, file_name(incident.request.notice_id, channel, kPendingFile),
                                  encode_notice(make_notice(unfinished, channel, {})), kPrivate);
        if (!written)
            all = written;
    }
    return all;
}

Result<void> Spool::put(const Incident& incident, const std::string& channel, const LogTail& log) const {
    const std::string& id = incident.request.notice_id;
    const std::string pending = file_name(id, channel, kPendingFile);
    const bool has_room = ::access((dir_ + '/' + pending).c_str(), F_OK) == 0;
    Result<void> written = prepare();
    if (written && !has_room)
        written = Load(dir_, std::nullopt).room_for(channel);
    if (written)
        written =
            write(file_name(id, channel, kNoticeFile), encode_notice(make_notice(incident, channel, log)));
    if (has_room)
        (void)remove(pending);
    return written;
}

std::vector<std::string> Spool::list(std::string_view suffix) const {
    std::vector<std::string> names;
    std::error_code failure;
    for (fs::directory_iterator entry(dir_, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        const std::string name = entry->path().filename();
        if (name.ends_with(suffix) && !name.starts_with('.'))
            names.push_back(name);
    }
    std::ranges::sort(names);
    names.resize(std::min(names.size(), 2 * kMostSpooled));
    return names;
}

Result<std::string> Spool::read(const std::string& name) const {
    const std::string path = dir_ + '/' + name;
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd)
        return system_error("open " + path);
    std::string text;
    std::array<char, 16 * 1024> piece;
    while (text.size() < kMostFileBytes) {
        const ssize_t n = ::read(fd.get(), piece.data(), piece.size());
        if (n < 0)
            return system_error("read " + path);
        if (n == 0)
            return text;
        text.append(piece.data(), static_cast<std::size_t>(n));
    }
    return Error{"read " + path, EFBIG};
}

Result<void> Spool::write(const std::string& name, std::string_view text) const {
    return replace_file(dir_, name, text, kPrivate);
}

Result<void> Spool::remove(const std::string& name) const {
    return remove_file(dir_, name);
}

Result<void> Spool::remove_notice(const std::string& notice) const {
    const std::string stem = notice.substr(0, notice.size() - kNoticeFile.size());
    if (auto removed = remove(stem + std::string(kPendingFile)); !removed)
        return removed;
    return remove(notice);
}

void Spool::remove_leftovers() const {
    std::vector<fs::path> leftovers;
    const auto now = fs::file_time_type::clock::now();
    for (const std::string& dir : {dir_, dead_}) {
        std::error_code failure;
        for (fs::directory_iterator entry(dir, failure), end; !failure && entry != end;
             entry.increment(failure)) {
            const std::string name = entry->path().filename();
            const auto written = entry->last_write_time(failure);
            if (!failure && name.starts_with('.') && now - written > kLeftover)
                leftovers.push_back(entry->path());
            failure.clear();  // it may just have been completed
        }
    }
    for (const fs::path& each : leftovers)
        (void)::unlink(each.c_str());
}

Result<void> Spool::release(const std::string& pending) const {
    const std::string from = dir_ + '/' + pending;
    const std::string to = from.substr(0, from.size() - kPendingFile.size()) + std::string(kNoticeFile);
    // The action may have written the notice itself before it ended.
    if (::access(to.c_str(), F_OK) == 0)
        return remove(pending);
    if (::rename(from.c_str(), to.c_str()) != 0)
        return system_error("rename " + from);
    return {};
}

void Spool::make_room_for_dead(std::uint64_t bytes) const {
    std::vector<std::pair<std::string, std::uint64_t>> files;
    std::error_code failure;
    for (fs::directory_iterator entry(dead_, failure), end; !failure && entry != end;
         entry.increment(failure)) {
        std::uint64_t size = entry->file_size(failure);
        if (failure)
            size = 0;
        failure.clear();
        files.emplace_back(entry->path().filename(), size);
        bytes += size;
    }
    std::ranges::sort(files);
    for (std::size_t i = 0;
         i < files.size() && (files.size() - i >= kMostSpooled || bytes > kMostSpooledBytes); ++i) {
        bytes -= files[i].second;
        (void)remove_file(dead_, files[i].first);
    }
}

Result<void> Spool::bury(const std::string& name, std::string_view text) const {
    make_room_for_dead(text.size());
    return replace_file(dead_, name, text, kPrivate);
}

Result<void> Spool::put_aside(const std::string& name) const {
    const std::string from = dir_ + '/' + name;
    std::error_code failure;
    const std::uint64_t size = fs::file_size(from, failure);
    make_room_for_dead(failure ? 0 : size);
    if (::rename(from.c_str(), (dead_ + '/' + name + ".damaged").c_str()) == 0)
        return {};
    // Before Linux 5.19, Landlock prevents moving a file to another folder.
    const Error moved = system_error("rename " + from);
    const auto text = read(name);
    if (!text)
        return moved;
    if (auto copied = bury(name + ".damaged", *text); !copied)
        return copied;
    return remove(name);
}

}  // namespace healthcheckd::master
