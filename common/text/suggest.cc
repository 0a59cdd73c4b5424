#include "common/text/suggest.h"

#include <algorithm>

namespace healthcheckd {

namespace {

// A longer text is no misspelling, and the distance costs the product of the lengths.
constexpr std::size_t kLongest = 40;

// Returns the number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`
// (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            const std::size_t wrong = a[i - 1] == b[j - 1] ? 0 : 1;
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + wrong});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a.size()][b.size()];
}

}  // namespace

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    return out;
}

std::string_view nearest(std::string_view text, const std::vector<std::string_view>& known) {
    if (text.size() > kLongest)
        return {};
    const std::string wanted = lower(text);
    std::string_view best;
    std::size_t best_distance = kLongest;
    for (const std::string_view name : known) {
        const std::size_t far = distance(wanted, lower(name));
        const std::size_t allowed = std::max<std::size_t>(1, std::max(name.size(), text.size()) / 3);
        if (far <= allowed && far < best_distance) {
            best = name;
            best_distance = far;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view text, const std::vector<std::string_view>& known) {
    const std::string_view name = nearest(text, known);
    return name.empty() ? "" : "; did you mean '" + std::string(name) + "'?";
}

}  // namespace healthcheckd
