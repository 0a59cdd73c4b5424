// The lines between the master and the nursery. Both. See protocol.h.
//
// master -> nursery
//   . configure
//       + a descriptor: the configuration, as pack_for_workers() writes it
//   . order index= name= program= title= logs= uid= gid= single= missing= left=
//       + the worker's descriptors: its end of the control channel, of the report pipe, and, if it finds its process
//       itself, its look mark. index: of its cat; uid, gid, single, missing: see ChildUser; left: see LeftOut,
//       PID:NS:SOUGHT, separated by commas
//   . fork
//       start all workers that were ordered
//
// nursery -> master
//   . configured
//   . forked pids=
//       the pids of the workers in the order in which they were ordered, separated by commas; negative: the error of
//       fork(2)
#pragma once

#include "common/wire/protocol.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <variant>
#include <vector>

namespace healthcheckd {

struct Configure {};
struct WorkerOrder {
    std::uint32_t index = 0;
    std::string name;
    std::string program;
    std::string title;
    bool logs = true;
    uid_t uid = 0;
    gid_t gid = 0;
    bool single = false;
    std::string missing;
    struct Left {
        pid_t pid = 0;
        std::uint64_t until_ns = 0;  // CLOCK_MONOTONIC
        bool sought = false;
        friend bool operator==(const Left&, const Left&) = default;
    };
    std::vector<Left> left;
};
struct ForkAll {};
using NurseryCommand = std::variant<Configure, WorkerOrder, ForkAll>;

struct Configured {};
struct ForkedWorkers {
    std::vector<pid_t> pids;
};
using NurseryAnswer = std::variant<Configured, ForkedWorkers, Broken>;

LineWriter encode(const Configure& m);
LineWriter encode(const WorkerOrder& m);
LineWriter encode(const ForkAll& m);
LineWriter encode(const Configured& m);
LineWriter encode(const ForkedWorkers& m);
bool decode(std::string_view line, NurseryCommand& out);
bool decode(std::string_view line, NurseryAnswer& out);

}  // namespace healthcheckd
