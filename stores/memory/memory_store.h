// SPDX-License-Identifier: MIT
#ifndef FLAKY_STORES_MEMORY_MEMORY_STORE_H_
#define FLAKY_STORES_MEMORY_MEMORY_STORE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "stores/store.h"

namespace flaky {

// A history in memory: for tests, and for programs that embed the analysis. The stores that are opened on it share it,
// also from several threads. It lives as long as the last of them.
class MemoryHistory;

// The clock by which claims lapse.
using MemoryClock = std::function<std::chrono::steady_clock::time_point()>;
std::shared_ptr<MemoryHistory> MakeMemoryHistory(MemoryClock clock = std::chrono::steady_clock::now);

// `name` is what errors and progress call the store.
std::unique_ptr<Store> OpenMemory(std::shared_ptr<MemoryHistory> history, OpenMode mode, std::string name = "memory:");

}  // namespace flaky

#endif  // FLAKY_STORES_MEMORY_MEMORY_STORE_H_
