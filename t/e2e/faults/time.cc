// A wall clock that jumps, and a master that was not run for a while.
#include "t/fixture/daemon/daemon.h"
#include "t/fixture/slower.h"

#include <boost/test/unit_test.hpp>
#include <ctime>
#include <fstream>
#include <sstream>

using namespace healthcheckd::test;

BOOST_AUTO_TEST_SUITE(e2e_faults_time)

namespace {

constexpr char kNoSupervisord[] = "unix:///nonexistent/supervisor.sock";
constexpr int kDay = 86400;

// Shifts CLOCK_REALTIME, and no other clock, by the seconds in the first word of a shared file.
constexpr char kShim[] = R"(
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
static const volatile long* shift;
static int (*real)(clockid_t, struct timespec*);
__attribute__((constructor)) static void begin(void) {
    int fd = open(getenv("CLOCK_SHIFT"), O_RDONLY | O_CLOEXEC);
    shift = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
    real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
}
int clock_gettime(clockid_t id, struct timespec* now) {
    int result = real(id, now);
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
        now->tv_sec += *shift;
    return result;
}
int gettimeofday(struct timeval* restrict now, void* restrict zone) {
    struct timespec ts;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &ts);
    now->tv_sec = ts.tv_sec;
    now->tv_usec = ts.tv_nsec / 1000;
    return 0;
}
time_t time(time_t* out) {
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return out ? (*out = ts.tv_sec) : ts.tv_sec;
}
)";

void set_shift(const std::string& file, long seconds) {
    // In place: the daemon has it mapped.
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.write(reinterpret_cast<const char*>(&seconds), sizeof seconds);
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

std::string date_of(std::time_t when) {
    char text[16];
    std::tm parts{};
    std::strftime(text, sizeof text, "%Y-%m-%d", ::localtime_r(&when, &parts));
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_clock_that_jumps_a_day_either_way_brings_neither_a_burst_nor_a_stall) {
    const TempDir dir;
    const std::string shift = dir.write("shift", std::string(sizeof(long), '\0'));
    const std::string shim = dir.file("shim.so");
    const auto built = run_command(
        {"g++", "-x", "c", "-shared", "-fPIC", "-O1", "-o", shim, dir.write("shim.c", kShim)}, 60s);
    BOOST_TEST_REQUIRE(built.status == 0, built.output);
    const Daemon daemon(kNoSupervisord,
                        "one: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.2, "
                        "initialDelaySeconds: 0, action: email}\n",
                        {.env = {{"LD_PRELOAD", shim},
                                 {"CLOCK_SHIFT", shift},
                                 // Which else refuses to be loaded after another library.
                                 {"ASAN_OPTIONS", "verify_asan_link_order=0"}}});
    const auto probes = [&] {
        return count(daemon.cat_log("one"), "] success: ");
    };
    BOOST_TEST_REQUIRE(wait_until([&] { return probes() >= 3; }));
    for (const long jump : {kDay, -kDay, 0}) {
        const std::string day = date_of(std::time(nullptr) + jump);
        const std::size_t before = probes();
        const std::size_t dated = count(daemon.cat_log("one"), day);
        const auto begin = std::chrono::steady_clock::now();
        set_shift(shift, jump);
        BOOST_TEST(wait_until([&] { return probes() >= before + 10; }, 10s));
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        BOOST_TEST(took.count() > 1.7, "10 probes in " << took.count() << " s");
        BOOST_TEST(took.count() < 4 * slower(), "10 probes in " << took.count() << " s");
        BOOST_TEST(count(daemon.cat_log("one"), day) >= dated + 9, "the clock did not jump");
    }
    BOOST_TEST(daemon.state("one")["worker"]["spawns"] == 1);
    BOOST_TEST(daemon.count_log("could not be checked") == 0U);
}

BOOST_AUTO_TEST_CASE(a_master_that_was_stopped_makes_up_for_one_probe_a_cat_and_not_for_all) {
    const Daemon daemon(
        kNoSupervisord,
        "one: {program: system, type: mem, maxMem: 100000000, periodSeconds: 0.5, initialDelaySeconds: 0, "
        "action: email}\ntwo: {program: system, type: cpu, maxCpu: 101, periodSeconds: 0.5, "
        "initialDelaySeconds: 0, action: email}\n");
    const auto probes = [&](const char* cat) {
        return count(daemon.cat_log(cat), "] success: ");
    };
    BOOST_TEST_REQUIRE(wait_until([&] { return probes("one") >= 3 && probes("two") >= 3; }));
    daemon.signal(SIGSTOP);
    BOOST_TEST_REQUIRE(wait_until([&] { return process_info(daemon.pid())->state == 'T'; }));
    const std::size_t one = probes("one");
    const std::size_t two = probes("two");
    (void)stays([] { return true; }, 5s);  // ten periods
    BOOST_TEST(probes("one") <= one + 1);
    const auto begin = std::chrono::steady_clock::now();
    daemon.signal(SIGCONT);
    BOOST_TEST(wait_until([&] { return probes("one") >= one + 5 && probes("two") >= two + 5; }, 10s));
    // One at once, then one each period: the fifth comes 1.5 s after the first at the earliest.
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST(took.count() > 1.2);
    BOOST_TEST(took.count() < 4 * slower());
    // Nobody was taken for dead on account of the master's own sleep.
    BOOST_TEST(daemon.state("one")["worker"]["spawns"] == 1);
    BOOST_TEST(daemon.count_log("was lost") == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
