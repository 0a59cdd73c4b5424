#include "master/supervisord/xml_controls.h"

namespace healthcheckd::master {

bool is_no_xml(char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' && c != '\r';
}

std::string private_block(std::string_view text) {
    for (int middle = 0x80; middle < 0xc0; ++middle)
        if (std::string block{'\xee', static_cast<char>(middle)}; text.find(block) == std::string_view::npos)
            return block;
    return {};
}

std::string with_private_controls(std::string_view text, const std::string& block) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text)
        if (!is_no_xml(c))
            out += c;
        else if (block.empty())
            out += '?';
        else
            out.append(block).append(1, static_cast<char>(0x80 + c));
    return out;
}

std::string with_controls(std::string text, const std::string& block) {
    if (block.empty())
        return text;
    for (std::size_t at = 0; (at = text.find(block, at)) != std::string::npos; ++at)
        text.replace(at, block.size() + 1, 1, static_cast<char>(text[at + block.size()] - 0x80));
    return text;
}

}  // namespace healthcheckd::master
