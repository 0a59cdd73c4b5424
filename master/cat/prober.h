// Who probes for a cat: its worker, or in a unit test something that answers as it is told. Master.
#pragma once

#include "common/config/config.h"
#include "common/log/log_line.h"
#include "common/wire/protocol.h"
#include "master/process/spawner.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace healthcheckd::master {

class Prober {
public:
    // Which cat it probes for.
    struct Identity {
        std::shared_ptr<const Config> config;
        std::size_t index = 0;  // of the cat in config->cats
        std::string name;       // "cat1", "cat1/web_00"
        std::string program;

        const CatConfig& cat() const { return config->cats[index]; }
        // "cat1 gateway", for the log.
        std::string who() const { return who_of(name, program); }
    };
    struct Callbacks {
        std::function<void(const Report&)> on_report;
        // It was lost; `probing`: with a probe under way, whose answer never comes.
        std::function<void(bool probing, const std::string& why)> on_lost;
    };
    using Make = std::function<std::unique_ptr<Prober>(Identity, Callbacks)>;

    virtual ~Prober() = default;

    // The first one, to be born among those of the other cats; nothing to be born (no `main`) where none is to be
    // started now.
    virtual SpawnRequest start() = 0;
    // Later ones work by another configuration, in which the cat's keys are the same.
    virtual void adopt(std::shared_ptr<const Config> config, std::size_t index) = 0;

    // Can it be asked to probe?
    virtual bool ready() const = 0;
    virtual bool probing() const = 0;
    // Why its process cannot be measured, empty when it can; look_again() tries once more.
    virtual const std::string& blind() const = 0;
    virtual void look_again() = 0;
    // Why there is none now, empty when there is one or one is just starting.
    virtual const std::string& trouble() const = 0;

    // The process to measure from now on; pid 0: it ended.
    virtual void track(ProcessId process) = 0;
    // Sends a probe to one that is ready and not probing, and starts its deadline.
    virtual void probe(ProbeCommand command) = 0;
    // How long a probe may take.
    virtual Milliseconds probe_limit() const = 0;

    // For people: its process, how many there were, and how the last one ended.
    virtual pid_t pid() const { return 0; }
    virtual std::uint64_t spawns() const { return 0; }
    virtual std::string last_exit() const { return {}; }
    // The master's end of its socket, for a child that hands it a new log; -1 while there is none.
    virtual int control() const { return -1; }
};

}  // namespace healthcheckd::master
