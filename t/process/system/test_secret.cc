#include "common/system/secret.h"
#include "common/system/unique_fd.h"
#include "t/fixture/slower.h"

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace healthcheckd;

BOOST_AUTO_TEST_SUITE(test_secret)

namespace {

constexpr std::size_t kLength = 24;
constexpr unsigned char kMask = 0x5a;

// A random secret of which this process holds no plain copy outside the store: it keeps only a masked one, to
// know it again by.
struct Known {
    Secret secret;
    std::array<unsigned char, kLength> masked;

    Known(SecretStore& store, SecretStore::Group group) {
        std::random_device random;
        std::array<char, kLength> plain;
        for (std::size_t i = 0; i < kLength; ++i) {
            plain[i] = static_cast<char>(random());
            masked[i] = static_cast<unsigned char>(plain[i]) ^ kMask;
        }
        secret = store.put(group, {plain.data(), plain.size()});
        ::explicit_bzero(plain.data(), plain.size());
    }

    bool stands_at(const unsigned char* place) const {
        for (std::size_t i = 0; i < kLength; ++i)
            if ((place[i] ^ kMask) != masked[i])
                return false;
        return true;
    }
    bool readable() const {
        return secret.view().size() == kLength &&
               stands_at(reinterpret_cast<const unsigned char*>(secret.view().data()));
    }
};

// Runs `body` in a forked child; its result is the child's exit status (0 to 250), -1 when it was killed.
int in_child(const std::function<int()>& body) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::alarm(60U * static_cast<unsigned>(test::slower()));
        ::_exit(body());
    }
    int status = 0;
    BOOST_TEST_REQUIRE(::waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// How often the secret stands in the memory of this process. Static, so that the buffer is no place of the
// heap that is itself being read.
int occurrences_in_memory(const Known& known) {
    static std::array<unsigned char, 1 << 16> buffer;
    const UniqueFd memory(::open("/proc/self/mem", O_RDONLY | O_CLOEXEC));
    std::ifstream maps("/proc/self/maps");
    int found = 0;
    for (std::string line; std::getline(maps, line);) {
        std::uint64_t begin = 0, end = 0;
        char dash = 0;
        std::string rights;
        std::istringstream(line) >> std::hex >> begin >> dash >> end >> rights;
        // Regions of terabytes are the sanitizers' shadow memory, and what stands in the buffer has been
        // counted.
        if (!rights.starts_with('r') || end - begin > 256u << 20)
            continue;
        for (std::uint64_t at = begin; at < end; at += buffer.size() - kLength) {
            const ssize_t n = ::pread(memory.get(), buffer.data(), std::min(buffer.size(), end - at),
                                      static_cast<off_t>(at));
            for (ssize_t i = 0; i + static_cast<ssize_t>(kLength) <= n; ++i) {
                const std::uint64_t place = at + static_cast<std::uint64_t>(i);
                const auto own = reinterpret_cast<std::uint64_t>(buffer.data());
                if (known.stands_at(buffer.data() + i) && (place < own || place >= own + buffer.size()))
                    ++found;
            }
            ::explicit_bzero(buffer.data(), buffer.size());
        }
    }
    return found;
}

// The flags of the mapping that holds `place` (proc(5), VmFlags).
std::string flags_of_mapping(const void* place) {
    std::ifstream smaps("/proc/self/smaps");
    bool here = false;
    for (std::string line; std::getline(smaps, line);) {
        std::uint64_t begin = 0, end = 0;
        char dash = 0;
        if (std::istringstream(line) >> std::hex >> begin >> dash >> end && dash == '-')
            here = begin <= reinterpret_cast<std::uint64_t>(place) &&
                   reinterpret_cast<std::uint64_t>(place) < end;
        if (here && line.starts_with("VmFlags:"))
            return line + " ";
    }
    return {};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_secret_reads_as_what_was_put) {
    SecretStore store;
    const Secret none;
    const Secret empty = store.put(0, "");
    const Secret text = store.put(0, "pass word");
    const Secret bytes = store.put(0, std::string_view("a\0b", 3));
    BOOST_TEST(none.empty());
    BOOST_TEST(empty.empty());
    BOOST_TEST(text.view() == "pass word");
    BOOST_TEST(!text.empty());
    BOOST_TEST(bytes.view().size() == 3);
}

BOOST_AUTO_TEST_CASE(many_secrets_and_one_longer_than_a_page_keep_apart) {
    SecretStore store;
    const std::string book(20'000, 'b');
    std::vector<std::pair<std::string, Secret>> all;
    for (int i = 0; i < 2000; ++i) {
        const std::string text =
            "secret number " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 7), '!');
        all.emplace_back(text, store.put(i % 5, text));
        if (i == 1000)
            all.emplace_back(book, store.put(2, book));
    }
    for (const auto& [text, secret] : all)
        BOOST_TEST((secret.view() == text));
}

