// Any bytes from the configuration child: refused, or a configuration within its limits that can be handed on
// and stays the same.
#include "common/text/fnv.h"
#include "master/config/dump.h"
#include "master/config/transfer.h"
#include "t/fuzz/targets.h"
#include "worker/check/net.h"

#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::fuzz {

namespace {

// Of a transfer: its first bytes, then the length of its records and their checksum.
constexpr std::string_view kMagic = "healthcheckd configuration 1\n";
constexpr std::size_t kHeader = kMagic.size() + 2 * sizeof(std::uint64_t);

// What the child would have written with these records: no fuzzer guesses a checksum.
std::vector<char> sealed(std::string_view records) {
    const std::uint64_t sum = fnv1a(records);
    const std::uint64_t length = records.size();
    std::vector<char> area(kHeader + records.size());
    std::memcpy(area.data(), kMagic.data(), kMagic.size());
    std::memcpy(area.data() + kMagic.size(), &length, sizeof length);
    std::memcpy(area.data() + kMagic.size() + sizeof length, &sum, sizeof sum);
    if (!records.empty())
        std::memcpy(area.data() + kHeader, records.data(), records.size());
    return area;
}

// The records of a transfer of `loaded`.
std::string packed(const LoadedConfig& loaded) {
    static std::vector<char> area(16u << 20);  // a cat of 11 bytes becomes one of 2000, with all its defaults
    require(static_cast<bool>(master::pack_config(loaded, area)), "what was accepted can be handed on");
    std::uint64_t length = 0;
    std::memcpy(&length, area.data() + kMagic.size(), sizeof length);
    return {area.data() + kHeader, length};
}

void check_values(const Config& config) {
    for (const CatConfig& cat : config.cats) {
        require(!cat.name.empty(), "every cat has a name");
        require(cat.period >= std::chrono::milliseconds(100), "no period is below 0.1 s");
        require(cat.failure_threshold >= 1 && cat.success_threshold >= 1, "no threshold is 0");
        if (cat.type->asks_server()) {
            const int port = cat.own<ServerAddress>().port;
            require(port >= 1 && port <= 65535, "a port is a port");
        }
    }
}

}  // namespace

bool is_transfer(const std::uint8_t* data, std::size_t size) {
    const auto loaded = master::unpack_config(sealed({reinterpret_cast<const char*>(data), size}));
    return loaded && loaded->config != nullptr;
}

int fuzz_transfer(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    (void)master::unpack_config({bytes.data(), bytes.size()});  // the header, too, may be anything

    const Result<LoadedConfig> first = master::unpack_config(sealed(bytes));
    if (!first)
        return 0;
    for (const Diagnostic& one : first->diagnostics)
        require(one.severity == Diagnostic::Severity::warning || one.severity == Diagnostic::Severity::error,
                "a complaint is a warning or an error");
    const std::string once = packed(*first);
    const Result<LoadedConfig> second = master::unpack_config(sealed(once));
    require(static_cast<bool>(second), "what was handed on is accepted");
    require(packed(*second) == once, "handing on again changes nothing");
    require((first->config == nullptr) == (second->config == nullptr), "a configuration stays one");
    require(first->diagnostics.size() == second->diagnostics.size(), "no complaint gets lost");
    if (first->config == nullptr)
        return 0;
    check_values(*first->config);
    require(master::dump_config(*first->config) == master::dump_config(*second->config),
            "every value stays the same");
    return 0;
}

}  // namespace healthcheckd::fuzz
