// What the stages of loading hand to each other: places, diagnostics, which keys were given. Configuration
// child.
#pragma once

#include "common/config/config.h"
#include "common/config/key.h"

#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

// A place in the file, 1-based; 0 is no place.
struct SourceLocation {
    int line = 0;
    int column = 0;
};

// Gathers complaints about one file.
class Diagnostics {
public:
    explicit Diagnostics(std::string file) : file_(std::move(file)) {}

    void error(SourceLocation place, std::string path, std::string text);
    void warning(SourceLocation place, std::string path, std::string text);
    bool failed() const { return failed_; }
    // Are there as many as take() gives?
    bool full() const { return all_.size() >= kMaxDiagnostics; }

    // All complaints in the order of the file: at most 200 and a line that counts the others.
    std::vector<Diagnostic> take();

private:
    static constexpr std::size_t kMaxDiagnostics = 200;

    std::string file_;
    std::vector<Diagnostic> all_;
    bool failed_ = false;
};

// One key that the file gives, with a value that is not null.
struct GivenKey {
    const Key* key;
    SourceLocation place;    // of the value
    bool valid;              // the value was taken
    bool has_effect = true;  // on this type of check
};

// A section as far as it is read.
struct SectionDraft {
    std::string path;      // "config", "config.mail", "cat1"
    SourceLocation place;  // of its name
    std::vector<GivenKey> given;

    // The key as given, valid or not; nullptr when it was not.
    const GivenKey* find(std::string_view name) const;
    bool has(std::string_view name) const { return find(name) != nullptr; }
    // Complains when it was not given.
    void require(std::string_view name, Diagnostics& diagnostics) const;
    // Was it given with a value that could not be taken? Then nothing can be said about it.
    bool invalid(std::string_view name) const;
    bool any_invalid() const;
    // "cat1.type".
    std::string path_of(std::string_view key) const { return path + '.' + std::string(key); }
    // Where a complaint about a key belongs: its value, or the section's name when it was not given.
    SourceLocation place_of(std::string_view name) const;
};

}  // namespace healthcheckd
