#ifndef FLAKY_TESTS_STORES_MISTYPED_WALK_H_
#define FLAKY_TESTS_STORES_MISTYPED_WALK_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "history/text.h"
#include "stores/store.h"
#include "tests/support/walk_pages.h"

namespace flaky {

// The records of all pages, in order, and the conversions that the pages report.
struct Walked {
  std::vector<std::string> ids;
  std::map<std::string, RunRecord> records;
  std::map<std::string, std::vector<Conversion>> converted;
};

inline void Add(Walked& walked, Page&& page) {
  std::set<std::string> of_page;
  for (RunRecord& record : page.records) {
    walked.ids.push_back(record.run.run_id);
    of_page.insert(record.run.run_id);
    walked.records[record.run.run_id] = std::move(record);
  }
  for (ConvertedRun& run : page.converted) {
    EXPECT_TRUE(of_page.contains(run.run_id)) << run.run_id << " is not of this page";
    EXPECT_THAT(run.conversions, testing::Not(testing::IsEmpty()));
    for (const Conversion& conversion : run.conversions) {
      EXPECT_TRUE(IsStorable(conversion.example)) << conversion.example;
      EXPECT_LT(conversion.example.size(), 300u);
      for (const char c : conversion.example) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    }
    EXPECT_TRUE(walked.converted.emplace(run.run_id, run.conversions).second);
  }
}

inline Walked Walk(const std::function<Store&()>& store, const PageRequest& request) {
  Walked walked;
  WalkPages([&](const PageRequest& page) { return store().Read(page); }, request,
            [&](Page&& page) { Add(walked, std::move(page)); });
  return walked;
}

}  // namespace flaky

#endif  // FLAKY_TESTS_STORES_MISTYPED_WALK_H_
