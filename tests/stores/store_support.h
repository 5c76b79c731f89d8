#ifndef FLAKY_TESTS_STORES_STORE_SUPPORT_H_
#define FLAKY_TESTS_STORES_STORE_SUPPORT_H_

#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "history/digest.h"
#include "stores/store.h"

// What tests of any store need.
namespace flaky {

inline std::vector<RunRecord> ReadAll(Store& store) {
  std::vector<RunRecord> all;
  PageRequest request;
  for (;;) {
    Page page = store.Read(request);
    for (RunRecord& record : page.records) all.push_back(std::move(record));
    if (!page.next) return all;
    request.after = page.next;
  }
}

inline Digest SumOf(const std::vector<RunRecord>& records) {
  Digest sum;
  for (const RunRecord& record : records) sum += DigestOf(record);
  return sum;
}

// The error that the call throws; absent, with a failed test, when it throws none.
inline std::optional<StoreError> ErrorOf(const std::function<void()>& call) {
  try {
    call();
  } catch (const StoreError& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return std::nullopt;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_STORE_SUPPORT_H_