BOOST_AUTO_TEST_CASE(a_forked_child_reads_every_secret_as_empty) {
    SecretStore store;
    const Known cat(store, 0), link(store, SecretStore::kLink), mail(store, SecretStore::kMail);
    const int readable = in_child([&] {
        return static_cast<int>(!cat.secret.empty()) + static_cast<int>(!link.secret.empty()) +
               static_cast<int>(!mail.secret.empty());
    });
    BOOST_TEST(readable == 0);
    BOOST_TEST(cat.readable());
    BOOST_TEST(link.readable());
    BOOST_TEST(mail.readable());
}

BOOST_AUTO_TEST_CASE(an_exposed_group_is_read_by_the_child_and_no_other_is) {
    SecretStore store;
    const Known first(store, 0), second(store, 1), also_second(store, 1), link(store, SecretStore::kLink);
    const SecretStore::Exposure exposure(store, 1);
    const int seen = in_child([&] {
        return (first.secret.empty() ? 0 : 1) + (second.readable() ? 2 : 0) +
               (also_second.readable() ? 4 : 0) + (link.secret.empty() ? 0 : 8);
    });
    BOOST_TEST(seen == 2 + 4);
    BOOST_TEST(first.readable());
    BOOST_TEST(second.readable());
}

BOOST_AUTO_TEST_CASE(the_exposure_ends_with_its_scope) {
    SecretStore store;
    const Known known(store, 0);
    { const SecretStore::Exposure exposure(store, 0); }
    BOOST_TEST(in_child([&] { return known.secret.empty() ? 0 : 1; }) == 0);
    BOOST_TEST(known.readable());
}

BOOST_AUTO_TEST_CASE(exposing_a_group_without_secrets_exposes_nothing) {
    SecretStore store;
    const Known known(store, 0);
    const SecretStore::Exposure exposure(store, SecretStore::kNobody);
    BOOST_TEST(in_child([&] { return known.secret.empty() ? 0 : 1; }) == 0);
}

BOOST_AUTO_TEST_CASE(a_child_of_the_exposed_child_reads_nothing_once_the_exposure_is_over_there) {
    SecretStore store;
    const Known known(store, 0);
    auto exposure = std::make_unique<SecretStore::Exposure>(store, 0);
    const int seen = in_child([&] {
        exposure.reset();
        return (known.readable() ? 1 : 0) + 2 * in_child([&] { return known.secret.empty() ? 0 : 1; });
    });
    BOOST_TEST(seen == 1);
}

BOOST_AUTO_TEST_CASE(the_memory_of_a_child_holds_the_secrets_of_its_group_and_no_other) {
    SecretStore store;
    const Known own(store, 3), other(store, 4), link(store, SecretStore::kLink);
    // The search itself works: here each stands where the store keeps it.
    BOOST_TEST_REQUIRE(occurrences_in_memory(own) == 1);
    BOOST_TEST_REQUIRE(occurrences_in_memory(other) == 1);
    const SecretStore::Exposure exposure(store, 3);
    BOOST_TEST(in_child([&] { return occurrences_in_memory(own); }) == 1);
    BOOST_TEST(in_child([&] { return occurrences_in_memory(other); }) == 0);
    BOOST_TEST(in_child([&] { return occurrences_in_memory(link); }) == 0);
}

BOOST_AUTO_TEST_CASE(no_core_contains_a_secret_exposed_or_not) {
    SecretStore store;
    const Known known(store, 0);
    const std::string closed = flags_of_mapping(known.secret.view().data());
    BOOST_TEST(closed.find(" dd ") != std::string::npos, closed);
    BOOST_TEST(closed.find(" wf ") != std::string::npos, closed);
    const SecretStore::Exposure exposure(store, 0);
    const std::string open = flags_of_mapping(known.secret.view().data());
    BOOST_TEST(open.find(" dd ") != std::string::npos, open);
}

BOOST_AUTO_TEST_CASE(a_store_leaves_no_secret_behind) {
    auto store = std::make_unique<SecretStore>();
    const Known known(*store, 0);
    BOOST_TEST_REQUIRE(occurrences_in_memory(known) == 1);
    store.reset();
    BOOST_TEST(occurrences_in_memory(known) == 0);
}

BOOST_AUTO_TEST_CASE(a_group_that_cannot_be_closed_again_ends_the_process) {
    const int status = in_child([] {
        ::signal(SIGABRT, SIG_DFL);  // of Boost.Test's handler
        SecretStore store;
        const Secret secret = store.put(1, "text");
        const SecretStore::Exposure exposure(store, 1);
        // Memory that is not there cannot be wiped on a fork.
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        const auto begin = reinterpret_cast<std::uintptr_t>(secret.view().data()) / page * page;
        return ::munmap(reinterpret_cast<void*>(begin), page) == 0 ? 0 : 1;
    });
    BOOST_TEST(status == -1);  // by SIGABRT
}

BOOST_AUTO_TEST_SUITE_END()
