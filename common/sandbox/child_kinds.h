// The kinds of children: what ps(1) calls them, who they are, what they may do, and for how long. Every process.
//
// healthcheckd(8), SECURITY, has the same rows: t/docs/test_man_pages.cc compares.
#pragma once

#include "common/sandbox/sandbox.h"

#include <chrono>
#include <string>
#include <string_view>

namespace healthcheckd {

struct ChildKind {
    std::string_view title;  // in ps(1) behind "healthcheckd: ", before what its owner adds
    std::string_view row;    // its row in the manual
    std::string_view user;   // who it is, in the words of that row
    std::string_view may;    // what it may do, in those words
    // After so long the master ends it; 0: it is kept, or its owner has deadlines of its own.
    std::chrono::milliseconds limit{0};

    // Of its SandboxProfile, what does not depend on the configuration. A kind that runs unconfined sets none.
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

// Its title is its cat's; what it may do is its type's (CheckType::profile).
inline constexpr ChildKind kWorker{
    .title = "", .row = "mem, cpu", .user = kOwnUid, .may = "read one open file of /proc"};
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
                                   .threads = true,  // curl resolves the server's name in one
                                   .open_files = true,
                                   .descriptors = 128,
                                   .file_size = 8'000'000};
inline constexpr ChildKind kProcessReader{.title = "process reader",
                                          .row = "process reader",
                                          .user = kOwnUid,
                                          .may = "open files for reading, with CAP_SYS_PTRACE",
                                          .reads_processes = true,
                                          .descriptors = kSenderDescriptors};
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

// All of them.
inline constexpr const ChildKind* kAll[] = {&kWorker, &kLink,    &kConnector, &kMailer,      &kProcessReader,
                                            &kAction, &kNotices, &kRestarts,  &kOldCommands, &kConfiguration,
                                            &kMemory, &kState,   &kLogFiles,  &kLocks};

}  // namespace children

// "healthcheckd: supervisord link", and what `detail` adds.
std::string title_of(const ChildKind& kind, std::string_view detail = "");

// What a child of this kind may do whatever the configuration says; its owner adds the rest.
SandboxProfile profile_of(const ChildKind& kind);

}  // namespace healthcheckd
