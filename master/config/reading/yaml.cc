#include "master/config/reading/yaml.h"

#include "common/config/json.h"
#include "common/config/texts.h"
#include "common/config/values.h"
#include "common/text/printable.h"
#include "common/text/suggest.h"
#include "master/config/child_accounts.h"
#include "master/config/reading/checks.h"
#include "master/config/reading/file.h"
#include "master/config/reading/former.h"
#include "master/config/reading/tree.h"
#include "master/config/reading/tree_text.h"
#include "master/config/reading/twins.h"
#include "master/config/reading/url.h"

#include <algorithm>
#include <map>

namespace healthcheckd::master {

namespace {

constexpr std::size_t kMaxCats = 4000;
constexpr std::size_t kMaxChannels = 20;  // of one kind

// Remembers the first place of each name in a map, and reports duplicates.
class Names {
public:
    // Returns whether `name` is new.
    bool add(std::string_view name, const Pair& pair, const std::string& path, std::string_view what,
             Diagnostics& diagnostics) {
        const auto [first, fresh] = first_.try_emplace(std::string(name), &pair);
        if (fresh)
            return true;
        const Pair& other = *first->second;
        std::string text = "duplicate " + std::string(what) + "; the first ";
        text += other.key == pair.key ? "is" : "is '" + other.key + "'";
        diagnostics.error(pair.place, path, text + " in line " + std::to_string(other.place.line));
        return false;
    }

private:
    std::map<std::string, const Pair*, std::less<>> first_;
};

std::string child_path(const std::string& path, std::string_view key) {
    return (path.empty() ? "" : path + ".") + printable(key, 60);
}

// Returns whether the value is null or an empty string: `mail:`, `json: ''`.
bool is_empty(const Node& node) {
    return node.kind == Node::Kind::null ||
           (node.kind == Node::Kind::scalar && node.text.find_first_not_of(" \t\r\n") == std::string::npos);
}

// Returns whether the key has no value; blanks can be a password.
bool is_empty(const Node& node, const Key& key) {
    return is_empty(node) && (key.sensitivity != Sensitivity::password || node.text.empty());
}

// Returns the kind of channel that has this section in `config`, or nullptr.
const ChannelKind* kind_of_section(std::string_view name) {
    const auto kinds = channel_kinds();
    const auto found = std::ranges::find(kinds, name, &ChannelKind::section);
    return found == kinds.end() ? nullptr : *found;
}

std::ptrdiff_t place_of_kind(const ChannelConfig& channel) {
    return std::ranges::find(channel_kinds(), channel.kind) - channel_kinds().begin();
}

// Reads one file's tree into a Config.
class Loader {
public:
    explicit Loader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

    std::shared_ptr<Config> load(const Node& root, const std::string& name);
    // Returns whether the file contains secrets.
    bool holds_password() const { return holds_password_; }

private:
    void read_config_section(const Pair& section);
    void read_channels(const Pair& section, const ChannelKind& kind);
    void read_channel(const Pair& section, const std::string& path, ChannelConfig channel);
    void read_cat(const Pair& section);
    // Reads the keys of a map; `nested` handles those that are sections.
    SectionDraft read_keys(const Pair& map, Section section, const std::string& path,
                           const KeyTarget& target);
    void take_type(const Node& cat, CatConfig& config) const;
    void take_login(const UrlLogin& login, SourceLocation place, const KeyTarget& target,
                    SectionDraft& draft);
    void read_value(const Pair& pair, const KnownKey& known, KeyTarget target, SectionDraft& draft);
    void note_secret(const Key& key, std::string_view value);
    void unknown_key(const Pair& pair, Section section, const ChannelConfig* channel,
                     const std::string& path);
    void warn_null(const Pair& pair, const KnownKey& known, const std::string& path);

