#include "worker/probe/mem.h"

#include "common/proc/procfs.h"
#include "common/text/number.h"

#include <array>
#include <spdlog/fmt/fmt.h>

namespace healthcheckd::worker {

namespace {

constexpr std::size_t kMaxMemText = 2048;  // smaps_rollup has about 800 bytes; of meminfo the first lines

// In kB; nullopt when a field that every kernel with smaps_rollup has is missing.
std::optional<std::uint64_t> proportional(std::string_view smaps) {
    return kilobytes(smaps, "Pss");
}

std::optional<std::uint64_t> unique(std::string_view smaps) {
    const auto clean = kilobytes(smaps, "Private_Clean");
    const auto dirty = kilobytes(smaps, "Private_Dirty");
    if (!clean || !dirty)
        return std::nullopt;
    return *clean + *dirty + kilobytes(smaps, "Private_Hugetlb").value_or(0);
}

}  // namespace

Result<void> MemProbe::prepare() {
    if (!cat_.whole_machine())
        return {};
    meminfo_.reset(::open("/proc/meminfo", O_RDONLY | O_CLOEXEC));
    if (!meminfo_)
        return system_error("open /proc/meminfo");
    return {};
}

void MemProbe::track(ProcessId process, UniqueFd descriptor) {
    process_.track(process, std::move(descriptor));
}

ProbeResult MemProbe::probe(const ProbeCommand& command) {
    std::array<char, kMaxMemText> buffer;
    if (cat_.whole_machine()) {
        const auto text = read_text(meminfo_.get(), buffer);
        if (!text)
            return not_measured(system_error("read /proc/meminfo", text.error().code).text());
        const auto total = kilobytes(*text, "MemTotal");
        const auto available = kilobytes(*text, "MemAvailable");
        if (!total || !available || *available > *total)
            return not_measured("/proc/meminfo is not understood");
        return judge(static_cast<double>(*total - *available) / 1024, "memory in use");
    }

    const auto read = process_.read(command.process, buffer);
    if (const auto* instead = std::get_if<ProbeResult>(&read))
        return *instead;
    const std::string_view text = std::get<std::string_view>(read);
    if (cat_.mem_type == MemType::rss) {
        const auto pages = resident_pages(text);
        if (!pages)
            return not_measured("statm is not understood");
        // A process that ended but was not waited for has no memory left.
        if (*pages == 0)
            return process_ended();
        return judge(static_cast<double>(*pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20),
                     "rss");
    }
    const auto kb = cat_.mem_type == MemType::pss ? proportional(text) : unique(text);
    if (!kb)
        return not_measured("smaps_rollup is not understood");
    return judge(static_cast<double>(*kb) / 1024, to_string(cat_.mem_type));
}

ProbeResult MemProbe::judge(double megabytes, std::string_view what) const {
    ProbeResult result;
    result.value = megabytes;
    result.limit = cat_.max_mem_mb;
    result.unit = "MB";
    result.verdict = megabytes >= cat_.max_mem_mb ? Verdict::failure : Verdict::success;
    result.message = fmt::format("{} {:.1f} MB, {} {} MB", what, megabytes,
                                 result.verdict == Verdict::failure ? "at or above the limit of" : "limit",
                                 number_text(cat_.max_mem_mb));
    return result;
}

}  // namespace healthcheckd::worker
