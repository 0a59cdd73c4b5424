#include "common/sandbox/child_kinds.h"

#include "common/system/process_title.h"

namespace healthcheckd {

std::string title_of(const ChildKind& kind, std::string_view detail) {
    return std::string(kTitlePrefix) + std::string(kind.title) + std::string(detail);
}

SandboxProfile profile_of(const ChildKind& kind) {
    SandboxProfile profile;
    profile.name = kind.row;
    profile.inet = kind.inet;
    profile.datagrams = kind.datagrams;
    profile.unix_socket = kind.unix_socket;
    profile.threads = kind.threads;
    profile.open_files = kind.open_files;
    profile.reads_processes = kind.reads_processes;
    profile.descriptors = kind.descriptors;
    profile.file_size = kind.file_size;
    return profile;
}

}  // namespace healthcheckd
