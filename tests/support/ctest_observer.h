// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_SUPPORT_CTEST_OBSERVER_H_
#define FLAKY_TESTS_SUPPORT_CTEST_OBSERVER_H_

#include <sys/types.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

namespace flaky {

// Returns true if the process that delivers after this ctest is watching it. On a busy machine it may start late, and
// what happened before is unknown.
inline bool IsObserved(pid_t ctest) {
  namespace fs = std::filesystem;
  const std::string named = std::string("--after-ctest") + '\0' + std::to_string(ctest) + '-';
  std::error_code error;
  for (auto process = fs::directory_iterator("/proc", error); !error && process != fs::directory_iterator();
       process.increment(error)) {
    std::ifstream file(process->path() / "cmdline");
    const std::string command{std::istreambuf_iterator<char>(file), {}};
    if (command.find(named) == std::string::npos) continue;
    std::error_code gone;
    for (auto fd = fs::directory_iterator(process->path() / "fd", gone); !gone && fd != fs::directory_iterator();
         fd.increment(gone)) {
      std::error_code closed;
      if (fs::read_symlink(fd->path(), closed).string().find("pidfd") != std::string::npos) return true;
    }
  }
  return false;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_CTEST_OBSERVER_H_
