// The area has kMagic, the length of the rest as a text of fixed width, its checksum, then records. A record
// is one byte for its kind, and fields of a 32-bit length and that many bytes:
//   W severity line column file path text
//       a diagnostic; numbers are decimal texts
//   F file
//       a configuration follows
//   A uid gid
//       the mailer's user
//   U uid
//       a uid of the range that belongs to a user
//   H section name
//       a channel of the kind with this section; the K records after it, up to the next H or C, are its own
//   C name line
//       a cat; the K records after it are its own, with its type among the first
//   K section name value
//       a key with its canonical text
//   E
//       the end
// The checksum does not protect against an attacker, who can compute it: it detects a child that
// died while writing, and bugs.
#include "master/config/transfer.h"

#include "common/config/texts.h"
#include "common/config/values.h"
#include "common/text/fnv.h"
#include "master/config/child_accounts.h"
#include "master/config/keys.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace healthcheckd::master {

namespace {

constexpr std::string_view kMagic = "healthcheckd configuration 1\n";
constexpr std::size_t kHeader = kMagic.size() + 2 * sizeof(std::uint64_t);
constexpr std::uint64_t kMaxLine = 10'000'000;
constexpr std::size_t kMaxChannels = 1'000;
constexpr std::size_t kMaxRecords = 1'000'000;

// Every changed byte changes the checksum.
std::uint64_t checksum(std::span<const char> bytes) {
    return fnv1a({bytes.data(), bytes.size()});
}

// Writes records after the header. What does not fit is counted but not written.
class Writer {
public:
    explicit Writer(std::span<char> area) : area_(area) {}

    void record(char kind) { bytes(&kind, 1); }
    void field(std::string_view text) {
        const auto length = static_cast<std::uint32_t>(text.size());
        bytes(&length, sizeof length);
        bytes(text.data(), text.size());
    }
    void field(int number) { field(std::to_string(number)); }

    Result<void> seal() {
        if (size_ > area_.size())
            return Error{"the configuration needs " + std::to_string(size_) + " bytes, there are " +
                         std::to_string(area_.size())};
        const std::uint64_t length = size_ - kHeader;
        const std::uint64_t sum = checksum(area_.subspan(kHeader, length));
        std::memcpy(area_.data(), kMagic.data(), kMagic.size());
        std::memcpy(area_.data() + kMagic.size(), &length, sizeof length);
        std::memcpy(area_.data() + kMagic.size() + sizeof length, &sum, sizeof sum);
        return {};
    }

private:
    void bytes(const void* data, std::size_t size) {
        if (size != 0 && size_ <= area_.size() && size <= area_.size() - size_)
            std::memcpy(area_.data() + size_, data, size);
        size_ += size;
    }

    std::span<char> area_;
    std::size_t size_ = kHeader;
};

// Reads records. After the first error all results are empty, and ok() is false.
class Reader {
public:
    explicit Reader(std::span<const char> records) : rest_(records.data(), records.size()) {}