    Diagnostics& diagnostics_;
    std::shared_ptr<Config> config_ = std::make_shared<Config>();
    std::vector<SectionDraft> cats_;
    UrlLogin login_;               // of supervisordUrl
    bool holds_password_ = false;  // anywhere in the file
};

std::shared_ptr<Config> Loader::load(const Node& root, const std::string& name) {
    config_->file = name;
    if (root.kind == Node::Kind::null) {
        diagnostics_.error({}, "", "the file is empty: it needs at least one cat (cat1: ...)");
        return config_;
    }
    if (root.kind != Node::Kind::map) {
        diagnostics_.error(root.place, "",
                           "the file must hold a map: a section 'config' and cats (cat1: ...)");
        return config_;
    }
    // The config section is read first, wherever it is: checks of cats depend on it.
    for (const Pair& pair : root.pairs)
        if (pair.key == "config")
            read_config_section(pair);
    Names names;
    for (const Pair& pair : root.pairs) {
        const bool fresh = names.add(pair.key, pair, child_path("", pair.key),
                                     pair.key == "config" ? "section" : "cat", diagnostics_);
        if (pair.key == "config")
            continue;
        if (cats_.size() == kMaxCats) {
            diagnostics_.error(pair.place, "", "more than " + std::to_string(kMaxCats) + " cats");
            return config_;
        }
        if (fresh || pair.value.kind == Node::Kind::map)
            read_cat(pair);
    }
    if (cats_.empty() && !diagnostics_.failed())
        diagnostics_.error({}, "",
                           "there is no cat: give at least one check, under a name of its own (cat1: ...)");
    for (std::size_t i = 0; i < cats_.size(); ++i)
        finish_cat(cats_[i], *config_, config_->cats[i], diagnostics_);
    warn_of_twins(cats_, *config_, diagnostics_);
    check_channels_are_there(cats_, *config_, diagnostics_);
    return config_;
}

void Loader::read_config_section(const Pair& section) {
    if (is_empty(section.value))
        return;
    const KeyTarget target{config_.get(), nullptr, SecretStore::kNobody};
    SectionDraft draft = read_keys(section, Section::config, "config", target);
    if (login_.given)
        take_login(login_, draft.place_of("supervisordUrl"), target, draft);
    finish_connection(draft, diagnostics_);
    std::ranges::stable_sort(config_->channels, {}, place_of_kind);
}

// Uses the login in supervisordUrl if the keys for it are not given, or have the same values.
void Loader::take_login(const UrlLogin& login, SourceLocation place, const KeyTarget& target,
                        SectionDraft& draft) {
    diagnostics_.warning(
        place, "config.supervisordUrl",
        "holds a user or password: accepted, and masked wherever the URL is shown; better give "
        "supervisordUser and supervisordPass");
    for (const auto& [name, value] :
         {std::pair{std::string_view("supervisordUser"), std::string_view(login.user)},
          {std::string_view("supervisordPass"), std::string_view(login.pass)}}) {
        const Key& key = *find_key(Section::config, name).key;
        std::string buffer;
        if (value.empty() || draft.invalid(name))
            continue;
        if (draft.has(name)) {
            if (key.get({config_.get(), nullptr}, buffer) != value)
                diagnostics_.error(draft.place_of(name), "config." + std::string(name),
                                   "says otherwise than supervisordUrl: give it in one place");
            continue;
        }
        const Result<void> done = key.set(target, value);
        note_secret(key, value);
        if (!done)
            diagnostics_.error(place, "config.supervisordUrl",
                               std::string(name == "supervisordUser" ? "user " : "password ") +
                                   done.error().what);
        draft.given.push_back(GivenKey{&key, place, static_cast<bool>(done)});
    }
}

void Loader::read_channels(const Pair& section, const ChannelKind& kind) {
    const std::string path = child_path("config", section.key);
    if (is_empty(section.value))
        return;
    if (!kind.named)
        return read_channel(section, path, ChannelConfig(kind));
    if (section.value.kind != Node::Kind::map) {
        diagnostics_.error(section.value.place, path,
                           fmt::format("must be a map of names and {}s", kind.label));
        return;
    }
    Names names;
    std::size_t count = 0;
    for (const Pair& pair : section.value.pairs) {
        const std::string here = child_path(path, pair.key);
        if (!names.add(pair.key, pair, here, kind.label, diagnostics_))
            continue;
        if (count++ == kMaxChannels)
            return diagnostics_.error(pair.place, path,
                                      fmt::format("more than {} {}s", kMaxChannels, kind.label));
        if (const Result<void> name = check_webhook_name(pair.key); !name)
            diagnostics_.error(pair.place, here, name.error().what);
        read_channel(pair, here, ChannelConfig(kind, pair.key));
    }
}

void Loader::read_channel(const Pair& section, const std::string& path, ChannelConfig channel) {
    const SectionDraft draft =
        read_keys(section, Section::channel, path, {config_.get(), nullptr, SecretStore::kNobody, &channel});
    if (section.value.kind == Node::Kind::map)
        channel.kind->finish(draft, channel, diagnostics_);
    config_->channels.push_back(std::move(channel));
}

void Loader::read_cat(const Pair& section) {
    const std::string path = child_path("", section.key);
    if (const Result<void> name = check_cat_name(section.key); !name)
        diagnostics_.error(section.place, path, name.error().what);
    if (is_empty(section.value)) {
        diagnostics_.warning(section.place, path, "is empty; this cat is left out");
        return;
    }
    if (section.value.kind != Node::Kind::map) {
        diagnostics_.error(section.value.place, path, "must be a map of keys and values");
        return;
    }
    CatConfig cat;
    cat.name = section.key;
    cat.line = section.place.line;
    take_type(section.value, cat);
    const auto index = static_cast<SecretStore::Group>(config_->cats.size());
    cats_.push_back(read_keys(section, Section::cat, path, KeyTarget{config_.get(), &cat, index}));
    config_->cats.push_back(std::move(cat));
}

// Sets the type before all other keys, wherever it is, since they depend on it. The key is
// validated later, in its turn.
void Loader::take_type(const Node& cat, CatConfig& config) const {
    const auto given = std::ranges::find(cat.pairs, "type", &Pair::key);
    if (given == cat.pairs.end())
        return;
    const Result<std::string> text = text_of(given->value, Shape::scalar);
    const CheckType* type = text ? find_check_type(lower(*text)) : nullptr;
    if (type != nullptr)
        config.set_type(*type);
}

SectionDraft Loader::read_keys(const Pair& map, Section section, const std::string& path,
                               const KeyTarget& target) {
    SectionDraft draft{path, map.place, {}};
    if (map.value.kind != Node::Kind::map) {
        diagnostics_.error(map.value.place, path, "must be a map of keys and values");
        return draft;
    }
    Names names;
    for (const Pair& pair : map.value.pairs) {
        const std::string here = child_path(path, pair.key);
        const KnownKey known =
            target.channel != nullptr
                ? find_key(*target.channel->kind, pair.key)
                : find_key(section, pair.key, target.cat != nullptr ? target.cat->type : nullptr);
        const Key* key = known.key;
        const bool fresh = names.add(key != nullptr ? key->name : pair.key, pair, here, "key", diagnostics_);
        const ChannelKind* kind = section == Section::config ? kind_of_section(pair.key) : nullptr;
        if (kind != nullptr) {
            if (fresh)
                read_channels(pair, *kind);
        } else if (key == nullptr) {
            unknown_key(pair, section, target.channel, here);
        } else if (fresh) {
            if (pair.key == key->alias && key->alias_is_wrong)
                diagnostics_.warning(pair.place, here,
                                     "is accepted, but is spelt '" + std::string(key->name) + "'");
            read_value(pair, known, target, draft);
        }
    }
    return draft;
}

void Loader::read_value(const Pair& pair, const KnownKey& known, KeyTarget target, SectionDraft& draft) {
    const Key& key = *known.key;
    const std::string path = child_path(draft.path, pair.key);
    if (is_empty(pair.value, key)) {
        warn_null(pair, known, path);
        return;
    }
    const bool has_effect = target.cat == nullptr || known.concerns(*target.cat->type);
    // A key of another type is validated with a cat of that type, and then ignored.
    CatConfig other(target.cat != nullptr && known.type != nullptr ? *known.type : *check_types().front());
    if (!has_effect && known.type != nullptr)
        target.cat = &other;
    Result<std::string> text = text_of(pair.value, key.shape);
    if (text && known.section == Section::config && key.name == "supervisordUrl") {
        auto login = split_login(*text);
        text = login ? Result<std::string>(login->url) : Result<std::string>(login.error());
        if (login)
            login_ = std::move(*login);
    }
    if (text && key.canonical != nullptr)
        text = key.canonical(*text);
    const Result<void> done = text ? key.set(target, *text) : Result<void>(text.error());
    if (!done)
        diagnostics_.error(pair.value.place, path, done.error().what);
    if (text)
        note_secret(key, *text);
    draft.given.push_back(GivenKey{&key, pair.value.place, static_cast<bool>(done), has_effect});
}

// Called for invalid values too: the file contains them all the same.
void Loader::note_secret(const Key& key, std::string_view value) {
    holds_password_ = holds_password_ || key.sensitivity == Sensitivity::password ||
                      key.sensitivity == Sensitivity::url ||
                      (key.sensitivity == Sensitivity::masked && masked_json(value) != value) ||
                      (key.sensitivity == Sensitivity::command && names_secret(value));
}

void Loader::unknown_key(const Pair& pair, Section section, const ChannelConfig* channel,
                         const std::string& path) {
    const ChannelKind* kind = channel != nullptr ? channel->kind : nullptr;
    std::vector<std::string_view> known = key_names(section, kind);
    if (section == Section::config)
        for (const ChannelKind* each : channel_kinds())
            known.push_back(each->section);
    // When no more diagnostics are shown, a hint is not worth its time.
    std::string hint = diagnostics_.full() ? "" : did_you_mean(pair.key, known);
    if (std::string instead = in_place_of(section, kind, pair.key); !instead.empty())
        hint = std::move(instead);
    else if (section == Section::cat && find_key(Section::config, pair.key).key != nullptr)
        hint = "; it belongs in the section 'config'";
    else if (section == Section::config && hint.empty() && find_key(Section::cat, pair.key).key != nullptr)
        hint = "; it belongs in a cat";
    diagnostics_.error(pair.place, path, "unknown key " + in_quotes(pair.key) + hint);
}

void Loader::warn_null(const Pair& pair, const KnownKey& known, const std::string& path) {
    if (known.key->required)
        return;  // reported as missing
    const std::string standard = known.default_text();
    diagnostics_.warning(pair.place, path,
                         standard == "none" ? "has no value and is ignored"
                                            : "has no value; the default " + standard + " is used");
}

// Loads `text`. `file`: who can read the file; nullptr for a text that is not from a file.
LoadedConfig load_text(const std::string& text, const std::string& name, const FileText* file,
                       Diagnostics& diagnostics) {
    LoadedConfig loaded;
    if (check_bytes(text, diagnostics))
        if (const std::optional<Node> root = read_tree(text, diagnostics)) {
            Loader loader(diagnostics);
            const std::shared_ptr<Config> config = loader.load(*root, name);
            if (file != nullptr)
                if (const std::string fault = find_accounts(*config); !fault.empty())
                    diagnostics.warning({}, "config.workerUids", fault);
            if (file != nullptr && file->readable_by_all && loader.holds_password())
                diagnostics.warning({}, "", "holds passwords and is readable by every user; chmod o-rwx it");
            if (!diagnostics.failed())
                loaded.config = config;
        }
    loaded.diagnostics = diagnostics.take();
    return loaded;
}

// Calls `load`, and turns an exception (no memory) into a diagnostic.
template <class F> LoadedConfig guarded(const std::string& name, F load) {
    Diagnostics diagnostics(name);
    try {
        return load(diagnostics);
    } catch (const std::exception& problem) {
        LoadedConfig loaded;
        loaded.diagnostics = {Diagnostic{Diagnostic::Severity::error, name, 0, 0, "",
                                         "cannot be loaded: " + printable(problem.what())}};
        return loaded;
    }
}

}  // namespace

LoadedConfig load_config(const std::string& path) {
    return guarded(path, [&](Diagnostics& diagnostics) {
        const std::optional<FileText> file = read_config_file(path, diagnostics);
        if (!file)
            return LoadedConfig{diagnostics.take(), nullptr};
        return load_text(file->text, path, &*file, diagnostics);
    });
}

LoadedConfig parse_config(const std::string& text, const std::string& name) {
    return guarded(name,
                   [&](Diagnostics& diagnostics) { return load_text(text, name, nullptr, diagnostics); });
}

}  // namespace healthcheckd::master
