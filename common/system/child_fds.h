// The numbers of the descriptors that a child gets from its parent. Every process.
#pragma once

namespace healthcheckd {

inline constexpr int kControlFd = 3;     // socket that preserves message boundaries; the master's lines
inline constexpr int kReportFd = 4;      // pipe; the child's lines
inline constexpr int kFirstExtraFd = 5;  // descriptors that only some children get

}  // namespace healthcheckd
