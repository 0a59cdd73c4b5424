// The kinds of children: title in ps(1), user, privileges and time limit. Every process.
//
// The table in healthcheckd(8), SECURITY, has the same rows; t/docs/test_man_pages.cc compares them.
#pragma once

#include "common/sandbox/sandbox.h"

#include <chrono>
#include <string>
#include <string_view>

namespace healthcheckd {

struct ChildKind {
    std::string_view title;  // in ps(1) after "healthcheckd: ", before the detail that the owner adds
    std::string_view row;    // its row in the manual; empty: its owner defines it
    std::string_view user;   // its user, in the words of that row
    std::string_view may;    // its privileges, in the words of that row
    // Timeout after which the master kills it; 0: it is permanent, or its owner sets deadlines.
    std::chrono::milliseconds limit{0};

    // The part of its SandboxProfile that does not depend on the configuration. Not set for a kind that runs
    // unconfined.
    bool inet = false, datagrams = false, unix_socket = false;
    bool threads = false, open_files = false, reads_processes = false;
    rlim_t descriptors = 32;
    rlim_t file_size = RLIM_INFINITY;
};

namespace children {

inline constexpr std::string_view kOwnUid = "A uid of its own",
                                  kStarter = "The user that started healthcheckd",
                                  kActionRow = "action, notices, unfinished restarts, old commands",
                                  kForAction = "do everything, for one action",
                                  kFilesRow = "configuration, memory, state, log files, locks",
                                  kForSeconds = "do everything, for seconds";

// The title is the name of the cat; CheckType::profile defines the privileges, kWorkerRows names them.
inline constexpr ChildKind kWorker{.title = "", .row = "", .user = kOwnUid, .may = ""};
inline constexpr ChildKind kNursery{
    .title = "nursery", .row = "nursery", .user = kStarter, .may = "do everything, to start workers"};
inline constexpr ChildKind kLink{.title = "supervisord link",
                                 .row = "link",
                                 .user = kOwnUid,
                                 .may = "use connections to supervisord",
                                 .descriptors = 512 + 32};
inline constexpr ChildKind kConnector{.title = "supervisord connector",
                                      .row = "connector",
                                      .user = "The owner of supervisord's socket",
                                      .may = "find unix sockets and connect to them",
                                      .unix_socket = true,
                                      .descriptors = kSenderDescriptors};
inline constexpr ChildKind kMailer{.title = "mailer",
                                   .row = "mailer",
                                   .user = "The user healthcheckd",
                                   .may = "connect to mail servers and webhooks, use the spool",
                                   .inet = true,
                                   .datagrams = true,
                                   .threads = true,  // curl resolves the server's name in a thread
                                   .open_files = true,
                                   .descriptors = 128,
                                   .file_size = 8'000'000};
inline constexpr ChildKind kProcessReader{.title = "process reader",
                                          .row = "process reader",
                                          .user = kOwnUid,
                                          .may = "open files for reading, with CAP_SYS_PTRACE",
                                          .reads_processes = true,
                                          .descriptors = kSenderDescriptors};
inline constexpr ChildKind kTrial{
    .title = "trial", .row = "trial", .user = kOwnUid, .may = "do nothing", .limit = std::chrono::seconds(3)};
inline constexpr ChildKind kTestMail{.title = "test mail",
                                     .row = "test mail",
                                     .user = "The user healthcheckd",
                                     .may = "connect to mail servers and webhooks"};
inline constexpr ChildKind kAction{
    .title = "action ", .row = kActionRow, .user = kStarter, .may = kForAction};
inline constexpr ChildKind kNotices{
    .title = "notices", .row = kActionRow, .user = kStarter, .may = kForAction};
inline constexpr ChildKind kRestarts{
    .title = "unfinished restarts", .row = kActionRow, .user = kStarter, .may = kForAction};
inline constexpr ChildKind kOldCommands{.title = "old commands",
                                        .row = kActionRow,
                                        .user = kStarter,
                                        .may = kForAction,
                                        .limit = std::chrono::seconds(15)};
inline constexpr ChildKind kConfiguration{.title = "configuration",
                                          .row = kFilesRow,
                                          .user = kStarter,
                                          .may = kForSeconds,
                                          .limit = std::chrono::seconds(30)};
inline constexpr ChildKind kMemory{.title = "memory",
                                   .row = kFilesRow,
                                   .user = kStarter,
                                   .may = kForSeconds,
                                   .limit = std::chrono::seconds(5)};
inline constexpr ChildKind kState{.title = "state", .row = kFilesRow, .user = kStarter, .may = kForSeconds};
inline constexpr ChildKind kLogFiles{.title = "log files",
                                     .row = kFilesRow,
                                     .user = kStarter,
                                     .may = kForSeconds,
                                     .limit = std::chrono::seconds(30)};
inline constexpr ChildKind kLocks{.title = "locks",
                                  .row = kFilesRow,
                                  .user = kStarter,
                                  .may = kForSeconds,
                                  .limit = std::chrono::seconds(3)};

// All kinds.
inline constexpr const ChildKind* kAll[] = {
    &kWorker,        &kNursery,  &kLink,   &kConnector, &kMailer,   &kProcessReader,
    &kTrial,         &kTestMail, &kAction, &kNotices,   &kRestarts, &kOldCommands,
    &kConfiguration, &kMemory,   &kState,  &kLogFiles,  &kLocks};

// The privileges of a worker, by its type of check.
struct WorkerRow {
    std::string_view row;
    std::string_view may;
};
inline constexpr WorkerRow kWorkerRows[] = {
    {"mem, cpu", "read one open file of /proc"},
    {"mem, cpu by name or file", "read /proc and the pid file"},
    {"restart", "do nothing"},
    {"http, tcp", "connect to the port of the cat, resolve its host"},
};

}  // namespace children

// Returns "healthcheckd: supervisord link", followed by `detail`.
std::string title_of(const ChildKind& kind, std::string_view detail = "");

// Returns the fixed part of the profile of this kind; the owner adds what depends on the configuration.
SandboxProfile profile_of(const ChildKind& kind);

}  // namespace healthcheckd
