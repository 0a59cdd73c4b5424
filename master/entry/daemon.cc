#include "master/entry/daemon.h"

#include "common/log/log.h"
#include "common/system/descriptors.h"
#include "common/system/process_title.h"
#include "common/text/width.h"
#include "master/control/control.h"
#include "master/entry/library_pages.h"
#include "master/entry/trial.h"
#include "master/files/config_loader.h"
#include "master/files/instance_lock.h"
#include "master/files/memory_loader.h"
#include "master/master.h"
#include "master/reloader.h"

#include <csignal>
#include <list>
#include <optional>
#include <sched.h>
#include <sys/prctl.h>
#include <sysexits.h>

namespace healthcheckd::master {

namespace {

// A process of SCHED_BATCH that becomes runnable does not preempt the running one (sched(7)): the master
// can send a whole group of probes first and handle their answers in few iterations. A policy that an
// operator has set is kept.
void let_others_finish() {
    const sched_param none{};
    if (::sched_getscheduler(0) == SCHED_OTHER)
        ::sched_setscheduler(0, SCHED_BATCH, &none);
}

void log_diagnostics(const LoadedConfig& loaded) {
    for (const Diagnostic& diagnostic : loaded.diagnostics)
        log::write(diagnostic.severity == Diagnostic::Severity::error ? log::Level::error
                                                                      : log::Level::warning,
                   "", diagnostic.format());
}

class Daemon {
public:
    explicit Daemon(std::string config_file) : config_file_(std::move(config_file)) {}
    ~Daemon() { log::on_blocked({}); }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    int run();

private:
    void on_loaded(const Result<LoadedConfig>& loaded);
    void on_locked(const std::shared_ptr<const Config>& config, const Result<void>& locked);
    void on_tried(const std::shared_ptr<const Config>& config, const Result<void>& lives);
    void begin(const std::shared_ptr<const Config>& config, LoadedMemory memory);
    void stop(int signal);
    void end(int status);
    void when(int signal, std::function<void()> what) {
        signals_.emplace_back(loop_, signal, std::move(what));
    }

    std::string config_file_;
    int status_ = 0;
    bool stopping_ = false;
    // Requested while the configuration was still being read.
    bool dump_at_start_ = false;
    bool reload_at_start_ = false;
    Loop loop_;
    Spawner spawner_{loop_};
    std::list<SignalWatch> signals_;
    std::unique_ptr<FdWatch> log_watch_;
    ConfigLoader loader_{loop_, spawner_};
    InstanceLock lock_{loop_, spawner_};
    Task first_step_{loop_, spawner_};  // the trial, then the reading of the memory
    std::optional<Master> master_;
    std::optional<Reloader> reloader_;
    std::optional<Control> control_;
};

int Daemon::run() {
    for (const int signal : {SIGTERM, SIGINT, SIGQUIT})
        when(signal, [this, signal] { stop(signal); });
    when(SIGUSR1, [this] {
        if (master_)
            master_->dump_state();
        else
            dump_at_start_ = true;
    });
    when(SIGUSR2, [this] {
        if (master_)
            master_->reopen_logs();
    });
    when(SIGHUP, [this] {
        if (reloader_)
            reloader_->request({});
        else
            reload_at_start_ = true;
    });
    log::on_blocked([this] {
        if (!log_watch_)
            log_watch_ = std::make_unique<FdWatch>(loop_, log::descriptor(), FdWatch::For::writing, [this] {
                log::flush();
                if (!log::pending())
                    log_watch_->pause();
            });
        log_watch_->resume();
    });
    spawner_.hide_environment();
    // Before the configuration is read: it stays as small as this process is now. If it fails, the first worker tries
    // again.
    (void)spawner_.open_nursery();
    loader_.load(config_file_, [this](const Result<LoadedConfig>& loaded) { on_loaded(loaded); });
    loop_.run();
    control_.reset();
    reloader_.reset();
    master_.reset();
    spawner_.end_all(Milliseconds(500));
    if (spawner_.children() > 0)
        log::error("", "{} processes could not be ended", spawner_.children());
    log::on_blocked({});
    return status_;
}

void Daemon::on_loaded(const Result<LoadedConfig>& loaded) {
    if (!loaded) {
        log::error("", "{}", loaded.error().text());
        return end(1);
    }
    log_diagnostics(*loaded);
    if (!loaded->config) {
        log::error("", "{} is not usable; healthcheckd -t -c {} shows the same", config_file_, config_file_);
        return end(1);
    }
    log::set_format(loaded->config->log_format);
    lock_.take(loaded->config->state_dir, loaded->config->socket,
               [this, config = loaded->config](const Result<void>& locked) { on_locked(config, locked); });
}

void Daemon::on_locked(const std::shared_ptr<const Config>& config, const Result<void>& locked) {
    if (stopping_)
        return;
    if (!locked) {
        log::error("", "{}", locked.error().text());
        return end(EX_TEMPFAIL);
    }
    spawner_.uids().use(*config);
    try_child(first_step_, spawner_.uids(), config->sandbox,
              [this, config](const Result<void>& lives) { on_tried(config, lives); });
}

void Daemon::on_tried(const std::shared_ptr<const Config>& config, const Result<void>& lives) {
    if (stopping_)
        return;
    if (!lives) {
        log::error("", "no check can be made here: a process for it cannot be confined: {}",
                   lives.error().text());
        return end(1);
    }
    load_memory(first_step_, config->state_dir, [this, config](LoadedMemory memory) {
        if (!stopping_)
            begin(config, std::move(memory));
    });
}

void Daemon::begin(const std::shared_ptr<const Config>& config, LoadedMemory memory) {
    master_.emplace(loop_, spawner_, config);
    master_->start(std::move(memory.memory), std::move(memory.keep_as));
    reloader_.emplace(loop_, spawner_, *master_, config_file_);
    control_.emplace(loop_, *master_, *reloader_);
    control_->start(config->socket);
    prepare_text_width();  // for the table that is logged on SIGUSR1
    release_library_pages();
    if (reload_at_start_)
        reloader_->request({});
    if (dump_at_start_)
        master_->dump_state();
}

void Daemon::stop(int signal) {
    if (std::exchange(stopping_, true))
        return;
    log::info("", "stopping on SIG{}", ::sigabbrev_np(signal));
    control_.reset();
    if (reloader_)
        reloader_->stop();
    if (master_)
        master_->stop([this] { end(0); });
    else
        end(0);
}

void Daemon::end(int status) {
    status_ = status;
    loop_.stop();
}

}  // namespace

int run_daemon(const std::string& config_file, bool verbose) {
    fill_standard_descriptors();
    ::signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit();
    let_others_finish();
    log::start(STDERR_FILENO, verbose ? log::Level::debug : log::Level::info);
    // Prevents core dumps and reading of memory by others (prctl(2)); after the log, which opens a file in
    // /proc/self.
    ::prctl(PR_SET_DUMPABLE, 0);
    set_process_title("healthcheckd: master");
    int status = 1;
    try {
        status = Daemon(config_file).run();
    } catch (const std::exception& failure) {
        log::error("", "cannot go on: {}", failure.what());
    }
    if (status == 0)
        log::info("", "stopped");
    log::finish(Milliseconds(300));
    return status;
}

}  // namespace healthcheckd::master
