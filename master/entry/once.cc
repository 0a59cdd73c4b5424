#include "master/entry/once.h"

#include "common/log/log.h"
#include "common/system/descriptors.h"
#include "common/system/process_title.h"
#include "master/cat/cats.h"
#include "master/cat/program_view.h"
#include "master/entry/once_table.h"
#include "master/files/config_loader.h"
#include "master/supervisord/view.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <sys/prctl.h>

namespace healthcheckd::master {

namespace {

constexpr Milliseconds kStep{10};            // interval of checking which cats have finished
constexpr Milliseconds kTimeSpan{1'000};     // time over which cpu is measured
constexpr Milliseconds kStartLimit{7'000};   // for workers to get ready, and for supervisord to answer (5 s)
constexpr Milliseconds kAnswerLimit{3'000};  // for a worker's answer, beyond the probe's own timeout

// The configuration, changed for a single probe: no delays, and workers without a log.
std::shared_ptr<const Config> for_once(const Config& loaded) {
    auto config = std::make_shared<Config>(loaded);
    config->log_dir.clear();
    for (CatConfig& cat : config->cats)
        cat.initial_delay = Milliseconds(0);
    return config;
}

// Returns the timeout of the whole run.
Milliseconds whole_limit(const Config& config) {
    Milliseconds longest{0};
    for (const CatConfig& cat : config.cats) {
        if (!cat.enabled)
            continue;
        longest = std::max(longest, cat.type->asks_server() ? cat.timeout : 2 * kTimeSpan);
    }
    return kStartLimit + longest + kAnswerLimit;
}

Report without_probe(Verdict verdict, std::string why) {
    Report report;
    report.verdict = verdict;
    report.message = std::move(why);
    return report;
}

class Once {
public:
    Once(Loop& loop, Spawner& spawner, const Config& config);

    // Probes, and returns a row for each cat, in the order of the configuration.
    std::vector<OnceRow> run();

private:
    void step();
    bool finished(const Cat& cat) const;
    Report verdict_of(const Cat& cat) const;
    OnceRow row_without_members(const CatConfig& cat) const;

    Loop& loop_;
    std::shared_ptr<const Config> config_;
    LayerNotes layers_;
    ProcessReader processes_;
    LogRecovery logs_;
    WorkerContext workers_;
    SupervisordView supervisord_;
    Cats cats_;
    std::map<const Cat*, TimePoint> cpu_since_;  // when the first of two measurements came
    Milliseconds limit_;
    TimePoint end_{};
    Timer step_timer_;
};

Once::Once(Loop& loop, Spawner& spawner, const Config& config)
    : loop_(loop), config_(for_once(config)), processes_(loop, spawner, layers_, config_->sandbox),
      logs_(loop, spawner), workers_{loop, spawner, layers_, processes_, logs_},
      supervisord_(loop, spawner, layers_, processes_, config_,
                   {.programs = {.on_started =
                                     [this](const Program& program) {
                                         for (const auto& cat : cats_.all())
                                             if (cat->program() == program.name)
                                                 cat->on_program_started(program);
                                     },
                                 .on_ended =
                                     [this](const Program& program) {
                                         for (const auto& cat : cats_.all())
                                             if (cat->program() == program.name)
                                                 cat->on_program_ended();
                                     },
                                 .on_state =
                                     [](const Program&) {
                                     }},
                    .on_table = [this](const auto&) { cats_.follow_groups(); },
                    .on_failure =
                        [this](const auto&) {
                            log::error("supervisord", "{}", supervisord_.answers().error);
                        }}),
      cats_({workers_, supervisord_.table(), [](Cat&, Event, const Report&) {}, [] {},
             [] {
             }}),
      limit_(whole_limit(*config_)), step_timer_(loop, [this] { step(); }) {
    spawner.uids().use(*config_);
}

std::vector<OnceRow> Once::run() {
    end_ = Clock::now() + limit_;
    supervisord_.link().start();
    supervisord_.link().refresh_in(Milliseconds(0));
    cats_.start(config_, {});
    step_timer_.start(kStep);
    loop_.run();

    std::vector<OnceRow> rows;
    for (const CatConfig& cat : config_->cats) {
        const std::size_t before = rows.size();
        for (const auto& one : cats_.all())
            if (one->config().name == cat.name)
                rows.push_back({one->name(), one->program(), std::string(to_string(cat.type)),
                                cat.enabled ? std::optional(verdict_of(*one)) : std::nullopt});
        if (rows.size() == before)
            rows.push_back(row_without_members(cat));
    }
    return rows;
}

void Once::step() {
    const TimePoint now = Clock::now();
    bool all = supervisord_.answers().asked || !cats_.has_groups();
    for (const auto& cat : cats_.all()) {
        if (!cat->config().enabled || finished(*cat))
            continue;
        all = false;
        if (cat->last_probe()) {  // a cpu cat, which needs a second measurement
            const TimePoint since = cpu_since_.try_emplace(cat.get(), now).first->second;
            if (now < since + kTimeSpan)
                continue;
        }
        cat->tick(now, program_view(*cat, supervisord_));
    }
    if (all || now >= end_)
        loop_.stop();
    else
        step_timer_.start(kStep);
}

bool Once::finished(const Cat& cat) const {
    if (!cat.last_probe())
        return false;
    const Verdict verdict = cat.last_probe()->report.verdict;
    const bool measured = verdict == Verdict::success || verdict == Verdict::failure;
    return !cat.config().type->measures_over_time || !measured || cat.counters().probes >= 2;
}

Report Once::verdict_of(const Cat& cat) const {
    if (finished(cat))
        return cat.last_probe()->report;
    const auto seconds = std::chrono::duration<double>(limit_).count();
    if (cat.follows_supervisord() && !supervisord_.answers().asked)
        return without_probe(Verdict::unknown,
                             fmt::format("supervisord gave no answer within {:.0f} s", seconds));
    return without_probe(Verdict::unknown, fmt::format("there was no verdict within {:.0f} s", seconds));
}

// The members of an empty group are unknown, so its being empty is shown as a failure.
OnceRow Once::row_without_members(const CatConfig& cat) const {
    const std::string type(to_string(cat.type));
    if (supervisord_.answers().reached)
        return {cat.name, cat.program, type,
                without_probe(Verdict::failure, fmt::format("supervisord has no group '{}'",
                                                            cat.program.substr(0, cat.program.find(':'))))};
    return {cat.name, cat.program, type,
            without_probe(Verdict::unknown, supervisord_.answers().asked ? "supervisord was never reached: " +
                                                                               supervisord_.answers().error
                                                                         : "supervisord gave no answer")};
}

// Read in a child, as in the daemon: no password passes through the memory that workers are forked from.
std::shared_ptr<const Config> load(Loop& loop, Spawner& spawner, const std::string& file) {
    std::shared_ptr<const Config> config;
    bool loaded = false;
    ConfigLoader loader(loop, spawner);
    loader.load(file, [&](const Result<LoadedConfig>& result) {
        loaded = true;
        if (!result) {
            std::fprintf(stderr, "healthcheckd: %s\n", result.error().text().c_str());
        } else {
            config = result->config;
            for (const Diagnostic& diagnostic : result->diagnostics)
                if (!config || log::enabled(log::Level::warning))
                    std::fprintf(stderr, "%s\n", diagnostic.format().c_str());
        }
        loop.stop();
    });
    if (!loaded)
        loop.run();
    return config;
}

}  // namespace

int run_once(const std::string& config_file, bool verbose) {
    fill_standard_descriptors();
    ::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    if (verbose)
        log::start(STDERR_FILENO, log::Level::debug);
    // Prevents core dumps and reading of memory by others (prctl(2)); after the log, which opens a file in
    // /proc/self.
    ::prctl(PR_SET_DUMPABLE, 0);
    set_process_title("healthcheckd: once");
    try {
        Loop loop;
        Spawner spawner(loop);
        spawner.hide_environment();
        const std::shared_ptr<const Config> config = load(loop, spawner, config_file);
        if (!config)
            return 1;
        const std::vector<OnceRow> rows = Once(loop, spawner, *config).run();
        spawner.end_all(Milliseconds(500));
        log::finish(Milliseconds(300));
        for (const std::string& line : once_table(rows))
            std::printf("%s\n", line.c_str());
        std::printf("%s\n", once_summary(rows).c_str());
        return std::fflush(stdout) == 0 && all_succeeded(rows) ? 0 : 1;
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "healthcheckd: cannot go on: %s\n", failure.what());
        return 1;
    }
}

}  // namespace healthcheckd::master
