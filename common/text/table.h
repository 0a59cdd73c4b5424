// Tables and colours on a terminal. healthcheckctl, master and command line.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace healthcheckd {

enum class Colour { none, good, warning, bad, quiet, strong };

// Returns the text in this colour if `wanted`, else unchanged.
std::string coloured(const std::string& text, Colour colour, bool wanted);

struct Cell {
    std::string text;  // without control characters
    Colour colour = Colour::none;
};

class Table {
public:
    struct Column {
        std::string title;
        bool to_the_right = false;  // right-aligned, for numbers
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    // Adds a row with as many cells as there are columns.
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }

    // Returns the titles and the rows, aligned by their width on a terminal. Lines are truncated to `width`
    // columns (0: never) and have no trailing blanks unless truncated.
    std::vector<std::string> lines(bool colours, std::size_t width = 0) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

}  // namespace healthcheckd
