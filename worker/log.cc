#include "worker/log.h"

#include "common/config/config.h"
#include "common/file/log_file.h"
#include "common/text/concat.h"
#include "common/text/number.h"

#include <ctime>
#include <spdlog/fmt/fmt.h>
#include <unistd.h>
#include <vector>

namespace healthcheckd::worker {

WorkerLog::WorkerLog(std::string who, LogFormat format, std::uint64_t max_bytes,
                     std::chrono::milliseconds patience)
    : who_(std::move(who)), format_(format), max_bytes_(max_bytes), patience_(patience) {
    ::tzset();  // reads the time zone's file while that is possible
}

void WorkerLog::open(const std::string& path) {
    path_ = path;
    const auto folder = open_log_folder(path, true);
    auto file = folder ? open_log_file(*folder, path) : folder.error();
    if (!file)
        failed(file.error());
    replace(file ? std::move(*file) : UniqueFd());
}

void WorkerLog::replace(UniqueFd file) {
    file_ = std::move(file);
    // The filter of a confined worker denies fstat(3), which can be called with a path.
    const off_t end = file_ ? ::lseek(file_.get(), 0, SEEK_END) : 0;
    size_ = end > 0 ? static_cast<std::uint64_t>(end) : 0;
    torn_ = false;
    asked_at_.reset();
}

void WorkerLog::write(LogLevel level, std::string_view text, LogFields fields) {
    if (!file_) {
        ++dropped_;
        return;
    }
    if (dropped_ > 0) {
        const std::string lost =
            fmt::format("{} lines were lost while this log could not be written", dropped_);
        const LogField count{"dropped", dropped_};
        if (!put(log_line(clock_, format_, LogLevel::warning, who_, lost, {&count, 1}))) {
            ++dropped_;
            return;
        }
        dropped_ = 0;
    }
    if (!put(log_line(clock_, format_, level, who_, text, fields)))
        ++dropped_;
}

// Returns false when nothing of the line was written.
bool WorkerLog::put(std::string line) {
    if (torn_)
        line.insert(line.begin(), '\n');
    const ssize_t n = ::write(file_.get(), line.data(), line.size());
    // After logMaxBytes was lowered, a file that is too large will soon be rotated.
    const bool outgrown = n < 0 && errno == EFBIG && size_ >= max_bytes_ && !asked_at_;
    if (n < 0 && !outgrown)
        failed(system_error("write " + path_));
    if (n <= 0)
        return false;
    size_ += static_cast<std::uint64_t>(n);
    torn_ = static_cast<std::size_t>(n) < line.size();
    return true;
}

void WorkerLog::note(const Report& report) {
    const bool good = report.verdict == Verdict::success || report.verdict == Verdict::idle;
    const LogLevel level = good ? LogLevel::info : LogLevel::warning;
    const double took_ms = static_cast<double>(report.took_us) / 1000;
    std::string text = concat(to_string(report.verdict), ": ", report.message);
    if (format_ == LogFormat::json) {
        std::vector<LogField> fields;
        const auto add = [&fields](std::string_view key, auto value) {
            fields.push_back({key, value});
        };
        add("verdict", to_string(report.verdict));
        add("tookMs", took_ms);
        if (report.process.running())
            add("pid", static_cast<std::uint64_t>(report.process.pid));
        if (!report.unit.empty()) {
            add("value", report.value);
            add("limit", report.limit);
            add("unit", std::string_view(report.unit));
        }
        return write(level, text, fields);
    }
    append_all(text, " (took ", Digits::fixed(took_ms, 2), " ms");
    if (report.process.running())
        append_all(text, ", pid ", Digits::whole(static_cast<std::uint64_t>(report.process.pid)));
    if (!report.unit.empty())
        append_all(text, ", value ", number_text(report.value), " ", report.unit, ", limit ",
                   number_text(report.limit));
    text += ')';
    write(level, text);
}

bool WorkerLog::wants_rotation() {
    if (max_bytes_ == 0 || size_ < max_bytes_)
        return false;
    // A rotation comes to nothing when the disk has no room for another file.
    const auto now = std::chrono::steady_clock::now();
    if (asked_at_ && now - *asked_at_ < patience_)
        return false;
    asked_at_ = now;
    return true;
}

std::optional<std::string> WorkerLog::take_failure() {
    if (failure_.empty() || std::exchange(failure_taken_, true))
        return std::nullopt;
    return failure_;
}

void WorkerLog::failed(const Error& error) {
    if (failure_.empty())
        failure_ = error.text();
}

}  // namespace healthcheckd::worker
