#include "master/config/reading/tree.h"

#include "common/text/printable.h"

#include <algorithm>
#include <sstream>
#include <utility>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxDepth = 20;
constexpr std::size_t kMaxNodes = 50'000;
constexpr std::ptrdiff_t kMaxBrackets = 50'000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// yaml-cpp counts from 0.
SourceLocation place_at(const YAML::Mark& mark) {
    return mark.is_null() ? SourceLocation{} : SourceLocation{mark.line + 1, mark.column + 1};
}

// Builds the tree from the parser's events. Aborts parsing with a ParserException, as yaml-cpp itself does.
class Builder : public YAML::EventHandler {
public:
    std::optional<Node> root;

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (std::exchange(started_, true))
            fail(mark, "a second document begins here; the file must hold only one");
    }
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
        add(Node{Node::Kind::null, place_at(mark), false, "", {}, {}}, mark);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        fail(mark, "aliases (*name) are not supported: write the value out");
    }
    void OnAnchor(const YAML::Mark& mark, const std::string&) override {
        fail(mark, "anchors (&name) are not supported: a value that begins with '&' needs quotes");
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  const std::string& value) override {
        const bool text = tag == "!" || tag == "tag:yaml.org,2002:str";
        if (!text)
            refuse_tag(mark, tag);
        if (!text && value == "<<" && expects_key())
            fail(mark, "merge keys (<<) are not supported: write the keys out");
        add(Node{Node::Kind::scalar, place_at(mark), text, value, {}, {}}, mark);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        open(Node::Kind::list, mark, tag);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
        open(Node::Kind::map, mark, tag);
    }
    void OnMapEnd() override { close(); }

private:
    // A list or map that is incomplete, and the key of the next value.
    struct Open {
        Node node;
        YAML::Mark mark;
        std::optional<Pair> pending;
    };

    [[noreturn]] static void fail(const YAML::Mark& mark, const std::string& text) {
        throw YAML::ParserException(mark, text);
    }

    static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
        if (!tag.empty() && tag != "?")
            fail(mark, "tag '" + printable(tag, 60) +
                           "' is not supported: a value that begins with '!' needs quotes");
    }

    bool expects_key() const {
        return !open_.empty() && open_.back().node.kind == Node::Kind::map && !open_.back().pending;
    }

    void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag) {
        refuse_tag(mark, tag);
        if (expects_key())
            fail(mark, "a key must be a text, not a list or a map");
        if (open_.size() >= kMaxDepth)
            fail(mark, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
        open_.push_back(Open{Node{kind, place_at(mark), false, "", {}, {}}, mark, std::nullopt});
    }

    void close() {
        Open done = std::move(open_.back());
        open_.pop_back();
        add(std::move(done.node), done.mark);
    }

    void add(Node node, const YAML::Mark& mark) {
        if (++nodes_ > kMaxNodes)
            fail(mark, "more than " + std::to_string(kMaxNodes) + " keys and values");
        if (open_.empty()) {
            root = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.kind == Node::Kind::list) {
            parent.node.items.push_back(std::move(node));
        } else if (parent.pending) {
            parent.pending->value = std::move(node);
            parent.node.pairs.push_back(std::move(*parent.pending));
            parent.pending.reset();
        } else {
            if (node.kind != Node::Kind::scalar || node.text.empty())
                fail(mark, "a key must be a text that is not empty");
            parent.pending = Pair{std::move(node.text), node.place, {}};
        }
    }

    std::vector<Open> open_;
    std::size_t nodes_ = 0;
    bool started_ = false;
};

SourceLocation place_of_byte(std::string_view text, std::size_t offset) {
    SourceLocation place{1, 1};
    for (const char c : text.substr(0, offset)) {
        place.column = c == '\n' ? 1 : place.column + 1;
        place.line += c == '\n' ? 1 : 0;
    }
    return place;
}

// yaml-cpp has no message for the most common mistake, a tab.
std::string tab_hint(std::string_view text, const YAML::Mark& mark) {
    if (mark.is_null())
        return "";
    std::size_t start = 0;
    for (int line = 0; line < mark.line && start < text.size(); ++line)
        start = std::min(text.find('\n', start), text.size() - 1) + 1;
    const std::size_t indented = text.find_first_not_of(" \t", start);
    return text.substr(start, indented - start).find('\t') == std::string_view::npos
               ? ""
               : " (there is a tab before it: YAML indents by spaces)";
}

}  // namespace

bool check_bytes(std::string_view text, Diagnostics& diagnostics) {
    if (text.size() > kMaxFile) {
        diagnostics.error({}, "", "the file is larger than 1 MB");
        return false;
    }
    // yaml-cpp keeps all tokens of an open bracket, 200 bytes each, until it is closed.
    if (std::ranges::count_if(text, [](char c) { return c == '[' || c == '{'; }) > kMaxBrackets) {
        diagnostics.error({}, "", "the file has more than " + std::to_string(kMaxBrackets) + " brackets");
        return false;
    }
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t n = utf8_length(text.substr(i));
        if (n == 0 || text[i] == '\0') {
            diagnostics.error(place_of_byte(text, i), "",
                              n == 0 ? "this byte is not valid UTF-8"
                                     : "a NUL byte has no place in a text file");
            return false;
        }
        i += n;
    }
    return true;
}

std::optional<Node> read_tree(std::string_view text, Diagnostics& diagnostics) {
    if (text.starts_with(kByteOrderMark))
        text.remove_prefix(kByteOrderMark.size());
    Builder builder;
    try {
        std::istringstream in{std::string(text)};
        YAML::Parser parser(in);
        // The second call finds the end, or a second document, which the builder rejects.
        if (parser.HandleNextDocument(builder))
            parser.HandleNextDocument(builder);
    } catch (const YAML::Exception& problem) {
        diagnostics.error(place_at(problem.mark), "", printable(problem.msg) + tab_hint(text, problem.mark));
        return std::nullopt;
    }
    return builder.root ? std::move(*builder.root) : Node{};
}

}  // namespace healthcheckd::master
