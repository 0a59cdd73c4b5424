#include "master/config/reading/tree_text.h"

#include "common/config/values.h"

#include <nlohmann/json.hpp>
#include <set>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxText = 64 * 1024;  // more than any key accepts

std::string json_string(const std::string& text) {
    return nlohmann::json(text).dump();
}

// Returns an unquoted scalar as JSON: a number, a boolean, or else a string. Numbers stay as written,
// so that no digit is lost.
std::string json_scalar(const Node& node) {
    if (node.quoted)
        return json_string(node.text);
    for (const std::string_view word : {"true", "True", "TRUE"})
        if (node.text == word)
            return "true";
    for (const std::string_view word : {"false", "False", "FALSE"})
        if (node.text == word)
            return "false";
    const char first = node.text.empty() ? '\0' : node.text[0];
    const bool number = (first == '-' || (first >= '0' && first <= '9')) && nlohmann::json::accept(node.text);
    return number ? node.text : json_string(node.text);
}

// Appends `node` as JSON. The depth of the tree bounds the recursion.
Result<void> append_json(const Node& node, bool as_texts, std::string& out) {
    if (out.size() > kMaxText)
        return Error{"is too long"};
    switch (node.kind) {
    case Node::Kind::null:
        out += "null";
        return {};
    case Node::Kind::scalar:
        out += as_texts ? json_string(node.text) : json_scalar(node);
        return {};
    case Node::Kind::list:
        out += '[';
        for (const Node& item : node.items) {
            out += out.back() == '[' ? "" : ",";
            if (Result<void> done = append_json(item, as_texts, out); !done)
                return done;
        }
        out += ']';
        return {};
    case Node::Kind::map:
        break;
    }
    std::set<std::string_view> names;
    out += '{';
    for (const Pair& pair : node.pairs) {
        if (!names.insert(pair.key).second)
            return Error{in_quotes(pair.key) + " is given twice, the second time in line " +
                         std::to_string(pair.place.line)};
        out += out.back() == '{' ? "" : ",";
        out += json_string(pair.key) + ':';
        if (Result<void> done = append_json(pair.value, as_texts, out); !done)
            return done;
    }
    out += '}';
    return {};
}

Result<std::string> joined(const Node& list) {
    std::string out;
    for (const Node& item : list.items) {
        if (item.kind != Node::Kind::scalar)
            return Error{"the items of the list must be single values"};
        // "Smith, John <john@example.org>" is one item; only its address is used.
        const std::size_t open = item.text.ends_with('>') ? item.text.rfind('<') : std::string::npos;
        const std::string_view text =
            std::string_view(item.text).substr(open == std::string::npos ? 0 : open);
        if (text.find(',') != std::string_view::npos)
            return Error{"an item of the list must not hold a comma: " + in_quotes(item.text)};
        out.append(out.empty() ? "" : ",").append(text);
    }
    if (out.empty())
        return Error{"the list is empty"};
    return out;
}

}  // namespace

Result<std::string> text_of(const Node& node, Shape shape) {
    if (node.kind == Node::Kind::scalar)
        return node.text;
    if (shape == Shape::scalar)
        return Error{std::string("must be a single value, not a ") +
                     (node.kind == Node::Kind::list ? "list" : "map")};
    if (shape == Shape::list)
        return node.kind == Node::Kind::list ? joined(node)
                                             : Result<std::string>(Error{"must be a list, not a map"});
    std::string out;
    if (Result<void> done = append_json(node, shape == Shape::headers, out); !done)
        return done.error();
    return out;
}

}  // namespace healthcheckd::master
