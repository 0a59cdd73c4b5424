// Setters and getters of configuration values, generated from the member that holds the value. The tables of
// keys consist of them: master/config/keys.cc, and the files in worker/check, master/action/type and
// master/mailer/channel. Configuration child, and master (decoding a transfer).
#pragma once

#include "common/config/key.h"
#include "common/config/texts.h"
#include "common/config/values.h"

#include <type_traits>

namespace healthcheckd {

// The maximum of every duration.
inline constexpr std::chrono::milliseconds kYear = std::chrono::hours(365 * 24);

// ---- which struct a member belongs to

template <class T> struct MemberOf;
template <class C, class T> struct MemberOf<T C::*> {
    using Class = C;
    using Type = T;
};

template <auto M> using TypeOf = typename MemberOf<decltype(M)>::Type;

// The settings of the channel or cat that `place` refers to.
template <class Own> Own& own_of(const auto& place) {
    using Class = std::remove_const_t<Own>;
    return place.channel != nullptr ? place.channel->template own<Class>() : place.cat->template own<Class>();
}

template <auto M> auto& field(const auto& place) {
    using Class = typename MemberOf<decltype(M)>::Class;
    if constexpr (std::is_same_v<Class, CatConfig>)
        return place.cat->*M;
    else if constexpr (std::is_same_v<Class, NoticeLimits>)
        return place.config->notices.*M;
    else if constexpr (std::is_same_v<Class, Config>)
        return place.config->*M;
    else if constexpr (std::is_const_v<std::remove_pointer_t<decltype(place.cat)>>)
        return own_of<const Class>(place).*M;
    else
        return own_of<Class>(place).*M;
}

template <auto M, class T> Result<void> store(const KeyTarget& target, Result<T> value) {
    if (!value)
        return value.error();
    field<M>(target) = static_cast<TypeOf<M>>(std::move(*value));
    return {};
}

// ---- setters and getters by kind of value

template <std::size_t Max> Result<void> line_of(std::string_view text) {
    return check_line(text, Max);
}

template <auto M, Result<void> (*Check)(std::string_view)>
Result<void> set_text(const KeyTarget& target, std::string_view text) {
    if (Result<void> checked = Check(text); !checked)
        return checked;
    field<M>(target) = std::string(text);
    return {};
}
template <auto M> std::string_view get_text(const KeySource& source, std::string&) {
    return field<M>(source);
}

// A list "a,b" of at most `Max` texts, each accepted by `Check`.
template <auto M, Result<std::string> (*Check)(std::string_view), std::size_t Max>
Result<void> set_texts(const KeyTarget& target, std::string_view text) {
    std::vector<std::string> list;
    for (const std::string_view item : split_list(text)) {
        Result<std::string> checked = Check(item);
        if (!checked)
            return checked.error();
        list.push_back(std::move(*checked));
    }
    if (list.size() > Max)
        return Error{"more than " + std::to_string(Max) + " of them"};
    field<M>(target) = std::move(list);
    return {};
}
template <auto M> std::string_view get_texts(const KeySource& source, std::string& buffer) {
    for (const std::string& each : field<M>(source))
        buffer.append(buffer.empty() ? "" : ",").append(each);
    return buffer;
}

template <auto M> Result<void> set_host(const KeyTarget& target, std::string_view text) {
    return store<M>(target, parse_host(text));
}

template <auto M, std::uint64_t Min, std::uint64_t Max>
Result<void> set_whole(const KeyTarget& target, std::string_view text) {
    return store<M>(target, parse_whole(text, Min, Max));
}
template <auto M> std::string_view get_whole(const KeySource& source, std::string& buffer) {
    return buffer = std::to_string(field<M>(source));
}

// A uid; canonical_user() has replaced a user name by its number.
template <auto M> Result<void> set_user(const KeyTarget& target, std::string_view text) {
    return store<M>(target, parse_whole(text, 0, kMaxUser));
}
template <auto M> std::string_view get_user(const KeySource& source, std::string& buffer) {
    const auto& user = field<M>(source);
    return buffer = user ? std::to_string(*user) : "";
}

template <auto M, long MinMs> Result<void> set_seconds(const KeyTarget& target, std::string_view text) {
    return store<M>(target, parse_seconds(text, std::chrono::milliseconds(MinMs), kYear));
}
template <auto M> std::string_view get_seconds(const KeySource& source, std::string& buffer) {
    return buffer = seconds_text(field<M>(source));
}

template <auto M> std::string_view get_decimal(const KeySource& source, std::string& buffer) {
    return buffer = decimal_text(field<M>(source));
}

template <auto M> Result<void> set_flag(const KeyTarget& target, std::string_view text) {
    return store<M>(target, parse_flag(text));
}
template <auto M> std::string_view get_flag(const KeySource& source, std::string&) {
    return field<M>(source) ? "true" : "false";
}

template <auto M, TypeOf<M>... All> Result<void> set_choice(const KeyTarget& target, std::string_view text) {
    return store<M>(target, parse_choice(text, std::array{All...}));
}
template <auto M> std::string_view get_choice(const KeySource& source, std::string&) {
    return to_string(field<M>(source));
}

template <auto M> SecretStore::Group group_of(const KeyTarget& target) {
    using Class = typename MemberOf<decltype(M)>::Class;
    return std::is_same_v<Class, Config> ? SecretStore::kLink
           : target.channel != nullptr   ? SecretStore::kMail
                                         : target.group;
}

// A secret of the cat's actions, which the cat's worker cannot read.
template <auto M, Result<void> (*Check)(std::string_view)>
Result<void> set_action_secret(const KeyTarget& target, std::string_view text) {
    if (Result<void> checked = Check(text); !checked)
        return checked;
    field<M>(target) = target.config->secrets->put(SecretStore::action_group(target.group), text);
    return {};
}
template <auto M, Result<void> (*Check)(std::string_view)>
Result<void> set_secret(const KeyTarget& target, std::string_view text) {
    if (Result<void> checked = Check(text); !checked)
        return checked;
    field<M>(target) = target.config->secrets->put(group_of<M>(target), text);
    return {};
}
template <auto M> std::string_view get_secret(const KeySource& source, std::string&) {
    return field<M>(source).view();
}

}  // namespace healthcheckd
