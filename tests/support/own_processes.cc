// SPDX-License-Identifier: MIT

// Linked into every test program. The programs that a test starts are what it tests. They must not take themselves for
// tests of the ctest that runs this program, nor for parts of a `flaky run` above it.

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace {

std::string ThisProcess() {
  std::ifstream file("/proc/self/stat", std::ios::binary);
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  std::istringstream fields(stat.substr(stat.rfind(')') + 1));
  std::string start;
  for (int field = 3; field <= 22; ++field) fields >> start;
  return std::to_string(::getpid()) + '-' + start;
}

[[maybe_unused]] const bool own_processes = [] {
  ::setenv("FLAKY_RUN_PROCESS", ThisProcess().c_str(), 1);
  ::unsetenv("FLAKY_RUN_CONFIG");
  ::unsetenv("FLAKY_RUN_TIMEOUT");
  return true;
}();

}  // namespace
