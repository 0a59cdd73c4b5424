#include "common/system/shared_library.h"

#include <dlfcn.h>
#include <stdexcept>

namespace healthcheckd {

// Never unloaded: libraries leave handlers for the end of the process and data of threads.
SharedLibrary::SharedLibrary(const char* name)
    : name_(name), handle_(::dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
    if (handle_ == nullptr)
        throw std::runtime_error(std::string("cannot be loaded: ") + ::dlerror());
}

void* SharedLibrary::address(const char* name) const {
    if (void* found = ::dlsym(handle_, name))
        return found;
    throw std::runtime_error(name_ + " has no function " + name);
}

}  // namespace healthcheckd
