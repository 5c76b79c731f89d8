// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_PART_BUILDER_H_
#define FLAKY_SPOOL_PART_BUILDER_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "history/early_end.h"
#include "history/part_tests.h"
#include "history/run.h"
#include "spool/journal.h"
#include "spool/test_lists.h"

namespace flaky {

// Turns the journals of one part into a part, its failures and its roster.
class PartBuilder {
 public:
  // `root`: of the repository; empty outside of a repository. Source files under it are named relative to it.
  // `lists`: of the spool; may be null.
  PartBuilder(const std::string& part_id, const std::filesystem::path& root, TestLists* lists);

  // Adds all journals of the part. Called once. Precondition: there is at least one.
  void Add(const std::vector<const Journal*>& journals);

  // Returns a record with the part, its failures and its roster. The caller fills in the run.
  RunRecord Finish() &&;

 private:
  // All attempts at one test of one program within the part.
  struct TestTally {
    TestCounts counts;
    int64_t attempts = 0;
    int64_t duration_us = 0;  // of all executions that were `measured`
    int64_t measured = 0;
    int64_t skipped_us = 0;  // the same of skips
    int64_t skips_measured = 0;
    bool failed = false;
    bool passed = false;
  };

  void AddResult(const Journal& journal, size_t index);
  // Adds the failures outside of tests: those of set-ups and tear-downs, and an end that GoogleTest did not see.
  void AddBetween(const Journal& journal);
  // Adds a failure that GoogleTest reported. `failure` holds what all failures of its test have in common.
  void AddReported(Failure failure, const JournalFailure& reported, const Journal& journal,
                   std::optional<int64_t> line_of_test);
  // Adds the failure of a process that died. `verb` is used if it is not known how it ended.
  void AddDeath(Failure failure, const Journal& journal, const std::string& verb, const std::string& where);
  // Adds the end of a process that does not count as a failure. `test`: that was running; empty: none.
  void AddEarlyEnd(const Journal& journal, const std::string& test);
  void AddFailure(Failure failure, std::string_view kind, std::string message);
  void SetAccount(const std::vector<const Journal*>& journals);
  // Returns the name of a source file in the history.
  const std::string& NameOf(const std::string& file);

  std::filesystem::path root_;
  TestLists* lists_;
  RegisteredTests registered_;
  Part part_;
  std::vector<Failure> failures_;
  std::string program_;                                              // of the failure that is being added
  std::map<std::string, std::string> program_names_;                 // by their paths
  std::unordered_map<std::string, std::string> names_;               // results of NameOf
  std::map<std::string, std::map<std::string, TestTally>> tallies_;  // by the names of the program and of the test
  std::vector<EarlyEnd> early_ends_;
  std::string rank_;  // "rank 1 of 4"; empty: not of an MPI program
  int64_t errors_ = 0;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_PART_BUILDER_H_
