// supervisord's XML-RPC interface: the few calls that healthcheckd makes, each with a deadline. Link.
//
// supervisor/rpcinterface.py is the other side. xmlrpc-c encodes and decodes, supervisor_transport carries.
#pragma once

#include "common/config/config.h"
#include "common/wire/protocol.h"
#include "master/supervisord/transport.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd::master {

// How a call ended. `message` is empty for kCallOk, else a sentence for a person.
struct CallStatus {
    int code = kCallOk;  // CallCode
    std::string message = {};

    bool ok() const { return code == kCallOk; }
};

class SupervisorRpc {
public:
    // Nothing is connected yet. Files are read here, none later; `connect` is for a unix socket (see
    // SupervisorTransport). `rule`: who is believed. `limit`: for one call, connecting included.
    SupervisorRpc(Endpoint endpoint, const Config& config, OwnerRule rule,
                  SupervisorTransport::Connect connect = {},
                  std::chrono::milliseconds limit = std::chrono::seconds(5));
    // By the rule of the configuration, within this process.
    SupervisorRpc(Endpoint endpoint, const Config& config,
                  std::chrono::milliseconds limit = std::chrono::seconds(5))
        : SupervisorRpc(std::move(endpoint), config, owner_rule(config), {}, limit) {}

    // All programs (getAllProcessInfo).
    CallStatus list(std::vector<ProgramLine>& programs);
    // supervisord's own pid, in its pid namespace (getPID).
    CallStatus pid(pid_t& pid);
    // One program by its full name (getProcessInfo).
    CallStatus info(const std::string& name, ProgramLine& program);
    // What its configuration says (getAllConfigInfo: no call gives those of one program). Values that an
    // older supervisord does not tell keep supervisord's defaults. kFaultBadName when it has no such program.
    CallStatus settings(const std::string& name, SettingsLine& settings);
    // The end of its stderr log, at most 2 KiB, or of stdout's when stderr's is empty or goes there; `stream`
    // says which. Both are empty when there is none. supervisord fails on a log whose bytes are not UTF-8:
    // then `stream` is "file" and `text` the path that supervisord has for it, or empty.
    CallStatus tail(const std::string& name, std::string& stream, std::string& text);
    // Ask for a stop or a start and do not wait for it to happen.
    CallStatus stop(const std::string& name);
    CallStatus start(const std::string& name);

    // Did the last call fail because this user may not connect to the socket?
    bool denied() const { return denied_; }
    // Did it fail because the connector has ended, or does not answer?
    bool lost() const { return lost_; }
    // Whose process answered; nullopt: not known.
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

// The decoders, free of any connection. Any answer but the expected one is kCallBadAnswer, a fault its
// number.
CallStatus decode_list(const std::string& xml, std::vector<ProgramLine>& programs);
CallStatus decode_pid(const std::string& xml, pid_t& pid);
CallStatus decode_info(const std::string& xml, ProgramLine& program);
CallStatus decode_settings(const std::string& xml, const std::string& name, SettingsLine& settings);
// The paths of the logs in a getProcessInfo answer; empty where there is none.
CallStatus decode_log_paths(const std::string& xml, std::string& stdout_path, std::string& stderr_path);
CallStatus decode_order(const std::string& xml);
// The end of a log, without terminal sequences; other control characters are '?'.
CallStatus decode_tail(const std::string& xml, std::string& text);

}  // namespace healthcheckd::master
