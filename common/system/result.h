// A value or the reason why there is none, for run-time errors. Every process.
//
// Exceptions are for start-up only; functions that can fail while healthcheckd runs return a Result.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

namespace healthcheckd {

// An error: what was being done and, if a system call failed, its errno.
struct Error {
    std::string what;
    int code = 0;  // errno, or 0

    // "open /run/x.pid: No such file or directory".
    std::string text() const { return code == 0 ? what : what + ": " + ::strerrordesc_np(code); }
};

// The error of the system call that just failed; `what`: what was being done.
inline Error system_error(std::string what, int code = errno) {
    return Error{std::move(what), code};
}

template <class T> class [[nodiscard]] Result {
public:
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const { return content_.index() == 0; }
    T& operator*() { return std::get<0>(content_); }
    const T& operator*() const { return std::get<0>(content_); }
    T* operator->() { return &std::get<0>(content_); }
    const T* operator->() const { return &std::get<0>(content_); }
    const Error& error() const { return std::get<1>(content_); }

private:
    std::variant<T, Error> content_;
};

template <> class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), ok_(false) {}

    explicit operator bool() const { return ok_; }
    const Error& error() const { return error_; }

private:
    Error error_;
    bool ok_ = true;
};

}  // namespace healthcheckd
