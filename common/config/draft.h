// The data passed between the stages of loading: places in the file, diagnostics, and which keys were given.
// Configuration child.
#pragma once

#include "common/config/config.h"
#include "common/config/key.h"

#include <string>
#include <string_view>
#include <vector>

namespace healthcheckd {

// A place in the file, 1-based; 0: none.
struct SourceLocation {
    int line = 0;
    int column = 0;
};

// Collects the diagnostics about one file.
class Diagnostics {
public:
    explicit Diagnostics(std::string file) : file_(std::move(file)) {}

    void error(SourceLocation place, std::string path, std::string text);
    void warning(SourceLocation place, std::string path, std::string text);
    bool failed() const { return failed_; }
    // Returns whether there are as many diagnostics as take() returns.
    bool full() const { return all_.size() >= kMaxDiagnostics; }

    // Returns the diagnostics in the order of the file: at most 200, and a line with the number of the
    // others.
    std::vector<Diagnostic> take();

private:
    static constexpr std::size_t kMaxDiagnostics = 200;

    std::string file_;
    std::vector<Diagnostic> all_;
    bool failed_ = false;
};

// A key given in the file, with a value that is not null.
struct GivenKey {
    const Key* key;
    SourceLocation place;    // of the value
    bool valid;              // the value was accepted
    bool has_effect = true;  // the key applies to the cat's type of check
};

// A section while it is being read.
struct SectionDraft {
    std::string path;      // "config", "config.mail", "cat1"
    SourceLocation place;  // of its name
    std::vector<GivenKey> given;

    // Returns the key as given, valid or not; nullptr when it was not given.
    const GivenKey* find(std::string_view name) const;
    bool has(std::string_view name) const { return find(name) != nullptr; }
    // Adds an error when the key was not given.
    void require(std::string_view name, Diagnostics& diagnostics) const;
    // Returns whether the key was given with an invalid value. Checks that depend on the value must be
    // skipped then.
    bool invalid(std::string_view name) const;
    bool any_invalid() const;
    // "cat1.type".
    std::string path_of(std::string_view key) const { return path + '.' + std::string(key); }
    // Returns where a diagnostic about a key belongs: at its value or, if the key was not given, at the
    // section's name.
    SourceLocation place_of(std::string_view name) const;
};

}  // namespace healthcheckd
