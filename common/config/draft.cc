#include "common/config/draft.h"

#include <algorithm>
#include <tuple>

namespace healthcheckd {

void Diagnostics::error(SourceLocation place, std::string path, std::string text) {
    all_.push_back(
        {Diagnostic::Severity::error, file_, place.line, place.column, std::move(path), std::move(text)});
    failed_ = true;
}

void Diagnostics::warning(SourceLocation place, std::string path, std::string text) {
    all_.push_back(
        {Diagnostic::Severity::warning, file_, place.line, place.column, std::move(path), std::move(text)});
}

std::vector<Diagnostic> Diagnostics::take() {
    std::ranges::stable_sort(all_, [](const Diagnostic& a, const Diagnostic& b) {
        return std::tie(a.line, a.column) < std::tie(b.line, b.column);
    });
    if (all_.size() > kMaxDiagnostics) {
        const std::size_t more = all_.size() - kMaxDiagnostics;
        all_.resize(kMaxDiagnostics);
        all_.push_back({failed_ ? Diagnostic::Severity::error : Diagnostic::Severity::warning, file_, 0, 0,
                        "", std::to_string(more) + " more complaints are not shown"});
    }
    return std::move(all_);
}

const GivenKey* SectionDraft::find(std::string_view name) const {
    const auto found = std::ranges::find_if(given, [&](const GivenKey& g) { return g.key->name == name; });
    return found == given.end() ? nullptr : &*found;
}

void SectionDraft::require(std::string_view name, Diagnostics& diagnostics) const {
    if (!has(name))
        diagnostics.error(place, path_of(name), "is missing");
}

bool SectionDraft::invalid(std::string_view name) const {
    const GivenKey* key = find(name);
    return key != nullptr && !key->valid;
}

bool SectionDraft::any_invalid() const {
    return std::ranges::any_of(given, [](const GivenKey& key) { return !key.valid; });
}

SourceLocation SectionDraft::place_of(std::string_view name) const {
    const GivenKey* key = find(name);
    return key == nullptr ? place : key->place;
}

}  // namespace healthcheckd
