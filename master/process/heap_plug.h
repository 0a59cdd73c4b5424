// Keeps what forked children write in few pages of memory. Master.
//
// A child gets a copy of every page that it writes to. Reading a configuration and making filters leaves
// holes all over the heap, and malloc(3) in a child would take memory from dozens of pages for a handful of
// strings. With the holes filled it takes fresh memory at the heap's end, where everything is close together.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace healthcheckd::master {

class HeapPlug {
public:
    // Fills the holes that the heap has now, until the next call or the end of the plug. It costs no memory:
    // the pages are there already. Without glibc's heap it does nothing worse than to allocate a few
    // megabytes at most.
    void fill();

private:
    struct Free {
        void operator()(void* memory) const;
    };

    std::vector<std::unique_ptr<void, Free>> plugs_;
    std::size_t bytes_ = 0;  // of all plugs
};

}  // namespace healthcheckd::master
