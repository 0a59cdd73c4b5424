// A file mapped into memory, shared with whoever maps it too. Every process.
#pragma once

#include <cstddef>
#include <span>

namespace healthcheckd {

class MappedFile {
public:
    // Maps the first `size` bytes of `fd` for reading and writing. Forked children do not inherit the mapping, and no
    // core dump contains it. Throws std::bad_alloc when that fails.
    MappedFile(int fd, std::size_t size);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<char> bytes() const { return {begin_, size_}; }

private:
    char* begin_;
    std::size_t size_;
};

}  // namespace healthcheckd
