// Tables and colours on a terminal. healthcheckctl, master and command line.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace healthcheckd {

enum class Colour { none, good, warning, bad, quiet, strong };

// The text in its colour, if colours are wanted at all.
std::string coloured(const std::string& text, Colour colour, bool wanted);

struct Cell {
    std::string text;  // without control characters
    Colour colour = Colour::none;
};

class Table {
public:
    struct Column {
        std::string title;
        bool to_the_right = false;  // for numbers
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // As many cells as there are columns.
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

    // The titles, then the rows, aligned by what a terminal shows. Lines are cut at `width` columns, unless
    // that is 0; those that are not have no blanks at their end.
    std::vector<std::string> lines(bool colours, std::size_t width = 0) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace healthcheckd
