#ifndef FLAKY_RECORDER_ARGUMENTS_H_
#define FLAKY_RECORDER_ARGUMENTS_H_

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string_view>

// The command line, with what GoogleTest takes out of `argv`.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

// Where the kernel laid the arguments down, one behind the other, each followed by NUL. Empty where that is not known.
inline std::string_view arguments_in_place;

// For a constructor of the program or library, which the GNU C library gives the arguments of `main`, before anybody
// can have changed the array.
inline void NoteArguments(int count, const char* const* arguments) {
  if (count <= 0 || arguments == nullptr || arguments[0] == nullptr) return;
  const char* end = arguments[0];
  for (int at = 0; at < count; ++at) {
    if (arguments[at] != end) return;
    end += std::strlen(end) + 1;
  }
  arguments_in_place = {arguments[0], static_cast<std::size_t>(end - arguments[0])};
}

// The arguments, each followed by NUL; where they had to be asked for, at most 16 KiB of them. For one thread.
inline std::string_view CommandLine() {
  if (!arguments_in_place.empty()) return arguments_in_place;
  // The first look at a process's own folder in /proc makes the kernel create it: dearer than all other facts together.
  static char text[16384];
  std::size_t size = 0;
  const int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  while (size < sizeof text) {
    const ssize_t got = read(fd, text + size, sizeof text - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  close(fd);
  return {text, size};
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_ARGUMENTS_H_