    char record() {
        const std::string_view kind = take(1);
        return kind.empty() ? '\0' : kind[0];
    }
    std::string_view field() {
        std::uint32_t length = 0;
        const std::string_view prefix = take(sizeof length);
        if (ok_)
            std::memcpy(&length, prefix.data(), sizeof length);
        return take(length);
    }
    std::uint32_t id() {
        const Result<std::uint64_t> value = parse_whole(field(), 0, 0xffff'fffd);
        ok_ = ok_ && value;
        return ok_ ? static_cast<std::uint32_t>(*value) : 0;
    }
    int number() {
        const Result<std::uint64_t> value = parse_whole(field(), 0, kMaxLine);
        ok_ = ok_ && value;
        return ok_ ? static_cast<int>(*value) : 0;
    }
    void fail() { ok_ = false; }
    bool ok() const { return ok_; }
    bool at_end() const { return rest_.empty(); }

private:
    std::string_view take(std::size_t size) {
        if (!ok_ || size > rest_.size()) {
            ok_ = false;
            return {};
        }
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }

    std::string_view rest_;
    bool ok_ = true;
};

void write_key(Writer& out, Section section, const Key& key, const KeySource& source) {
    std::string buffer;
    const std::string_view value = key.get(source, buffer);
    if (value.empty())
        return;
    out.record('K');
    out.field(static_cast<int>(section));
    out.field(key.name);
    out.field(value);
}

void write_config(Writer& out, const Config& config) {
    out.record('F');
    out.field(config.file);
    out.record('A');
    out.field(std::to_string(config.mailer_uid));
    out.field(std::to_string(config.mailer_gid));
    for (const uid_t uid : config.taken_uids) {
        out.record('U');
        out.field(std::to_string(uid));
    }
    for (const Key& key : config_keys())
        write_key(out, Section::config, key, {&config, nullptr});
    for (const ChannelConfig& channel : config.channels) {
        out.record('H');
        out.field(channel.kind->section);
        out.field(channel.name);
        for (const Key& key : channel.kind->keys)
            write_key(out, Section::channel, key, {&config, nullptr, &channel});
    }
    for (const CatConfig& cat : config.cats) {
        out.record('C');
        out.field(cat.name);
        out.field(cat.line);
        for (const Key* key : keys_of(cat))
            write_key(out, Section::cat, *key, {&config, &cat});
    }
}

bool of_an_action(const Key& key) {
    return std::ranges::any_of(action_types(), [&](const ActionType* action) {
        return std::ranges::any_of(action->keys, [&](const Key& each) { return &each == &key; });
    });
}

void write_for_workers(Writer& out, const Config& config, std::span<const std::size_t> cats) {
    out.record('F');
    out.field(config.file);
    for (const Key& key : config_keys())
        if ((key.renews & Key::kWorkers) != 0)
            write_key(out, Section::config, key, {&config, nullptr});
    for (const std::size_t index : cats) {
        const CatConfig& cat = config.cats.at(index);
        out.record('C');
        out.field(cat.name);
        out.field(cat.line);
        for (const Key* key : keys_of(cat))
            if (!of_an_action(*key))
                write_key(out, Section::cat, *key, {&config, &cat});
    }
}

// Restores the configuration from the records.
class Decoder {
public:
    explicit Decoder(Reader& in) : in_(in) {}

    // Decodes one record; returns false after the last one.
    bool step() {
        const char kind = in_.record();
        switch (kind) {
        case 'W':
            complaint();
            break;
        case 'F':
            require(config_ == nullptr);
            config_ = std::make_shared<Config>();
            config_->file = in_.field();
            break;
        case 'A':
            accounts();
            break;
        case 'U':
            require(config_ != nullptr && config_->taken_uids.size() < kMostTakenUids);
            if (in_.ok())
                config_->taken_uids.push_back(in_.id());
            break;
        case 'H':
            channel();
            break;
        case 'C':
            cat();
            break;
        case 'K':
            key();
            break;
        case 'E':
            return false;
        default:
            in_.fail();
        }
        return in_.ok();
    }

    LoadedConfig take() {
        loaded_.config = config_;
        return std::move(loaded_);
    }

private:
    void require(bool holds) {
        if (!holds)
            in_.fail();
    }

    void complaint() {
        Diagnostic d;
        const int severity = in_.number();
        require(severity == static_cast<int>(Diagnostic::Severity::warning) ||
                severity == static_cast<int>(Diagnostic::Severity::error));
        d.severity = static_cast<Diagnostic::Severity>(severity);
        d.line = in_.number();
        d.column = in_.number();
        d.file = in_.field();
        d.path = in_.field();
        d.text = in_.field();
        loaded_.diagnostics.push_back(std::move(d));
    }

    void accounts() {
        require(config_ != nullptr);
        if (!in_.ok())
            return;
        config_->mailer_uid = in_.id();
        config_->mailer_gid = in_.id();
    }

