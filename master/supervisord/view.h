// What is known of supervisord: its programs, and whether it answers. Master.
//
// The link asks, the kernel is asked whether its word can be true (Parentage), and the table of programs follows.
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
    // Of the answers so far.
    struct Answers {
        bool asked = false;      // there was an answer or a failure
        bool reached = false;    // it has answered once
        bool reachable = false;  // it answered the last time
        std::string error = {};  // of the last question; empty: none
    };
    struct Callbacks {
        ProgramTable::Callbacks programs;  // what becomes of single programs; on_updated is not used
        // A table has been taken up. `before`: the answers before it.
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
