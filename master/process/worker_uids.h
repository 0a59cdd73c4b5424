// Uids for children with few privileges: each gets one that no other process on this machine has. Master.
//
// Signals, priorities and limits on processes and files depend on the uid: two children that share one, or a
// child that shares it with a program, can affect each other however else they are confined.
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
    // A user, released when the last copy of the lease is destroyed: keep one until the child is reaped.
    using Lease = std::shared_ptr<const ChildUser>;

    // Reads from capget(2), /proc/self/uid_map and gid_map (user_namespaces(7)) which ids this process can
    // change to.
    WorkerUids();
    // As above, with the contents of the two maps, for a process that may change its uid.
    WorkerUids(std::string_view uid_map, std::string_view gid_map);

    // Uses the range of `config` from now on, without uids that belong to a user, and without the mailer's.
    void use(const Config& config);

    // Returns a uid, and the same number as gid, that no other child and no other process has. Opens no file.
    // If there is none, returns the first of these: without root the process's own ids; an id of the range
    // that another child has, if all are in use; nobody; 0, for a child without capabilities. `missing` then
    // names the layer, except without root, which enter_sandbox() reports, and when the range is empty.
    Lease take();

    // Returns false where there is no other user that a child could have: in a user namespace that maps
    // neither an id of the range nor nobody.
    bool others() const;

private:
    struct Ids {  // an extent of the map of a user namespace
        std::uint64_t first, count;
        std::uint64_t last() const { return first + count - 1; }
        bool hold(uid_t id) const { return first <= id && id <= last(); }
    };
    static std::vector<Ids> parse(std::string_view map);
    bool mapped(uid_t uid) const;
    bool range_mapped() const;  // an id of the range, or more
    bool free(uid_t uid) const;
    ChildUser without_range() const;

    bool root_ = false;  // root with the capabilities to change to another user
    std::vector<Ids> uids_, gids_;
    UidRange range_;
    std::vector<uid_t> taken_;  // sorted
    uid_t mailer_ = UidRange().first;
    uid_t next_ = 0;  // where the search continues, so that an id is not reused at once
    std::shared_ptr<std::multiset<uid_t>> in_use_ = std::make_shared<std::multiset<uid_t>>();
};

}  // namespace healthcheckd::master
