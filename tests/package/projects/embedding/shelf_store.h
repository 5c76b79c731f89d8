#ifndef SHELF_STORE_H_
#define SHELF_STORE_H_

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "stores/sql/record_update.h"
#include "stores/store.h"

// The data of a minimal store in memory. Several stores may be open on the same shelf at once.
struct Shelf {
  std::mutex mutex;
  std::map<std::pair<flaky::Timestamp, std::string>, flaky::StoredRecord> records;  // in the order of pages
  int64_t last_failure_id = 0;
  flaky::CopyClaim claim;
  std::chrono::steady_clock::time_point claim_lapses;
};

std::unique_ptr<flaky::Store> OpenShelf(std::shared_ptr<Shelf> shelf, flaky::OpenMode mode);

#endif  // SHELF_STORE_H_
