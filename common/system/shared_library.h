// A shared library that is loaded when it is first needed. Every process.
#pragma once

#include <string>

namespace healthcheckd {

class SharedLibrary {
public:
    // Loads the library `name` ("libcurl.so.4") and all that it needs, which takes some milliseconds and opens files:
    // call before confinement. It stays loaded until the process ends. Throws std::runtime_error with the reason of
    // dlopen(3).
    explicit SharedLibrary(const char* name);

    // Sets `function` to the function `name` of the library. Throws std::runtime_error when it has none.
    template <class Function> void find(Function*& function, const char* name) const {
        function = reinterpret_cast<Function*>(address(name));
    }

private:
    void* address(const char* name) const;

    std::string name_;
    void* handle_;
};

}  // namespace healthcheckd
