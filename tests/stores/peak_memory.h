// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_STORES_PEAK_MEMORY_H_
#define FLAKY_TESTS_STORES_PEAK_MEMORY_H_

#include <cstddef>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>

namespace flaky {

// Returns by how many bytes the process's resident memory grew, at most, while `work` ran.
inline size_t PeakMemoryOf(const std::function<void()>& work) {
  const auto value = [](const std::string& name) {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with(name + ":")) return std::stoul(line.substr(name.size() + 1)) * 1024;
    }
    throw std::runtime_error("/proc/self/status has no " + name);
  };
  if (!(std::ofstream("/proc/self/clear_refs") << 5).flush()) throw std::runtime_error("the peak cannot be reset");
  const size_t before = value("VmRSS");
  work();
  const size_t peak = value("VmHWM");
  return peak > before ? peak - before : 0;
}

// Instrumented builds need a multiple of the memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryIsMeasured = false;
#else
inline constexpr bool kMemoryIsMeasured = true;
#endif

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_PEAK_MEMORY_H_
