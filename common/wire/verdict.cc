#include "common/wire/verdict.h"

namespace healthcheckd {

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
    case Verdict::success:
        return "success";
    case Verdict::failure:
        return "failure";
    case Verdict::idle:
        return "idle";
    case Verdict::unknown:
        return "unknown";
    }
    __builtin_unreachable();
}

std::optional<Verdict> verdict_from(std::string_view text) {
    for (const Verdict v : {Verdict::success, Verdict::failure, Verdict::idle, Verdict::unknown})
        if (text == to_string(v))
            return v;
    return std::nullopt;
}

}  // namespace healthcheckd
