#include "worker/check/cpu.h"

#include "common/config/accessors.h"
#include "common/proc/proc_stat.h"
#include "common/proc/procfs.h"
#include "common/text/concat.h"
#include "common/text/number.h"
#include "worker/check/process.h"

#include <algorithm>
#include <array>
#include <thread>

namespace healthcheckd {

namespace {

Result<void> set_max_cpu(const KeyTarget& target, std::string_view text) {
    if (text.ends_with('%'))
        text.remove_suffix(1);
    return store<&CpuCheck::max_cpu_percent>(target, parse_decimal(text, 0.1, 1e6, " %"));
}

constexpr Key kCpuKeys[] = {
    {.name = "maxCpu", .set = set_max_cpu, .get = get_decimal<&CpuCheck::max_cpu_percent>},
};

std::vector<JudgedBy> cpu_judged_by(const CatConfig& cat) {
    return {{"maxCpu", decimal_text(cat.own<CpuCheck>().max_cpu_percent)}};
}

Scale cpu_scale(const CatConfig& cat) {
    return {"%", cat.own<CpuCheck>().max_cpu_percent};
}

std::string_view cpu_file(const CatConfig&) {
    return "stat";
}

}  // namespace

extern const CheckType kCpuCheck{
    .name = "cpu",
    .has_process = true,
    .measures_process = true,
    .measures_over_time = true,
    .make_settings = make_settings<CpuCheck>,
    .keys = kCpuKeys,
    .subject = process_of,
    .judged_by = cpu_judged_by,
    .scale = cpu_scale,
    .objection = objection_by_value,
    .measured_file = cpu_file,
    .make_probe = worker::make_probe<worker::CpuProbe>,
    .profile = measuring_profile,
};

namespace worker {

namespace {

// /proc/PID/stat has less than 500 bytes; the first line of /proc/stat is enough.
constexpr std::size_t kMaxStatText = 2048;

// Returns the difference of two counts; the kernel's rounding can make a count go back by a tick.
std::uint64_t since(std::uint64_t before, std::uint64_t now) {
    return now > before ? now - before : 0;
}

}  // namespace

Result<void> CpuProbe::prepare() {
    if (!cat_.whole_machine())
        return {};
    machine_.reset(::open("/proc/stat", O_RDONLY | O_CLOEXEC));
    if (!machine_)
        return system_error("open /proc/stat");
    const auto now = measure({});
    if (const auto* sample = std::get_if<Sample>(&now))
        last_ = *sample;
    return {};
}

void CpuProbe::track(ProcessId process, UniqueFd descriptor) {
    if (!process_.track(process, std::move(descriptor)))
        return;  // the same process with a new descriptor: its baseline stays valid
    last_.reset();
    const auto now = measure(process);
    if (const auto* sample = std::get_if<Sample>(&now))
        last_ = *sample;
}

std::variant<CpuProbe::Sample, ProbeResult> CpuProbe::measure(ProcessId process) const {
    std::array<char, kMaxStatText> buffer;
    Sample sample;
    sample.at = Clock::now();
    if (cat_.whole_machine()) {
        const auto text = read_text(machine_.get(), buffer);
        if (!text)
            return not_measured(system_error("read /proc/stat", text.error().code).text());
        const auto ticks = machine_ticks(*text);
        if (!ticks)
            return not_measured("/proc/stat is not understood");
        sample.busy = ticks->busy;
        sample.total = ticks->total;
        return sample;
    }
    const auto read = process_.read(process, buffer);
    if (const auto* instead = std::get_if<ProbeResult>(&read))
        return *instead;
    const auto stat = parse_proc_stat(std::get<std::string_view>(read));
    if (!stat)
        return not_measured("/proc/PID/stat is not understood");
    if (stat->state == 'Z' || stat->state == 'X')
        return process_ended();
    sample.busy = stat->utime + stat->stime;
    return sample;
}

ProbeResult CpuProbe::probe(const ProbeCommand& command) {
    if (!last_) {
        const auto first = measure(command.process);
        if (const auto* instead = std::get_if<ProbeResult>(&first))
            return *instead;
        last_ = std::get<Sample>(first);
    }
    std::this_thread::sleep_until(last_->at + kMinCpuSpan);

    const auto measured = measure(command.process);
    if (const auto* instead = std::get_if<ProbeResult>(&measured))
        return *instead;
    const Sample now = std::get<Sample>(measured);
    const Sample before = *last_;
    last_ = now;
    const auto busy = static_cast<double>(since(before.busy, now.busy));
    if (cat_.whole_machine()) {
        const auto total = static_cast<double>(since(before.total, now.total));
        return judge(total > 0 ? std::min(100 * busy / total, 100.0) : 0);
    }
    const double seconds = std::chrono::duration<double>(now.at - before.at).count();
    return judge(100 * busy / static_cast<double>(::sysconf(_SC_CLK_TCK)) / seconds);
}

ProbeResult CpuProbe::judge(double percent) const {
    ProbeResult result;
    result.value = percent;
    result.limit = own_.max_cpu_percent;
    result.unit = "%";
    result.verdict = percent >= own_.max_cpu_percent ? Verdict::failure : Verdict::success;
    result.message = concat("cpu ", Digits::fixed(percent, 1), " %, ",
                            result.verdict == Verdict::failure ? "at or above the limit of " : "limit ",
                            number_text(own_.max_cpu_percent), " %");
    return result;
}

}  // namespace worker
}  // namespace healthcheckd
