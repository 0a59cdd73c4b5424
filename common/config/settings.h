// The values of keys that belong to one type of check, kind of channel or action: each has a struct of its own.
// Every process.
#pragma once

#include <memory>
#include <stdexcept>
#include <utility>

namespace healthcheckd {

class Settings {
public:
    virtual ~Settings() = default;
    virtual std::unique_ptr<Settings> copy() const = 0;
    // Empties every Secret: the SecretStore that they show may end before a copy of these settings does.
    virtual void drop_secrets() {}

protected:
    Settings() = default;
    Settings(const Settings&) = default;
    Settings& operator=(const Settings&) = default;
};

// `struct HttpCheck : SettingsOf<HttpCheck>`; with a Base that several have in common.
template <class Own, class Base = Settings> class SettingsOf : public Base {
public:
    std::unique_ptr<Settings> copy() const override {
        return std::make_unique<Own>(static_cast<const Own&>(*this));
    }
};

// Settings of any kind as a value: a copy of it is a copy of them.
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

    // Them, when they are an S or derived from it; else nullptr.
    template <class S> S* as() { return dynamic_cast<S*>(settings_.get()); }
    template <class S> const S* as() const { return dynamic_cast<const S*>(settings_.get()); }
    void drop_secrets() {
        if (settings_)
            settings_->drop_secrets();
    }

private:
    std::unique_ptr<Settings> settings_;
};

// Those that are S; throws std::logic_error when they are others.
template <class S, class Any> auto& settings_of(Any& any) {
    if (auto* settings = any.template as<S>())
        return *settings;
    throw std::logic_error("not the settings that were asked for");
}

template <class S> std::unique_ptr<Settings> make_settings() {
    return std::make_unique<S>();
}

}  // namespace healthcheckd