    void channel() {
        const std::string_view section = in_.field();
        const std::string name(in_.field());
        const auto kinds = channel_kinds();
        const auto kind = std::ranges::find(kinds, section, &ChannelKind::section);
        require(config_ != nullptr && config_->cats.empty() && kind != kinds.end() &&
                config_->channels.size() < kMaxChannels);
        if (!in_.ok())
            return;
        require((*kind)->named ? static_cast<bool>(check_webhook_name(name)) : name.empty());
        require(std::ranges::none_of(config_->channels, [&](const ChannelConfig& each) {
            return each.kind == *kind && each.name == name;
        }));
        if (in_.ok())
            config_->channels.emplace_back(**kind, name);
    }

    void cat() {
        CatConfig cat;
        cat.name = in_.field();
        cat.line = in_.number();
        require(config_ != nullptr && check_cat_name(cat.name));
        if (in_.ok())
            config_->cats.push_back(std::move(cat));
    }

    void key() {
        const int section = in_.number();
        const std::string_view name = in_.field();
        const std::string_view value = in_.field();
        require(config_ != nullptr && section <= static_cast<int>(Section::cat));
        if (!in_.ok())
            return;
        const bool in_cat = !config_->cats.empty();
        ChannelConfig* const channel =
            in_cat || config_->channels.empty() ? nullptr : &config_->channels.back();
        const CheckType* const type = in_cat ? config_->cats.back().type : nullptr;
        const KnownKey known = channel != nullptr ? find_key(*channel->kind, name)
                                                  : find_key(static_cast<Section>(section), name, type);
        const Key* const key = known.key;
        require(key != nullptr && key->name == name && (known.kind != nullptr) == (channel != nullptr) &&
                known.section == static_cast<Section>(section) && (known.section == Section::cat) == in_cat &&
                (known.type == nullptr || known.type == type));
        if (!in_.ok())
            return;
        const KeyTarget target{config_.get(), in_cat ? &config_->cats.back() : nullptr,
                               static_cast<SecretStore::Group>(config_->cats.size()) - 1, channel};
        require(static_cast<bool>(key->set(target, value)));
    }

    Reader& in_;
    LoadedConfig loaded_;
    std::shared_ptr<Config> config_;
};

}  // namespace

Result<void> pack_config(const LoadedConfig& loaded, std::span<char> area) {
    Writer out(area);
    for (const Diagnostic& d : loaded.diagnostics) {
        out.record('W');
        out.field(static_cast<int>(d.severity));
        out.field(d.line);
        out.field(d.column);
        out.field(d.file);
        out.field(d.path);
        out.field(d.text);
    }
    if (loaded.config)
        write_config(out, *loaded.config);
    out.record('E');
    return out.seal();
}

Result<void> pack_for_workers(const Config& config, std::span<const std::size_t> cats, std::span<char> area) {
    Writer out(area);
    write_for_workers(out, config, cats);
    out.record('E');
    return out.seal();
}

Result<LoadedConfig> unpack_config(std::span<const char> area) {
    const Error malformed{"the configuration child gave a malformed configuration"};
    if (area.size() < kHeader || std::memcmp(area.data(), kMagic.data(), kMagic.size()) != 0)
        return malformed;
    std::uint64_t length = 0;
    std::uint64_t sum = 0;
    std::memcpy(&length, area.data() + kMagic.size(), sizeof length);
    std::memcpy(&sum, area.data() + kMagic.size() + sizeof length, sizeof sum);
    if (length > area.size() - kHeader || checksum(area.subspan(kHeader, length)) != sum)
        return malformed;
    Reader in(area.subspan(kHeader, length));
    Decoder decoder(in);
    std::size_t records = 1;
    while (decoder.step())
        if (++records > kMaxRecords)
            return malformed;
    if (!in.ok() || !in.at_end())
        return malformed;
    return decoder.take();
}

}  // namespace healthcheckd::master
