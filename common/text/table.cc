#include "common/text/table.h"

#include "common/text/width.h"

#include <algorithm>

namespace healthcheckd {

namespace {

constexpr std::size_t kGap = 2;  // columns between two cells

// SGR parameters (ECMA-48) out of the sixteen colours that every terminal has and lets its user choose.
const char* parameters(Colour colour) {
    switch (colour) {
    case Colour::none:
        return "";
    case Colour::good:
        return "32";
    case Colour::warning:
        return "33";
    case Colour::bad:
        return "1;31";
    case Colour::quiet:
        return "2";
    case Colour::strong:
        return "1";
    }
    __builtin_unreachable();
}

}  // namespace

std::string coloured(const std::string& text, Colour colour, bool wanted) {
    if (!wanted || colour == Colour::none || text.empty())
        return text;
    return std::string("\x1b[") + parameters(colour) + "m" + text + "\x1b[0m";
}

std::vector<std::string> Table::lines(bool colours, std::size_t width) const {
    std::vector<std::vector<Cell>> all;
    std::vector<std::size_t> widths;
    all.emplace_back();
    for (const Column& column : columns_) {
        all.front().push_back({column.title, Colour::strong});
        widths.push_back(text_width(column.title));
    }
    all.insert(all.end(), rows_.begin(), rows_.end());
    for (const auto& row : all)
        for (std::size_t i = 0; i < columns_.size(); ++i)
            widths[i] = std::max(widths[i], text_width(row[i].text));

    std::vector<std::string> out;
    for (const auto& row : all) {
        std::size_t last = columns_.size();
        while (last > 0 && row[last - 1].text.empty())
            --last;
        std::string line;
        std::size_t room = width == 0 ? static_cast<std::size_t>(-1) : width;
        for (std::size_t i = 0; i < last; ++i) {
            if (i > 0) {
                if (room <= kGap)
                    break;
                line += std::string(kGap, ' ');
                room -= kGap;
            }
            const bool left_end = i + 1 == last && !columns_[i].to_the_right;
            const std::string text =
                left_end ? row[i].text : padded(row[i].text, widths[i], columns_[i].to_the_right);
            const std::string shown = clipped(text, room);
            line += coloured(shown, row[i].colour, colours);
            room -= std::min(room, text_width(shown));
        }
        out.push_back(std::move(line));
    }
    return out;
}

}  // namespace healthcheckd
