// Users for children that may do little: each gets a uid that no other process of this machine has. Master.
//
// Signals, priorities, limits of processes and files go by the uid: two children that share one, or share it
// with a program, are open to each other whatever else confines them.
#pragma once

#include "common/config/config.h"
#include "common/sandbox/sandbox.h"

#include <cstdint>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

class WorkerUids {
public:
    // A user that is given back when the last copy of it goes: keep one until the child is reaped.
    using Lease = std::shared_ptr<const ChildUser>;

    // What this process may become, from capget(2) and /proc/self/uid_map and gid_map (user_namespaces(7)).
    WorkerUids();
    // The same by two maps, for a process that may change its uid.
    WorkerUids(std::string_view uid_map, std::string_view gid_map);

    // From now on by the range of `config`, without those that belong to somebody and the mailer's.
    void use(const Config& config);

    // A uid that no child of ours and no other process has; gid is the same number. Opens no file. Where
    // there is none to be had (`missing` says so) it is the process's own, without root; one of the range for
    // several, when all are in use; nobody; else 0 without a capability.
    Lease take();

private:
    struct Ids {  // of a user namespace
        std::uint64_t first, count;
        bool hold(uid_t id) const { return first <= id && id < first + count; }
    };
    static std::vector<Ids> parse(std::string_view map);
    bool mapped(uid_t uid) const;
    bool free(uid_t uid) const;
    ChildUser without_range() const;

    bool root_ = false;  // with what it takes to become another user
    std::vector<Ids> uids_, gids_;
    UidRange range_;
    std::vector<uid_t> taken_;  // sorted
    uid_t mailer_ = UidRange().first;
    uid_t next_ = 0;  // where the search goes on, so that a number is not used again at once
    std::shared_ptr<std::multiset<uid_t>> in_use_ = std::make_shared<std::multiset<uid_t>>();
};

}  // namespace healthcheckd::master
