// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_SUPPORT_WALK_PAGES_H_
#define FLAKY_TESTS_SUPPORT_WALK_PAGES_H_

#include <gtest/gtest.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "stores/store.h"

// Reading all pages of a history.
namespace flaky {

// A walk that does not end is a failure of the store, not of the test's time limit.
inline constexpr size_t kMostPages = 10'000;

// Calls `visit(Page&&)` for each page, from the one that `request` describes. `read(request)` returns a page.
template <typename Read, typename Visit>
void WalkPages(Read&& read, PageRequest request, Visit&& visit) {
  for (size_t pages = 0; pages < kMostPages; ++pages) {
    Page page = read(std::as_const(request));
    EXPECT_LE(page.records.size(), request.max_records);
    const std::optional<RunKey> next = page.next;
    const bool is_empty = page.records.empty();
    visit(std::move(page));
    if (!next) return;
    EXPECT_FALSE(is_empty) << "an empty page that promises more";
    if (is_empty) return;
    request.after = next;
  }
  ADD_FAILURE() << "more than " << kMostPages << " pages";
}

// Returns all records, in the order of the pages.
inline std::vector<RunRecord> ReadAll(Store& store, const PageRequest& request = {}) {
  std::vector<RunRecord> all;
  WalkPages([&](const PageRequest& page) { return store.Read(page); }, request,
            [&](Page&& page) {
              for (RunRecord& record : page.records) all.push_back(std::move(record));
            });
  return all;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_SUPPORT_WALK_PAGES_H_
