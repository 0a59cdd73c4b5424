#include "master/reloader.h"

#include "common/log/log.h"

#include <algorithm>
#include <spdlog/fmt/ranges.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMostNames = 20;  // of each kind, in one log line

// Returns "2 added (a, b)".
std::string counted(const std::vector<std::string>& names, std::string_view what) {
    if (names.empty())
        return fmt::format("0 {}", what);
    const std::size_t shown = std::min(names.size(), kMostNames);
    return fmt::format("{} {} ({}{})", names.size(), what,
                       fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
                       shown < names.size() ? ", ..." : "");
}

}  // namespace

void Reloader::request(Done done) {
    waiting_.push_back(std::move(done));
    if (!reading_)
        begin();
}

void Reloader::begin() {
    reading_ = true;
    served_ = std::exchange(waiting_, {});
    loader_.load(config_file_, [this](const Result<LoadedConfig>& loaded) { on_loaded(loaded); });
}

void Reloader::on_loaded(const Result<LoadedConfig>& loaded) {
    reading_ = false;
    const std::vector<Done> served = std::exchange(served_, {});
    const ReloadOutcome outcome = take(loaded);
    for (const Done& done : served)
        if (done)
            done(outcome);
    if (!waiting_.empty() && !stopped_)
        begin();
}

ReloadOutcome Reloader::take(const Result<LoadedConfig>& loaded) {
    ReloadOutcome outcome;
    if (stopped_) {
        outcome.error = "healthcheckd is stopping";
        return outcome;
    }
    if (!loaded) {
        outcome.error = loaded.error().text();
    } else {
        for (const Diagnostic& diagnostic : loaded->diagnostics) {
            outcome.problems.push_back(diagnostic.format());
            log::write(diagnostic.severity == Diagnostic::Severity::error ? log::Level::error
                                                                          : log::Level::warning,
                       "", outcome.problems.back());
        }
        if (!loaded->config)
            outcome.error = config_file_ + " is not usable";
    }
    if (!outcome.error.empty()) {
        log::error("", "not reloaded: {}; the configuration in use goes on", outcome.error);
        return outcome;
    }
    log::set_format(loaded->config->log_format);
    outcome.changes = master_.reload(loaded->config, outcome.notes);
    const CatChanges& changes = outcome.changes;
    for (const std::string& note : outcome.notes)
        log::warning("", "{}", note);
    log::info("", "configuration reloaded: {}, {}, {}, {} unchanged", counted(changes.added, "added"),
              counted(changes.removed, "removed"), counted(changes.changed, "changed"), changes.unchanged);
    return outcome;
}

}  // namespace healthcheckd::master
