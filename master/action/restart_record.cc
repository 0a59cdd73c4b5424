#include "master/action/restart_record.h"

#include "common/file/durable_file.h"
#include "common/net/openssl.h"
#include "common/system/unique_fd.h"
#include "common/text/json.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <climits>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <sys/stat.h>

namespace healthcheckd::master {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMostRecords = 1000;
constexpr std::size_t kMostBytes = 64 * 1024;  // a name of 4 KB with each byte as \uXXXX
constexpr char kEnding[] = ".restart";
constexpr char kCorrupt[] = ".corrupt";

std::string folder(const std::string& state_dir) {
    return state_dir + "/restarts";
}

// The part of an escaped name that fits a file name with kEnding, and with the '.' and '.new' of
// replace_file().
constexpr std::size_t kMostName = NAME_MAX - (sizeof kEnding - 1) - 5;
constexpr std::size_t kDigestBytes = 16;

std::string escaped(char c) {
    constexpr char kHex[] = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    return {'%', kHex[byte >> 4], kHex[byte & 15]};
}

// Returns the name's SHA-256, truncated, in hexadecimal.
std::string digest_of(const std::string& name) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    if (openssl().EVP_Digest(name.data(), name.size(), digest.data(), nullptr, openssl().EVP_sha256(),
                             nullptr) != 1)
        throw std::runtime_error("SHA-256 is not there");
    std::string text;
    for (std::size_t i = 0; i < kDigestBytes; ++i)
        text += escaped(static_cast<char>(digest[i])).substr(1);
    return text;
}

// Returns a file name for a program: letters, digits and .-_ stay, other bytes become %XX. A name that
// would be too long is truncated to a recognizable beginning, followed by '~', which no other file
// name has, and its digest.
std::string file_name(const std::string& program) {
    std::string name;
    std::string beginning;
    for (const char c : program) {
        const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
                           (c == '.' && !name.empty());
        name += plain ? std::string(1, c) : escaped(c);
        if (name.size() + 1 + 2 * kDigestBytes <= kMostName)
            beginning = name;
    }
    return (name.size() <= kMostName ? name : beginning + '~' + digest_of(program)) + kEnding;
}

// Returns the record in the file if it is valid. Never blocks, and follows no symbolic link.
std::optional<RestartRecord> read_record(const fs::path& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
        return std::nullopt;
    std::string text(kMostBytes, '\0');
    const ssize_t size = ::read(file.get(), text.data(), text.size());
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    const auto json = parse_json(text);
    if (!json.is_object() || !json.contains("program") || !json["program"].is_string() ||
        !json.contains("start") || !json["start"].is_number_integer() || !json.contains("cat") ||
        !json["cat"].is_string())
        return std::nullopt;
    RestartRecord record{json["program"], json["start"], json["cat"]};
    if (json.contains("at") && json["at"].is_number_integer() && json.contains("boot") &&
        json["boot"].is_string()) {
        record.at = json["at"];
        record.boot = json["boot"];
    }
    return record;
}

std::string boot_id() {
    std::string id;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
    return id;
}

std::int64_t since_boot() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

}  // namespace

RestartRecord ordered_now(std::string program, std::int64_t start, std::string cat) {
    return {std::move(program), start, std::move(cat), since_boot(), boot_id()};
}

bool is_recent(const RestartRecord& record) {
    constexpr std::int64_t kRecent = 3'600;
    const std::int64_t now = since_boot();
    return !record.boot.empty() && record.boot == boot_id() && record.at >= 0 && record.at <= now &&
           now - record.at <= kRecent;
}

Result<void> write_record(const std::string& state_dir, const RestartRecord& record) {
    if (auto made = make_folder(state_dir, 0755); !made)
        return made;
    const nlohmann::json json = {{"program", record.program},
                                 {"start", record.start},
                                 {"cat", record.cat},
                                 {"at", record.at},
                                 {"boot", record.boot}};
    return replace_file(folder(state_dir), file_name(record.program), json_text(json) + '\n', 0644);
}

Result<void> remove_record(const std::string& state_dir, const std::string& program) {
    return remove_file(folder(state_dir), file_name(program));
}

RecordList list_records(const std::string& state_dir) {
    RecordList list;
    std::error_code error;
    fs::directory_iterator entry(folder(state_dir), error);
    for (; !error && entry != fs::directory_iterator() && list.records.size() < kMostRecords;
         entry.increment(error)) {
        const fs::path path = entry->path();
        if (path.extension() != kEnding || path.filename().string().starts_with('.'))
            continue;
        if (auto record = read_record(path)) {
            list.records.push_back(std::move(*record));
        } else {
            std::error_code ignored;
            const std::string aside = path.filename().string().substr(0, NAME_MAX - (sizeof kCorrupt - 1));
            fs::rename(path, path.parent_path() / (aside + kCorrupt), ignored);
            list.damaged.push_back(path.string());
        }
    }
    return list;
}

}  // namespace healthcheckd::master
