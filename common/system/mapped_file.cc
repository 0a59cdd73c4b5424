#include "common/system/mapped_file.h"

#include <new>
#include <sys/mman.h>

namespace healthcheckd {

MappedFile::MappedFile(int fd, std::size_t size) : begin_(nullptr), size_(size) {
    void* begin = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (begin == MAP_FAILED)
        throw std::bad_alloc();
    if (::madvise(begin, size, MADV_DONTFORK) != 0 || ::madvise(begin, size, MADV_DONTDUMP) != 0) {
        ::munmap(begin, size);
        throw std::bad_alloc();
    }
    begin_ = static_cast<char*>(begin);
}

MappedFile::~MappedFile() {
    ::munmap(begin_, size_);
}

}  // namespace healthcheckd
