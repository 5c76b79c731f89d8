// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_SPOOL_SPOOL_FIXTURE_H_
#define FLAKY_TESTS_SPOOL_SPOOL_FIXTURE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "spool/record_of.h"
#include "spool/spool.h"
#include "spool/spool_source.h"
#include "tests/support/journal_text.h"
#include "tests/support/temp_folder.h"

namespace flaky {

namespace fs = std::filesystem;

inline const std::string kOneTest = R"(["S.A",1,1000,"passed",1])"
                                    "\n";

inline std::string OwnStart() {
  std::string line;
  std::getline(std::ifstream("/proc/self/stat"), line);
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  std::string start;
  for (int field = 3; field <= 22; ++field) fields >> start;
  return start;
}

inline HeaderText LiveHeader(uint64_t number) {
  return DeadHeader(number).Set("pid", std::to_string(getpid())).Set("pid_seen", OwnStart());
}

inline HeaderText UnderCtest(uint64_t number, bool alive) {
  return DeadHeader(number)
      .SetText("parent_name", "ctest")
      .Set("parent_pid", alive ? std::to_string(getpid()) : "99999998")
      .Set("parent_start", OwnStart());
}

class SpoolTest : public ::testing::Test {
 protected:
  fs::path spool() const { return folder_.path() / "spool"; }
  fs::path FileOf(uint64_t number) const { return spool() / (TestId(number) + ".jsonl"); }

  // Returns all files in the spool, relative to it, except for the lock.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(spool())) {
      const std::string name = entry.path().lexically_relative(spool()).string();
      if (entry.symlink_status().type() != fs::file_type::directory && name != ".lock") files.push_back(name);
    }
    std::ranges::sort(files);
    return files;
  }

  struct Taken {
    std::vector<RunRecord> records;
    SpoolReport report;
  };
  // Reads everything that is ready. `then` is called for each record.
  Taken TakeAll(const std::function<void(SpoolSource&, const RunRecord&)>& then = {},
                const std::string& complete = "") {
    auto lock = SpoolLock::Take(spool(), std::chrono::milliseconds(0));
    EXPECT_TRUE(lock);
    SpoolSource source(
        *lock, [](const Journal&) { return RunContext(); }, complete);
    Taken taken;
    while (auto batch = source.Next({})) {
      for (RunRecord& record : batch->records) {
        if (then) then(source, record);
        taken.records.push_back(std::move(record));
      }
    }
    taken.report = source.report();
    return taken;
  }
  static void Deliver(SpoolSource& source, const RunRecord& record) { source.Delivered(record.run.run_id); }

  TempFolder folder_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_SPOOL_SPOOL_FIXTURE_H_
