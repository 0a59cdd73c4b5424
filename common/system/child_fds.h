// Where a child finds the descriptors that its parent gives it. Every process.
#pragma once

namespace healthcheckd {

inline constexpr int kControlFd = 3;     // socket that keeps message borders; the master's lines
inline constexpr int kReportFd = 4;      // pipe; the child's lines
inline constexpr int kFirstExtraFd = 5;  // descriptors that only some children get

}  // namespace healthcheckd
