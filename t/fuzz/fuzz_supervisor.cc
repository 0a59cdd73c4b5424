// Any answer of a supervisord: refused, or made into lines that the master accepts.
#include "common/wire/protocol_supervisord.h"
#include "master/supervisord/rpc.h"
#include "t/fuzz/targets.h"

#include <string>
#include <vector>

namespace healthcheckd::fuzz {

namespace {

template <class Message> void check_line(const Message& message) {
    LineWriter writer = encode(message);
    std::string_view line = writer.line();
    if (line.empty())
        return;
    line.remove_suffix(1);
    LinkLine decoded;
    require(decode(line, decoded), "what the link reads from supervisord, the master reads from the link");
}

void check_status(const master::CallStatus& status) {
    require(status.ok() == status.message.empty(), "a failed call says why");
    check_line(AnswerLine{1, status.code, 0, status.message});
}

}  // namespace

int fuzz_supervisor(const std::uint8_t* data, std::size_t size) {
    const std::string xml(reinterpret_cast<const char*>(data), size);
    std::vector<ProgramLine> programs;
    check_status(master::decode_list(xml, programs));
    for (const ProgramLine& program : programs)
        check_line(program);
    ProgramLine program;
    const master::CallStatus info = master::decode_info(xml, program);
    check_status(info);
    if (info.ok())
        check_line(program);
    SettingsLine settings;
    const master::CallStatus found = master::decode_settings(xml, "web", settings);
    check_status(found);
    if (found.ok())
        check_line(settings);
    check_status(master::decode_order(xml));
    pid_t pid = 0;
    const master::CallStatus own = master::decode_pid(xml, pid);
    check_status(own);
    require(!own.ok() || pid > 0, "a pid is a number above 0");
    check_line(SupervisorLine{1, pid, kNoListener});
    std::string stdout_path, stderr_path;
    check_status(master::decode_log_paths(xml, stdout_path, stderr_path));
    check_line(TextLine{1, "file", stderr_path.substr(0, 1000)});
    return 0;
}

}  // namespace healthcheckd::fuzz
