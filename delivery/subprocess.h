// SPDX-License-Identifier: MIT
#ifndef FLAKY_DELIVERY_SUBPROCESS_H_
#define FLAKY_DELIVERY_SUBPROCESS_H_

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace flaky {

struct CommandOutput {
  std::string text;        // what it wrote to stdout, up to the limit
  bool succeeded = false;  // it ended by itself, in time, with status 0
};

// That of this process, as RunCommand takes it.
std::vector<std::string> ThisEnvironment();

// Runs a program, found along PATH, with these arguments (the first is its name) and this environment (`NAME=value`),
// without a shell. Its stdin has `input`, and its stderr is /dev/null. When the deadline comes, or `limit` bytes were
// read, it is killed together with the processes it started. A program that cannot be started has not succeeded.
CommandOutput RunCommand(const std::vector<std::string>& arguments, const std::vector<std::string>& environment,
                         std::chrono::steady_clock::time_point deadline, size_t limit, std::string_view input = {});

}  // namespace flaky

#endif  // FLAKY_DELIVERY_SUBPROCESS_H_
