// Keeps the memory that forked children write to within few pages. Nursery.
//
// A child gets a copy of every page that it writes to. Reading a configuration and compiling filters leaves
// holes all over the heap, and malloc(3) in a child would write to dozens of pages for a few strings. With
// the holes filled, it allocates at the end of the heap, within few pages.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace healthcheckd::master {

class HeapPlug {
public:
    // Fills the present holes of the heap until clear(). Takes no additional memory: the pages exist already. With an
    // allocator other than glibc's, allocates a few megabytes at most.
    void fill();
    // Frees the holes. What is allocated while they are filled makes the heap larger, and has holes of its own.
    void clear();

private:
    struct Free {
        void operator()(void* memory) const;
    };

    // The allocations that fill the holes.
    std::vector<std::unique_ptr<void, Free>> plugs_;
    std::size_t bytes_ = 0;  // of plugs_
};

}  // namespace healthcheckd::master
