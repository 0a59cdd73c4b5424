#include "master/entry/library_pages.h"

#include "common/system/pages.h"

#include <cstddef>
#include <cstdint>
#include <link.h>
#include <sys/mman.h>

namespace healthcheckd::master {

namespace {

// Segments that are or were writable contain relocations and must stay.
int release(dl_phdr_info* object, std::size_t, void*) {
    const std::uintptr_t page = page_size();
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0)
            continue;
        const std::uintptr_t begin = (object->dlpi_addr + segment.p_vaddr) / page * page;
        const std::uintptr_t end = (object->dlpi_addr + segment.p_vaddr + segment.p_memsz) / page * page;
        if (end > begin)
            (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
    }
    return 0;
}

}  // namespace

void release_library_pages() {
    ::dl_iterate_phdr(release, nullptr);
}

}  // namespace healthcheckd::master
