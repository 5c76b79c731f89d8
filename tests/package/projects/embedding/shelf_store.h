#ifndef SHELF_STORE_H_
#define SHELF_STORE_H_

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "stores/driver.h"
#include "stores/schemes.h"
#include "stores/store.h"

struct ShelfRecord {
  flaky::RunRecord record;
  std::vector<int64_t> failure_ids;  // of record.failures, in their order
};

// The data of a minimal store in memory. Several stores may be open on the same shelf at once.
struct Shelf {
  std::mutex mutex;
  std::map<std::pair<flaky::Timestamp, std::string>, ShelfRecord> records;  // in the order of pages
  int64_t last_failure_id = 0;
  flaky::CopyClaim claim;
  std::chrono::steady_clock::time_point claim_lapses;
};

std::unique_ptr<flaky::Store> OpenShelf(std::shared_ptr<Shelf> shelf, flaky::OpenMode mode);

// For RegisterStore (stores/open.h): `shelf:NAME` is one of the shelves of this process.
extern const flaky::SchemeInfo kShelfScheme;
extern const flaky::Driver kShelfDriver;

#endif  // SHELF_STORE_H_
