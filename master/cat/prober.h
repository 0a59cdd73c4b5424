// The interface to what probes for a cat: its worker, or a fake in unit tests. Master.
#pragma once

#include "common/config/config.h"
#include "common/log/log_line.h"
#include "common/wire/protocol_worker.h"
#include "master/process/spawner.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace healthcheckd::master {

class Prober {
public:
    // The cat that it probes for.
    struct Identity {
        std::shared_ptr<const Config> config;
        std::size_t index = 0;  // of the cat in config->cats
        std::string name;       // "cat1", "cat1/web_00"
        std::string program;

        const CatConfig& cat() const { return config->cats[index]; }
        // Returns "cat1 gateway", for the log.
        std::string who() const { return who_of(name, program); }
    };
    struct Callbacks {
        std::function<void(const Report&)> on_report;
        // The worker was lost; `probing`: during a probe, whose verdict will not come.
        std::function<void(bool probing, const std::string& why)> on_lost;
    };
    using Make = std::function<std::unique_ptr<Prober>(Identity, Callbacks)>;

    virtual ~Prober() = default;

    // Returns the request that starts the first worker, together with those of other cats; without `main`
    // when none can be started now.
    virtual SpawnRequest start() = 0;
    // Uses another configuration, in which the cat has the same keys, for later workers.
    virtual void adopt(std::shared_ptr<const Config> config, std::size_t index) = 0;

    // Returns whether a probe can be sent.
    virtual bool ready() const = 0;
    virtual bool probing() const = 0;
    // Returns why its process cannot be measured; "": it can. look_again() tries once more.
    virtual const std::string& blind() const = 0;
    virtual void look_again() = 0;
    // Returns why there is no worker; "": there is one, or one is starting.
    virtual const std::string& trouble() const = 0;

    // Sets the process to measure; pid 0: it ended.
    virtual void track(ProcessId process) = 0;
    // Sends a probe and starts its deadline; only when ready() and not probing().
    virtual void probe(ProbeCommand command) = 0;
    // Returns the timeout of a probe.
    virtual Milliseconds probe_limit() const = 0;

    // For display: the worker's pid, the number of workers so far, and how the last one ended.
    virtual pid_t pid() const { return 0; }
    virtual std::uint64_t spawns() const { return 0; }
    virtual std::string last_exit() const { return {}; }
    // The master's end of its socket, through which the log child sends a new log; -1 when there is no
    // worker.
    virtual int control() const { return -1; }
};

}  // namespace healthcheckd::master
