#ifndef FLAKY_STORES_MEMORY_MEMORY_STORE_H_
#define FLAKY_STORES_MEMORY_MEMORY_STORE_H_

#include <memory>
#include <string>

#include "stores/store.h"

namespace flaky {

// A history in memory: for tests, and for programs that embed the analysis. Shared by the stores opened on it, also
// from several threads; it lives as long as the last of them.
class MemoryHistory;
std::shared_ptr<MemoryHistory> MakeMemoryHistory();

// `name` is what the store's errors and progress call it.
std::unique_ptr<Store> OpenMemory(std::shared_ptr<MemoryHistory> history, OpenMode mode, std::string name = "memory:");

}  // namespace flaky

#endif  // FLAKY_STORES_MEMORY_MEMORY_STORE_H_
