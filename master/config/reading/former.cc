#include "master/config/reading/former.h"

#include "common/config/values.h"
#include "common/text/suggest.h"

namespace healthcheckd::master {

namespace {

struct Former {
    Section section;
    std::string_view name;  // in lower case; the search ignores case
    std::string_view instead;
};

constexpr Former kFormer[] = {
    {Section::cat, "maxrss", "it is 'maxMem' here"},
    {Section::cat, "cumulative",
     "the process alone is measured here, by 'memType'; give a child that matters a cat of its own, found by "
     "'pidGet'"},
    {Section::cat, "body", "it is 'json' here, sent with 'mode: POST'"},
    {Section::cat, "data", "it is 'json' here, sent with 'mode: POST'"},
    {Section::cat, "localproc",
     "'pidGet' says here how a process of this machine is found: supervisor, name or file"},
    {Section::cat, "url", "it is 'host', 'port' and 'path' here"},
    {Section::cat, "timeout", "it is 'timeoutSeconds' here"},
    {Section::cat, "interval", "it is 'periodSeconds' here"},
    {Section::channel, "to", "it is 'to_list' here"},
    {Section::channel, "username", "it is 'user' here"},
    {Section::channel, "password", "it is 'pass' here"},
    {Section::channel, "ssl", "it is 'tls' here"},
};

// Sections of `config`, and keys of cats, that stood for one chat service each.
constexpr std::string_view kChats[] = {"wechat", "wecom", "dingding", "dingtalk", "feishu", "lark", "slack"};

}  // namespace

std::string in_place_of(Section section, const ChannelKind* kind, std::string_view name) {
    const std::string wanted = lower(name);
    for (const Former& former : kFormer)
        if (former.section == section && former.name == wanted &&
            (kind == nullptr || kind->section == "mail"))
            return "; " + std::string(former.instead);
    for (const std::string_view chat : kChats)
        if (chat == wanted && (section == Section::config || section == Section::cat))
            return "; give the address as config.webhooks." + std::string(chat) + ": {url: ...}" +
                   (section == Section::cat ? ", and name it in 'action'" : "");
    return {};
}

}  // namespace healthcheckd::master
