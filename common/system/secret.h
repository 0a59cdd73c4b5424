// Passwords that forked children do not inherit. Master, and the one child that uses a secret.
//
// A secret lives in pages of its own that fork(2) leaves empty in the child (MADV_WIPEONFORK) and that no
// core contains (MADV_DONTDUMP, madvise(2)). The master opens one group for the moment of one fork, so a
// child can read the secrets of its own group and no others, at the same address, without a copy being sent
// to it.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

namespace healthcheckd {

// A view of bytes in a SecretStore. Reads as empty in a process that was forked without its group.
class Secret {
public:
    Secret() = default;
    bool empty() const { return view().empty(); }
    // The secret's bytes; not to be copied to where a log or another child could find them.
    std::string_view view() const;

private:
    friend class SecretStore;
    explicit Secret(const char* place) : place_(place) {}
    const char* place_ = nullptr;  // a std::uint32_t length, then the bytes
};

class SecretStore {
public:
    // Who may read: the workers of the cats by the index of the cat from 0 on, the link, the mailer (mail and
    // webhooks), and the actions of a cat, each apart.
    using Group = int;
    static constexpr Group kLink = -1;
    static constexpr Group kMail = -2;
    static constexpr Group kNobody = -3;  // a group without secrets
    // Of the actions of cat `index`: what its worker has no use for.
    static constexpr Group action_group(Group index) { return kNobody - 1 - index; }

    SecretStore() = default;
    SecretStore(const SecretStore&) = delete;
    SecretStore& operator=(const SecretStore&) = delete;
    ~SecretStore();

    // Keeps a copy of `value`. Throws std::bad_alloc when no page can be had.
    Secret put(Group group, std::string_view value);

    // While this lives, a fork gives `group` to the child. Ends the process when the group cannot be closed
    // again.
    class Exposure {
    public:
        Exposure(const SecretStore& store, Group group);
        ~Exposure();
        Exposure(const Exposure&) = delete;
        Exposure& operator=(const Exposure&) = delete;

    private:
        const SecretStore& store_;
        Group group_;
    };

private:
    struct Pages {
        char* begin;
        std::size_t size;
        std::size_t used;
    };
    bool advise(Group group, int advice) const;

    std::map<Group, std::vector<Pages>> groups_;
};

}  // namespace healthcheckd
