#include "common/text/template.h"

#include "common/text/suggest.h"

#include <algorithm>

namespace healthcheckd {

namespace {

// One piece of a template: a text, or the name of a field.
struct Piece {
    bool field = false;
    std::string_view text;
};

// Removes and returns the first piece of `rest`, which must not be empty.
Result<Piece> next_piece(std::string_view& rest) {
    const char first = rest[0];
    if (first != '{' && first != '}') {
        const Piece piece{false, rest.substr(0, rest.find_first_of("{}"))};
        rest.remove_prefix(piece.text.size());
        return piece;
    }
    if (rest.size() > 1 && rest[1] == first) {
        const Piece brace{false, rest.substr(0, 1)};
        rest.remove_prefix(2);
        return brace;
    }
    if (first == '}')
        return Error{"has a '}' without a '{' before it; write '}}' for the character itself"};
    const std::size_t end = rest.find_first_of("{}", 1);
    if (end == std::string_view::npos || rest[end] != '}')
        return Error{"has a '{' without a '}' after it; write '{{' for the character itself"};
    const Piece field{true, rest.substr(1, end - 1)};
    rest.remove_prefix(end + 1);
    return field;
}

}  // namespace

const std::vector<std::string_view>& template_fields() {
    static const std::vector<std::string_view> kFields{
        "event",    "time",   "program", "cat",     "type",     "host", "address",
        "platform", "state",  "pid",     "value",   "limit",    "unit", "failures",
        "action",   "result", "output",  "message", "verdicts", "log",  "details"};
    return kFields;
}

Result<void> check_template(std::string_view text) {
    while (!text.empty()) {
        const Result<Piece> piece = next_piece(text);
        if (!piece)
            return piece.error();
        if (!piece->field)
            continue;
        if (std::ranges::find(template_fields(), piece->text) == template_fields().end())
            return Error{"has the unknown field {" + std::string(piece->text.substr(0, 40)) + "}" +
                         did_you_mean(piece->text, template_fields())};
    }
    return {};
}

std::string fill_template(std::string_view text,
                          const std::function<std::string(std::string_view name)>& value_of,
                          std::size_t max) {
    std::string out;
    while (!text.empty() && out.size() < max) {
        const Result<Piece> piece = next_piece(text);
        if (!piece)
            break;
        out += piece->field ? value_of(piece->text) : std::string(piece->text);
    }
    if (out.size() <= max)
        return out;
    // Continuation bytes of a character begin with the bits 10.
    while (max > 0 && (static_cast<unsigned char>(out[max]) & 0xC0) == 0x80)
        --max;
    out.resize(max);
    return out;
}

}  // namespace healthcheckd
