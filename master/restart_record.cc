#include "master/restart_record.h"

#include "common/durable_file.h"

#include <cctype>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace healthcheckd::master {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMostRecords = 1000;
constexpr std::size_t kMostBytes = 4096;
constexpr char kEnding[] = ".restart";

std::string folder(const std::string& state_dir) {
    return state_dir + "/restarts";
}

// A file name for any program: letters, digits and .-_ stay, other bytes become %XX.
std::string file_name(const std::string& program) {
    constexpr char kHex[] = "0123456789ABCDEF";
    std::string name;
    for (const char c : program) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '-' || c == '_' || (c == '.' && !name.empty())) {
            name += c;
        } else {
            name += '%';
            name += kHex[byte >> 4];
            name += kHex[byte & 15];
        }
    }
    return name + kEnding;
}

std::optional<RestartRecord> read_record(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text(kMostBytes, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (!json.is_object() || !json.contains("program") || !json["program"].is_string() ||
        !json.contains("start") || !json["start"].is_number_integer() || !json.contains("cat") ||
        !json["cat"].is_string())
        return std::nullopt;
    return RestartRecord{json["program"], json["start"], json["cat"]};
}

}  // namespace

Result<void> write_record(const std::string& state_dir, const RestartRecord& record) {
    if (auto made = make_folder(state_dir, 0755); !made)
        return made;
    const nlohmann::json json = {{"program", record.program}, {"start", record.start}, {"cat", record.cat}};
    return replace_file(folder(state_dir), file_name(record.program),
                        json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n', 0644);
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
            fs::rename(path, path.string() + ".corrupt", ignored);
            list.damaged.push_back(path.string());
        }
    }
    return list;
}

}  // namespace healthcheckd::master
