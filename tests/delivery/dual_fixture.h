// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_DELIVERY_DUAL_FIXTURE_H_
#define FLAKY_TESTS_DELIVERY_DUAL_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "delivery/delivery_pause.h"
#include "spool/dual_queue.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/contents.h"
#include "tests/support/journal_text.h"

namespace flaky {

namespace fs = std::filesystem;

// What tests of dual writes have in common: a spool and two files, each a store.
class DualTest : public ProgramTest {
 protected:
  DualTest() {
    Unset("FLAKY_TESTS_PROJECT");
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    Set("FLAKY_TESTS_DB", Path("first.db"));
    SwitchOn();
  }
  void SwitchOn(const std::string& file = "second.db") { Set("FLAKY_TESTS_DUAL_DB", Path(file)); }
  void SwitchOff() { Unset("FLAKY_TESTS_DUAL_DB"); }

  fs::path spool() const { return Path("spool"); }

  // Records a separate run, or a part of `run_id`.
  void Record(uint64_t number, const std::string& project = "p", const std::string& run_id = "") {
    HeaderText header = DeadHeader(number).SetText("project", project);
    if (!run_id.empty()) header = header.SetText("run_id", run_id);
    PutJournal(spool(), number,
               header.Line() + "[\"S.T" + std::to_string(number) +
                   "\",1,1000,{\"at_us\":5,\"message\":\"m\"},\"failed\",1]\n" + kFailedEnd);
  }

  RunDigests Of(const std::string& file) const {
    if (!fs::exists(Path(file))) return {};
    return ContentsOf(*OpenStore(ParseLocation("sqlite:" + Path(file)), OpenMode::kRead));
  }
  void ExpectEqual(size_t runs) const {
    EXPECT_EQ(Of("first.db").size(), runs);
    EXPECT_EQ(Of("second.db"), Of("first.db"));
    EXPECT_THAT(ListWaiting(spool()), testing::IsEmpty());
  }
  static nlohmann::json StatusNow() { return nlohmann::json::parse(Run({"dual", "status", "--json"}).out); }

  // As if the trouble had been a while ago.
  void LetAMinutePass() const {
    if (fs::exists(spool() / "dual/unreachable")) {
      fs::last_write_time(spool() / "dual/unreachable", fs::file_time_type::clock::now() - 2 * kDeliveryPause);
    }
  }

  // A second store that cannot be used: its folder is missing.
  void TakeAway() { Set("FLAKY_TESTS_DUAL_DB", Path("away/second.db")); }
  // Two records that wait for it, each in a file.
  std::vector<WaitingFile> TwoThatWait() {
    TakeAway();
    for (uint64_t i = 1; i <= 2; ++i) {
      Record(i);
      Run({"deliver", "--quiet"});
    }
    auto files = ListWaiting(spool());
    EXPECT_EQ(files.size(), 2u);
    return files;
  }
};

}  // namespace flaky

#endif  // FLAKY_TESTS_DELIVERY_DUAL_FIXTURE_H_
