// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_ARGUMENTS_H_
#define FLAKY_RECORDER_ARGUMENTS_H_

#include <cstddef>
#include <cstring>
#include <string_view>

#include "system_calls.h"

// The command line, including the flags that GoogleTest removes from `argv`, and what the kernel has put next to it.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// The contiguous argument block set up by the kernel, each argument followed by NUL. Empty if its place is unknown.
inline std::string_view arguments_in_place;

// The environment that the program was started with, or null. The kernel's values for the program follow it.
inline char** first_environment = nullptr;

// Remembers where the arguments are. Called by a constructor of the program or library: the GNU C library passes the
// arguments of `main` to it, before any code can have changed the array.
inline void NoteArguments(int count, char** arguments) {
  if (count <= 0 || arguments == nullptr || arguments[0] == nullptr || arguments[count] != nullptr) return;
  first_environment = arguments + count + 1;
  const char* end = arguments[0];
  for (int at = 0; at < count; ++at) {
    if (arguments[at] != end) return;
    end += std::strlen(end) + 1;
  }
  arguments_in_place = {arguments[0], static_cast<std::size_t>(end - arguments[0])};
}

// Returns the arguments, each followed by NUL; at most 16 KiB of them if they are read from /proc. Not thread-safe.
inline std::string_view CommandLine() {
  if (!arguments_in_place.empty()) return arguments_in_place;
  // A fallback, because it is slow: the first access to a process's folder in /proc makes the kernel create it, which
  // costs more than all other facts together.
  static char text[16384];
  std::size_t size = 0;
  const long fd = sys::Open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  while (size < sizeof text) {
    const long got = sys::Read(static_cast<int>(fd), text + size, sizeof text - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  sys::Close(static_cast<int>(fd));
  return {text, size};
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_ARGUMENTS_H_
