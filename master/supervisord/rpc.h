// supervisord's XML-RPC interface: the calls that healthcheckd makes, each with a deadline. Link.
//
// The other side is supervisor/rpcinterface.py. xmlrpc-c encodes and decodes, SupervisorTransport transmits.
#pragma once

#include "common/config/config.h"
#include "common/wire/protocol_supervisord.h"
#include "master/supervisord/transport.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

// The result of a call. `message` is empty for kCallOk, else a sentence for people.
struct CallStatus {
    int code = kCallOk;  // CallCode
    std::string message = {};

    bool ok() const { return code == kCallOk; }
};

class SupervisorRpc {
public:
    // Reads all files that are needed later; connects nothing yet. `connect`: for a unix socket,
    // see SupervisorTransport. `rule`: which users are accepted. `limit`: timeout of a call,
    // including the connection.
    SupervisorRpc(Endpoint endpoint, const Config& config, OwnerRule rule,
                  SupervisorTransport::Connect connect = {},
                  std::chrono::milliseconds limit = std::chrono::seconds(5));
    // Uses the rule of the configuration, and connects from this process.
    SupervisorRpc(Endpoint endpoint, const Config& config,
                  std::chrono::milliseconds limit = std::chrono::seconds(5))
        : SupervisorRpc(std::move(endpoint), config, owner_rule(config), {}, limit) {}

    // All programs (getAllProcessInfo).
    CallStatus list(std::vector<ProgramLine>& programs);
    // supervisord's own pid, in its pid namespace (getPID).
    CallStatus pid(pid_t& pid);
    // One program by its full name (getProcessInfo).
    CallStatus info(const std::string& name, ProgramLine& program);
    // Reads the program's configuration from getAllConfigInfo: no call returns that of one program.
    // Values that an older supervisord does not return keep supervisord's defaults. Fails with
    // kFaultBadName for an unknown program.
    CallStatus settings(const std::string& name, SettingsLine& settings);
    // Reads the end of its stderr log, at most 2 KiB, or of its stdout log when stderr's is empty or
    // redirected there; `stream` tells which. Both are empty when there is no log. supervisord fails
    // for a log that is not valid UTF-8: then `stream` is "file" and `text` is the path that
    // supervisord has for it, or empty.
    CallStatus tail(const std::string& name, std::string& stream, std::string& text);
    // Orders a stop or a start; does not wait for it to happen.
    CallStatus stop(const std::string& name);
    CallStatus start(const std::string& name);

    // Returns whether the last call failed because this user may not connect to the socket.
    bool denied() const { return denied_; }
    // Returns whether the last call failed because the connector has ended or does not answer.
    bool lost() const { return lost_; }
    // Returns the uid of the process that answered; nullopt: unknown.
    std::optional<uid_t> owner() const { return transport_.owner(); }
    // See SupervisorTransport.
    pid_t listener() const { return transport_.listener(); }

private:
    CallStatus call(const std::string& xml, std::string& answer);
    CallStatus tail_of(const std::string& method, const std::string& name, std::string& text);
    CallStatus order(const std::string& method, const std::string& name);

    SupervisorTransport transport_;
    std::chrono::milliseconds limit_;
    bool denied_ = false;
    bool lost_ = false;
};

// The decoders of answers. They return kCallBadAnswer for an unexpected answer, and the fault number for a
// fault.
CallStatus decode_list(const std::string& xml, std::vector<ProgramLine>& programs);
CallStatus decode_pid(const std::string& xml, pid_t& pid);
CallStatus decode_info(const std::string& xml, ProgramLine& program);
CallStatus decode_settings(const std::string& xml, const std::string& name, SettingsLine& settings);
// The paths of the logs in a getProcessInfo answer; empty where there is none.
CallStatus decode_log_paths(const std::string& xml, std::string& stdout_path, std::string& stderr_path);
CallStatus decode_order(const std::string& xml);
// Decodes the end of a log: removes terminal sequences and replaces other control characters by '?'.
CallStatus decode_tail(const std::string& xml, std::string& text);

}  // namespace healthcheckd::master
