// What is known of supervisord: its programs, and whether it answers. Master.
//
// Combines the link, which asks supervisord, Parentage, which checks the answers against the kernel,
// and the table of programs.
#pragma once

#include "common/config/config.h"
#include "master/reader/process_reader.h"
#include "master/supervisord/link.h"
#include "master/supervisord/parentage.h"
#include "master/supervisord/program_table.h"

#include <functional>
#include <memory>
#include <string>

namespace healthcheckd::master {

class SupervisordView {
public:
    // Summary of the answers so far.
    struct Answers {
        bool asked = false;      // there was an answer or a failure
        bool reached = false;    // it has answered at least once
        bool reachable = false;  // the last request was answered
        std::string error = {};  // of the last request; empty: none
    };
    struct Callbacks {
        ProgramTable::Callbacks programs;  // about single programs; on_updated is not used
        // A table has been processed. `before`: the summary before it.
        std::function<void(const Answers& before)> on_table;
        std::function<void(const Answers& before)> on_failure;
    };

    SupervisordView(Loop& loop, Spawner& spawner, LayerNotes& layers, ProcessReader& processes,
                    std::shared_ptr<const Config> config, Callbacks callbacks);

    const Answers& answers() const { return answers_; }
    const ProgramTable& table() const { return table_; }
    Link& link() { return link_; }
    const Link& link() const { return link_; }

private:
    ProgramTable::Callbacks with_update(ProgramTable::Callbacks programs);
    void on_failed(const std::string& why);

    std::function<void(const Answers&)> on_table_;
    std::function<void(const Answers&)> on_failure_;
    Answers answers_;
    Parentage parentage_;
    ProgramTable table_;
    Link link_;
};

}  // namespace healthcheckd::master
