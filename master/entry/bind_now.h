// Has the dynamic linker bind all functions of all libraries at the start. Master.
#pragma once

namespace healthcheckd::master {

// Executes this program again, with LD_BIND_NOW (ld.so(8)), unless that was set already, and removes the variable, which
// commands must not inherit. A library binds a function at its first call otherwise: every worker would do that again,
// in up to five pages of its own, and the linker saves the processor's registers on the stack meanwhile, with whatever
// text they hold. If it fails, only that is lost.
void bind_now(char** argv);

}  // namespace healthcheckd::master
