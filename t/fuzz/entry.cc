// Makes one target, FUZZ_TARGET, the entry point that libFuzzer and replay.cc call.
#include "t/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    return healthcheckd::fuzz::FUZZ_TARGET(data, size);
}
