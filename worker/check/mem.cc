#include "worker/check/mem.h"

#include "common/config/accessors.h"
#include "common/proc/procfs.h"
#include "common/system/pages.h"
#include "common/text/concat.h"
#include "common/text/number.h"
#include "worker/check/process.h"

#include <array>

namespace healthcheckd {

namespace {

Result<void> set_max_mem(const KeyTarget& target, std::string_view text) {
    return store<&MemCheck::max_mem_mb>(target, parse_decimal(text, 0.1, 1e9, " MB"));
}

constexpr Key kMemKeys[] = {
    {.name = "maxMem", .set = set_max_mem, .get = get_decimal<&MemCheck::max_mem_mb>},
    {.name = "memType",
     .set = set_choice<&MemCheck::mem_type, MemType::rss, MemType::pss, MemType::uss>,
     .get = get_choice<&MemCheck::mem_type>},
};

std::string mem_subject(const CatConfig& cat) {
    return ' ' + std::string(to_string(cat.own<MemCheck>().mem_type)) + process_of(cat);
}

std::vector<JudgedBy> mem_judged_by(const CatConfig& cat) {
    return {{"maxMem", decimal_text(cat.own<MemCheck>().max_mem_mb)}};
}

Scale mem_scale(const CatConfig& cat) {
    return {"MB", cat.own<MemCheck>().max_mem_mb};
}

std::string_view mem_file(const CatConfig& cat) {
    return cat.own<MemCheck>().mem_type == MemType::rss ? "statm" : "smaps_rollup";
}

}  // namespace

std::string_view to_string(MemType type) {
    switch (type) {
    case MemType::rss:
        return "rss";
    case MemType::pss:
        return "pss";
    case MemType::uss:
        return "uss";
    }
    __builtin_unreachable();
}

extern const CheckType kMemCheck{
    .name = "mem",
    .has_process = true,
    .measures_process = true,
    .make_settings = make_settings<MemCheck>,
    .keys = kMemKeys,
    .subject = mem_subject,
    .judged_by = mem_judged_by,
    .scale = mem_scale,
    .objection = objection_by_value,
    .measured_file = mem_file,
    .make_probe = worker::make_probe<worker::MemProbe>,
    .profile = measuring_profile,
};

namespace worker {

namespace {

// Smaps_rollup has about 800 bytes; the first lines of meminfo are enough.
constexpr std::size_t kMaxMemText = 2048;

// Returns the value in kB; nullopt when a field is missing that every kernel with smaps_rollup has.
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
    if (own_.mem_type == MemType::rss) {
        const auto pages = resident_pages(text);
        if (!pages)
            return not_measured("statm is not understood");
        // A zombie has no memory left.
        if (*pages == 0)
            return process_ended();
        return judge(static_cast<double>(*pages) * static_cast<double>(page_size()) / (1 << 20), "rss");
    }
    const auto kb = own_.mem_type == MemType::pss ? proportional(text) : unique(text);
    if (!kb)
        return not_measured("smaps_rollup is not understood");
    return judge(static_cast<double>(*kb) / 1024, to_string(own_.mem_type));
}

ProbeResult MemProbe::judge(double megabytes, std::string_view what) const {
    ProbeResult result;
    result.value = megabytes;
    result.limit = own_.max_mem_mb;
    result.unit = "MB";
    result.verdict = megabytes >= own_.max_mem_mb ? Verdict::failure : Verdict::success;
    result.message = concat(what, " ", Digits::fixed(megabytes, 1), " MB, ",
                            result.verdict == Verdict::failure ? "at or above the limit of " : "limit ",
                            number_text(own_.max_mem_mb), " MB");
    return result;
}

}  // namespace worker
}  // namespace healthcheckd
