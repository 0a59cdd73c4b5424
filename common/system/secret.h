// Secrets that forked children do not inherit. Master, and the one child that uses a secret.
//
// Secrets are kept in pages of their own, which fork(2) zeroes in the child (MADV_WIPEONFORK) and which no
// core dump contains (MADV_DONTDUMP, madvise(2)). The master exposes one group for the time of one fork: the
// child reads the secrets of its own group and no others, at the same addresses, and none has to be sent to
// it.
#pragma once

#include <cstddef>
#include <map>
#include <string_view>
#include <vector>

namespace healthcheckd {

// As memcpy(3) and strlen(3), but byte by byte: these leave the text in vector registers, which the dynamic linker saves
// on the stack when it binds a function that is called next, and the stack is inherited by all children.
void copy_secret(char* to, const char* from, std::size_t size) noexcept;
std::size_t secret_length(const char* text) noexcept;

// A view of bytes in a SecretStore. Empty in a process that was forked without exposing its group.
class Secret {
public:
    Secret() = default;
    bool empty() const { return view().empty(); }
    // Returns the bytes. Do not copy them to where a log or another child could find them.
    std::string_view view() const;

private:
    friend class SecretStore;
    explicit Secret(const char* place) : place_(place) {}
    const char* place_ = nullptr;  // a std::uint32_t length, then the bytes
};

class SecretStore {
public:
    // A set of secrets that one child may read: the worker of a cat (the cat's index, from 0), the link, the
    // mailer (mail and webhooks), or the actions of a cat.
    using Group = int;
    static constexpr Group kLink = -1;
    static constexpr Group kMail = -2;
    static constexpr Group kNobody = -3;  // a group without secrets
    // The secrets of the actions of cat `index`, which its worker does not need.
    static constexpr Group action_group(Group index) { return kNobody - 1 - index; }

    SecretStore() = default;
    SecretStore(const SecretStore&) = delete;
    SecretStore& operator=(const SecretStore&) = delete;
    ~SecretStore();

    // Stores a copy of `value`. Throws std::bad_alloc when no page can be allocated.
    Secret put(Group group, std::string_view value);

    // Exposes `group` to forks for the lifetime of this object. The destructor aborts when the group cannot
    // be closed again, since each later child would inherit it.
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
