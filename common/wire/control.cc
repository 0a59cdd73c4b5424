#include "common/wire/control.h"

namespace healthcheckd {

namespace {

constexpr std::string_view kStatus = "status";
constexpr std::string_view kPause = "pause";
constexpr std::string_view kResume = "resume";
constexpr std::string_view kCheck = "check";
constexpr std::string_view kTestAction = "test-action";
constexpr std::string_view kReload = "reload";
constexpr std::string_view kHistory = "history";

LineWriter named(std::string_view kind, const std::string& name) {
    LineWriter out(kind);
    out.word("name", name);
    return out;
}

template <class Request> bool read_named(LineReader& in, ControlRequest& out) {
    Request m;
    in.word("name", m.name);
    const bool sane = !m.name.empty();
    out = std::move(m);
    return in.ok() && sane;
}

}  // namespace

LineWriter encode(const StatusRequest&) {
    return LineWriter(kStatus);
}

LineWriter encode(const PauseRequest& m) {
    LineWriter out = named(kPause, m.name);
    out.number("for_ms", m.for_ms);
    return out;
}

LineWriter encode(const ResumeRequest& m) {
    return named(kResume, m.name);
}

LineWriter encode(const CheckRequest& m) {
    return named(kCheck, m.name);
}

LineWriter encode(const TestActionRequest& m) {
    return named(kTestAction, m.name);
}

LineWriter encode(const ReloadRequest&) {
    return LineWriter(kReload);
}

LineWriter encode(const HistoryRequest& m) {
    return named(kHistory, m.name);
}

LineWriter encode(const ControlRequest& m) {
    return std::visit([](const auto& one) { return encode(one); }, m);
}

bool decode(std::string_view line, ControlRequest& out) {
    LineReader in(line);
    if (in.kind() == kPause) {
        PauseRequest m;
        in.word("name", m.name).number("for_ms", m.for_ms);
        const bool sane = !m.name.empty() && m.for_ms <= kLongestPauseMs;
        out = std::move(m);
        return in.ok() && sane;
    }
    if (in.kind() == kResume)
        return read_named<ResumeRequest>(in, out);
    if (in.kind() == kCheck)
        return read_named<CheckRequest>(in, out);
    if (in.kind() == kTestAction)
        return read_named<TestActionRequest>(in, out);
    if (in.kind() == kHistory)
        return read_named<HistoryRequest>(in, out);
    if (in.kind() == kReload) {
        out = ReloadRequest{};
        return in.ok();
    }
    out = StatusRequest{};
    return in.kind() == kStatus && in.ok();
}

}  // namespace healthcheckd
