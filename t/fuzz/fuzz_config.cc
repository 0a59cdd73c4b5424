// Any configuration file: it is accepted or complained about, within bounds, and an accepted one is complete.
#include "common/text/printable.h"
#include "master/config/reading/yaml.h"
#include "t/fuzz/targets.h"
#include "worker/check/net.h"

#include <algorithm>
#include <chrono>
#include <string>

namespace healthcheckd::fuzz {

int fuzz_config(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const LoadedConfig loaded = master::parse_config(text, "config.yaml");
    const bool has_error =
        std::any_of(loaded.diagnostics.begin(), loaded.diagnostics.end(),
                    [](const Diagnostic& one) { return one.severity == Diagnostic::Severity::error; });
    require(has_error == (loaded.config == nullptr),
            "a configuration is given exactly when there is no error");
    require(loaded.diagnostics.size() <= 201, "the number of complaints is bounded");
    for (const Diagnostic& one : loaded.diagnostics) {
        const std::string line = one.format();
        require(!one.text.empty(), "a complaint says something");
        require(one.line >= 0 && one.column >= 0, "a place is one of the file");
        require(printable(line, line.size()) == line, "a complaint is fit for a terminal");
    }
    if (loaded.config == nullptr)
        return 0;
    for (const CatConfig& cat : loaded.config->cats) {
        require(!cat.name.empty() && !cat.program.empty(), "every cat has a name and a program");
        require(cat.period >= std::chrono::milliseconds(100), "no period is below 0.1 s");
        require(cat.failure_threshold >= 1 && cat.success_threshold >= 1, "no threshold is 0");
        if (cat.type->asks_server()) {
            const int port = cat.own<ServerAddress>().port;
            require(port >= 1 && port <= 65535, "a port is a port");
        }
    }
    return 0;
}

}  // namespace healthcheckd::fuzz
