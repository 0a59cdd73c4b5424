#include "common/system/process_title.h"

#include "common/system/secret.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>

namespace healthcheckd {

namespace {

// The area from which the kernel reads the command line; there is one for each process.
char* g_begin = nullptr;
std::size_t g_room = 0;
// Copies of the environment strings that were in this area; never freed.
char* g_environment = nullptr;

}  // namespace

void init_process_title(int argc, char** argv) {
    if (argc < 1 || g_begin != nullptr)
        return;
    char* end = argv[0];
    for (int i = 0; i < argc; ++i)
        if (argv[i] == end)
            end += std::strlen(end) + 1;
    // The environment lies directly behind the arguments. Its strings are copied before titles overwrite
    // them; the copies are never freed.
    char* const texts = end;
    for (char** entry = environ; *entry != nullptr; ++entry)
        if (*entry == end)
            end += secret_length(end) + 1;
    const auto size = static_cast<std::size_t>(end - texts);
    g_environment = static_cast<char*>(std::malloc(size + 1));
    if (g_environment == nullptr)
        return;
    copy_secret(g_environment, texts, size);
    for (char** entry = environ; *entry != nullptr; ++entry)
        if (texts <= *entry && *entry < end)
            *entry = g_environment + (*entry - texts);
    g_begin = argv[0];
    g_room = static_cast<std::size_t>(end - argv[0]);
}

void set_process_title(std::string_view title) {
    const std::string name(title.substr(0, 15));
    ::prctl(PR_SET_NAME, name.c_str());
    if (g_begin == nullptr || g_room < 2)
        return;
    const std::size_t n = std::min(title.size(), g_room - 1);
    std::memcpy(g_begin, title.data(), n);
    std::memset(g_begin + n, 0, g_room - n);
}

}  // namespace healthcheckd
