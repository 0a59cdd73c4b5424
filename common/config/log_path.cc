#include "common/config/log_path.h"

#include "common/text/fnv.h"
#include "common/text/printable.h"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd {

namespace {

// Leaves room for ".log" and, for a rotated log, up to ".1000".
constexpr std::size_t kMostName = NAME_MAX - 9;
constexpr std::size_t kDigits = 16;
constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

}  // namespace

std::string log_file_name(std::string_view name) {
    std::string all;
    std::size_t beginning = 0;
    for (std::size_t i = 0; i < name.size();) {
        // Bytes that are not UTF-8 are escaped too, since terminals show several of them alike.
        const std::size_t n = utf8_length(name.substr(i));
        if (n > 1 || kPlain.find(name[i]) != std::string_view::npos)
            all += name.substr(i, std::max<std::size_t>(n, 1));
        else
            all += fmt::format("%{:02X}", static_cast<unsigned char>(name[i]));
        i += std::max<std::size_t>(n, 1);
        if (all.size() + 1 + kDigits <= kMostName)
            beginning = all.size();
    }
    return all.size() <= kMostName ? all : fmt::format("{}~{:016x}", all.substr(0, beginning), fnv1a(name));
}

std::string worker_log_path(const Config& config, std::string_view name) {
    return config.log_dir + '/' + log_file_name(name) + ".log";
}

}  // namespace healthcheckd
