#include "master/process/worker_uids.h"

#include "common/sandbox/powers.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

namespace healthcheckd::master {

namespace {

constexpr std::string_view kSingleUids = "single uids";
constexpr std::uint64_t kMostTried = 5'000;  // uids tried in a large range
constexpr int kMostExtents = 340;            // maximum of a map (user_namespaces(7))

std::string text_of(const char* file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
}

// Uses getpriority(2), which reads no file. ESRCH: no process has it as its real uid; for an unused uid the
// kernel does not even iterate over processes.
bool has_no_process(uid_t uid) {
    errno = 0;
    return ::getpriority(PRIO_USER, uid) == -1 && errno == ESRCH;
}

std::uint32_t any_number() {
    std::uint32_t number = 0;
    return ::getrandom(&number, sizeof number, GRND_NONBLOCK) == sizeof number ? number : 0;
}

}  // namespace

WorkerUids::WorkerUids() {
    root_ = may_change_users();
    if (root_) {
        uids_ = parse(text_of("/proc/self/uid_map"));
        gids_ = parse(text_of("/proc/self/gid_map"));
    }
}

WorkerUids::WorkerUids(std::string_view uid_map, std::string_view gid_map)
    : root_(true), uids_(parse(uid_map)), gids_(parse(gid_map)) {}

std::vector<WorkerUids::Ids> WorkerUids::parse(std::string_view map) {
    std::vector<Ids> all;
    std::istringstream in{std::string(map)};
    std::uint64_t inside = 0, outside = 0, count = 0;
    for (int i = 0; i < kMostExtents && in >> inside >> outside >> count; ++i)
        all.push_back({inside, count});
    return all;
}

void WorkerUids::use(const Config& config) {
    if (config.worker_uids != range_)
        next_ = 0;
    range_ = config.worker_uids;
    taken_ = config.taken_uids;
    mailer_ = config.mailer_uid;
}

bool WorkerUids::mapped(uid_t uid) const {
    const auto has = [uid](const Ids& ids) {
        return ids.hold(uid);
    };
    return std::ranges::any_of(uids_, has) && std::ranges::any_of(gids_, has);
}

bool WorkerUids::range_mapped() const {
    for (const Ids& uids : uids_)
        for (const Ids& gids : gids_)
            if (std::max({uids.first, gids.first, std::uint64_t{range_.first}}) <=
                std::min({uids.last(), gids.last(), std::uint64_t{range_.last}}))
                return true;
    return false;
}

bool WorkerUids::others() const {
    return !root_ || mapped(kNobody) || (!range_.off() && range_mapped());
}

bool WorkerUids::free(uid_t uid) const {
    return uid != mailer_ && !in_use_->contains(uid) && mapped(uid) &&
           !std::ranges::binary_search(taken_, uid) && has_no_process(uid);
}

ChildUser WorkerUids::without_range() const {
    if (::geteuid() != 0)
        return {::geteuid(), ::getegid(), false, {}};  // enter_sandbox() reports the missing layer
    const bool nobody = root_ && mapped(kNobody);
    const uid_t uid = nobody ? kNobody : 0;
    return {uid, uid, false, range_.off() ? std::string_view() : kSingleUids};
}

WorkerUids::Lease WorkerUids::take() {
    ChildUser user = without_range();
    const std::uint64_t count = std::uint64_t{range_.last} - range_.first + 1;
    if (root_ && !range_.off()) {
        // Starts at a random uid: another healthcheckd may be about to take uids of the same range.
        if (!range_.holds(next_))
            next_ = range_.first + static_cast<uid_t>(any_number() % count);
        std::optional<uid_t> shared;
        for (std::uint64_t i = 0; i < std::min(count, kMostTried); ++i) {
            const uid_t uid = next_;
            next_ = uid == range_.last ? range_.first : uid + 1;
            if (free(uid)) {
                user = {uid, uid, true, {}};
                break;
            }
            if (!shared && in_use_->contains(uid))
                shared = uid;
        }
        if (!user.single && shared)
            user = {*shared, *shared, false, kSingleUids};
    }
    const auto place = in_use_->insert(user.uid);
    return {new ChildUser(user), [in_use = in_use_, place](const ChildUser* gone) {
                in_use->erase(place);
                delete gone;
            }};
}

}  // namespace healthcheckd::master
