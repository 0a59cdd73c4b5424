#include "common/system/secret.h"

#include "common/system/pages.h"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sys/mman.h>

namespace healthcheckd {

namespace {

constexpr std::size_t kAlign = alignof(std::uint32_t);

std::size_t round_up(std::size_t n, std::size_t unit) {
    return (n + unit - 1) / unit * unit;
}

}  // namespace

// What is volatile is read and written one by one.
void copy_secret(char* to, const char* from, std::size_t size) noexcept {
    volatile char* target = to;
    for (const volatile char* source = from; source != from + size; ++source)
        *target++ = *source;
}

std::size_t secret_length(const char* text) noexcept {
    const volatile char* end = text;
    while (*end != '\0')
        ++end;
    return static_cast<std::size_t>(end - text);
}

std::string_view Secret::view() const {
    if (place_ == nullptr)
        return {};
    std::uint32_t length = 0;
    std::memcpy(&length, place_, sizeof length);
    return {place_ + sizeof length, length};
}

SecretStore::~SecretStore() {
    for (auto& [group, all] : groups_)
        for (Pages& pages : all) {
            ::explicit_bzero(pages.begin, pages.size);
            ::munmap(pages.begin, pages.size);
        }
}

Secret SecretStore::put(Group group, std::string_view value) {
    const std::size_t need = round_up(sizeof(std::uint32_t) + value.size(), kAlign);
    std::vector<Pages>& all = groups_[group];
    if (all.empty() || all.back().size - all.back().used < need) {
        const std::size_t size = round_up(need, page_size());
        void* begin = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (begin == MAP_FAILED)
            throw std::bad_alloc();
        // A page that could leak into a child or a core dump must not hold a secret.
        if (::madvise(begin, size, MADV_WIPEONFORK) != 0 || ::madvise(begin, size, MADV_DONTDUMP) != 0) {
            ::munmap(begin, size);
            throw std::bad_alloc();
        }
        all.push_back(Pages{static_cast<char*>(begin), size, 0});
    }
    Pages& pages = all.back();
    char* place = pages.begin + pages.used;
    const auto length = static_cast<std::uint32_t>(value.size());
    std::memcpy(place, &length, sizeof length);
    copy_secret(place + sizeof length, value.data(), value.size());
    pages.used += need;
    return Secret(place);
}

bool SecretStore::advise(Group group, int advice) const {
    const auto found = groups_.find(group);
    bool all = true;
    if (found != groups_.end())
        for (const Pages& pages : found->second)
            all = ::madvise(pages.begin, pages.size, advice) == 0 && all;
    return all;
}

SecretStore::Exposure::Exposure(const SecretStore& store, Group group) : store_(store), group_(group) {
    // On failure the child reads its secrets as empty.
    (void)store_.advise(group_, MADV_KEEPONFORK);
}

SecretStore::Exposure::~Exposure() {
    // Otherwise each later child would inherit the group.
    if (!store_.advise(group_, MADV_WIPEONFORK))
        std::abort();
}

}  // namespace healthcheckd
