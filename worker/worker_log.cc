#include "worker/worker_log.h"

#include "common/line_codec.h"
#include "common/result.h"

#include <ctime>
#include <filesystem>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>

namespace healthcheckd::worker {

namespace {

constexpr std::size_t kMaxText = 8000;  // bytes of one line's text

std::string_view to_string(WorkerLog::Level level) {
    switch (level) {
    case WorkerLog::Level::info:
        return "info";
    case WorkerLog::Level::warning:
        return "warning";
    case WorkerLog::Level::error:
        return "error";
    }
    __builtin_unreachable();
}

// Local time, by localtime_r(3) alone: unlike strftime(3) it never looks at /etc/localtime again, which a
// confined worker may not.
std::string timestamp() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm local{};
    ::localtime_r(&now.tv_sec, &local);
    return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}", local.tm_year + 1900, local.tm_mon + 1,
                       local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec, now.tv_nsec / 1'000'000);
}

}  // namespace

WorkerLog::WorkerLog(std::string who, std::uint64_t max_bytes, std::chrono::milliseconds patience)
    : who_(printable(who)), max_bytes_(max_bytes), patience_(patience) {
    ::tzset();  // while the zone's file can still be read
}

void WorkerLog::open(const std::string& path) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    path_ = path;
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640));
    if (!file)
        failed("open ");
    replace(std::move(file));
}

void WorkerLog::replace(UniqueFd file) {
    file_ = std::move(file);
    struct stat status {};
    size_ = file_ && ::fstat(file_.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
    torn_ = false;
    asked_at_.reset();
}

void WorkerLog::write(Level level, std::string_view text) {
    if (!file_)
        return;
    const std::string line = fmt::format("{}{} {} [{}] {}\n", torn_ ? "\n" : "", timestamp(),
                                         to_string(level), who_, printable(text, kMaxText));
    const ssize_t n = ::write(file_.get(), line.data(), line.size());
    // A file that is too large since logMaxBytes was lowered is about to be rotated.
    const bool outgrown = n < 0 && errno == EFBIG && size_ >= max_bytes_ && !asked_at_;
    if (n < 0 && !outgrown)
        failed("write ");
    if (n <= 0)
        return;
    size_ += static_cast<std::uint64_t>(n);
    torn_ = static_cast<std::size_t>(n) < line.size();
}

bool WorkerLog::wants_rotation() {
    if (max_bytes_ == 0 || size_ < max_bytes_)
        return false;
    // Nothing came of it when the disk had no room for another file.
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

void WorkerLog::failed(std::string_view what) {
    if (failure_.empty())
        failure_ = system_error(std::string(what) + path_).text();
}

}  // namespace healthcheckd::worker
