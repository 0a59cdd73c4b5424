// Values of keys that belong to one type of check, kind of channel or action, in one struct for each. Every
// process.
#pragma once

#include <memory>
#include <stdexcept>
#include <utility>

namespace healthcheckd {

class Settings {
public:
    virtual ~Settings() = default;
    virtual std::unique_ptr<Settings> copy() const = 0;
    // Clears every Secret, since a copy of the settings may outlive the SecretStore.
    virtual void drop_secrets() {}

protected:
    Settings() = default;
    Settings(const Settings&) = default;
    Settings& operator=(const Settings&) = default;
};

// `struct HttpCheck : SettingsOf<HttpCheck>`; Base holds keys that several types share.
template <class Own, class Base = Settings> class SettingsOf : public Base {
public:
    std::unique_ptr<Settings> copy() const override {
        return std::make_unique<Own>(static_cast<const Own&>(*this));
    }
};

// A value that owns settings of any type; copying it copies them.
class AnySettings {
public:
    AnySettings() = default;
    explicit AnySettings(std::unique_ptr<Settings> settings) : settings_(std::move(settings)) {}
    AnySettings(const AnySettings& other) : settings_(other.settings_ ? other.settings_->copy() : nullptr) {}
    AnySettings(AnySettings&&) = default;
    AnySettings& operator=(AnySettings other) {
        settings_ = std::move(other.settings_);
        return *this;
    }

    // Returns the settings when they are an S or derived from S, else nullptr.
    template <class S> S* as() { return dynamic_cast<S*>(settings_.get()); }
    template <class S> const S* as() const { return dynamic_cast<const S*>(settings_.get()); }
    void drop_secrets() {
        if (settings_)
            settings_->drop_secrets();
    }

private:
    std::unique_ptr<Settings> settings_;
};

// Returns the settings as an S; throws std::logic_error when they are no S.
template <class S, class Any> auto& settings_of(Any& any) {
    if (auto* settings = any.template as<S>())
        return *settings;
    throw std::logic_error("not the settings that were asked for");
}

template <class S> std::unique_ptr<Settings> make_settings() {
    return std::make_unique<S>();
}

}  // namespace healthcheckd
