// SPDX-License-Identifier: MIT

// The second store of a dual write, as the program's user sees it: what is delivered to the first reaches it as well,
// whatever happens, and never at the first one's expense.

#include <SQLiteCpp/SQLiteCpp.h>

#include "settings/store_identity.h"
#include "tests/delivery/dual_fixture.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(DualTest, EveryDeliveryGoesToBoth) {
  for (uint64_t i = 1; i <= 3; ++i) Record(i);
  for (uint64_t i = 4; i <= 6; ++i) Record(i, "p", "shared");
  const Outcome outcome = Run({"deliver"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("delivered 4 runs (6 parts)"), HasSubstr("4 runs to the second store")));
  ExpectEqual(4);
  Record(7, "p", "shared");
  EXPECT_EQ(Run({"runs", "--all"}).err, "") << "a reading command delivers, too";
  ExpectEqual(4);
  Record(8);
  EXPECT_EQ(Run({"deliver", "--quiet"}).err, "");
  ExpectEqual(5);
  const Outcome verify = Run({"dual", "verify"});
  EXPECT_EQ(verify.code, 0) << verify.out;
  EXPECT_EQ(Run({"dual", "status"}).code, 0);
}

TEST_F(DualTest, IsOffWithoutASetting) {
  SwitchOff();
  Record(1);
  EXPECT_EQ(Run({"deliver"}).code, 0);
  EXPECT_FALSE(fs::exists(spool() / "dual"));
  EXPECT_EQ(StatusNow().at("on"), false);
  EXPECT_THAT(Run({"dual", "backfill"}).err, HasSubstr("dual backfill: no second store is configured"));
  EXPECT_EQ(Run({"dual", "verify"}).code, 2);
  // A secret that is always there switches nothing on.
  Set("FLAKY_TESTS_DUAL_AUTH_TOKEN", "hunter2");
  EXPECT_EQ(StatusNow().at("on"), false);
}

TEST_F(DualTest, ASecondStoreThatIsAwayCostsAWarningAndGetsAllLater) {
  TakeAway();
  Record(1);
  const Outcome away = Run({"deliver", "--quiet"});
  EXPECT_EQ(away.code, 0);
  EXPECT_THAT(away.err, AllOf(HasSubstr("dual write"), HasSubstr("away/second.db")));
  EXPECT_THAT(Lines(away.err), SizeIs(1));
  EXPECT_EQ(Of("first.db").size(), 1u);

  Record(2);
  EXPECT_EQ(Run({"deliver", "--quiet"}).err, "") << "said once a minute";
  const Outcome status = Run({"dual", "status"});
  EXPECT_EQ(status.code, 1);
  EXPECT_THAT(status.out, AllOf(HasSubstr("dual write  on"), HasSubstr("waiting     2 runs, since"),
                                HasSubstr("last error  dual write")));
  const json told = StatusNow();
  EXPECT_EQ(told.at("waiting"), 2);
  EXPECT_THAT(told.at("last_error").get<std::string>(), HasSubstr("away/second.db"));
  EXPECT_EQ(Run({"dual", "verify"}).code, 10);

  LetAMinutePass();
  EXPECT_THAT(Run({"runs"}).err, HasSubstr("dual write")) << "asked again";
  SwitchOn();
  Record(3);
  EXPECT_EQ(Run({"deliver", "--quiet"}).err, "");
  ExpectEqual(3);
  EXPECT_EQ(StatusNow().at("last_error"), nullptr);
}

TEST_F(DualTest, WhatWaitsOutlastsThatItIsSwitchedOff) {
  TakeAway();
  Record(1);
  Run({"deliver", "--quiet"});
  SwitchOff();
  Record(2);
  EXPECT_EQ(Run({"deliver"}).err, "");
  const Outcome status = Run({"dual", "status"});
  EXPECT_EQ(status.code, 1);
  EXPECT_THAT(status.out, AllOf(HasSubstr("dual write  off"), HasSubstr("1 run, since"),
                                HasSubstr("they will be sent to the next second store that is configured")));
  SwitchOn();
  EXPECT_EQ(Run({"deliver"}).code, 0);
  EXPECT_THAT(Of("second.db"), SizeIs(1)) << "what was delivered while it was off is the backfill's";
  const Outcome verify = Run({"dual", "verify"});
  EXPECT_EQ(verify.code, 5);
  EXPECT_EQ(Run({"dual", "backfill"}).code, 0);
  ExpectEqual(2);
  EXPECT_EQ(Run({"dual", "verify"}).code, 0);
}

TEST_F(DualTest, WhileTheFirstIsAwayEverythingWaits) {
  Set("FLAKY_TESTS_DB", Path("away/first.db"));
  Record(1);
  EXPECT_EQ(Run({"deliver", "--quiet"}).code, 10);
  EXPECT_THAT(Of("second.db"), IsEmpty()) << "the second store follows the first";
  Set("FLAKY_TESTS_DB", Path("first.db"));
  EXPECT_EQ(Run({"deliver"}).code, 0);
  ExpectEqual(1);
}

// And what the first got earlier does not wait for it.
TEST_F(DualTest, WhatTheFirstHasGoesToTheSecondAlthoughTheFirstIsAwayNow) {
  TakeAway();
  Record(1);
  Run({"deliver", "--quiet"});
  SwitchOn();
  fs::rename(Path("first.db"), Path("first.kept"));
  fs::create_directory(Path("first.db"));
  Record(2);
  EXPECT_NE(Run({"deliver"}).code, 0);
  EXPECT_THAT(Of("second.db"), SizeIs(1));
  fs::remove(Path("first.db"));
  fs::rename(Path("first.kept"), Path("first.db"));
  EXPECT_EQ(Run({"deliver"}).code, 0);
  ExpectEqual(2);
}

TEST_F(DualTest, TheSameStoreTwiceIsRefusedAndTheFirstGoesOn) {
  SwitchOn("first.db");
  Record(1);
  const Outcome outcome = Run({"deliver", "--quiet"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("both stores are"), HasSubstr("FLAKY_TESTS_DUAL_*")));
  EXPECT_THAT(Lines(outcome.err), SizeIs(1));
  EXPECT_THAT(Of("first.db"), SizeIs(1));
  EXPECT_THAT(ListWaiting(spool()), IsEmpty()) << "it has everything";
  const Outcome status = Run({"dual", "status"});
  EXPECT_EQ(status.code, 2);
  EXPECT_THAT(status.err, HasSubstr("both stores are"));
}

TEST_F(DualTest, SettingsThatCannotBeUsedNeverStopTheFirst) {
  SwitchOff();
  Set("FLAKY_TESTS_DUAL_STORE", "postgrse");
  Record(1);
  const Outcome outcome = Run({"deliver", "--quiet"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("FLAKY_TESTS_DUAL_STORE (in the environment): invalid value; expected sqlite"));
  EXPECT_THAT(Of("first.db"), SizeIs(1));
  Unset("FLAKY_TESTS_DUAL_STORE");
  SwitchOn();
  EXPECT_EQ(Run({"deliver"}).code, 0);
  ExpectEqual(1);
}

// The two are exchanged while records wait: the new first store gets them.
TEST_F(DualTest, ExchangingTheStoresLosesNothingThatWaits) {
  TakeAway();
  Record(1);
  Record(2, "p", "shared");
  Run({"deliver", "--quiet"});
  Set("FLAKY_TESTS_DB", Path("second.db"));
  SwitchOn("first.db");
  Record(3, "p", "shared");
  EXPECT_EQ(Run({"deliver"}).code, 0);
  ExpectEqual(2);
}

TEST_F(DualTest, ASecondStoreThatIsNewerIsLeftAlone) {
  Record(1);
  ASSERT_EQ(Run({"deliver"}).code, 0);
  SQLite::Database(Path("second.db"), SQLite::OPEN_READWRITE)
      .exec(
          "INSERT INTO flaky_test_schema SELECT version + 1000, name, checksum, applied_at FROM flaky_test_schema "
          "ORDER BY version DESC LIMIT 1");
  Record(2);
  const Outcome outcome = Run({"deliver", "--quiet"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("newer"));
  EXPECT_THAT(Of("first.db"), SizeIs(2));
  EXPECT_EQ(StatusNow().at("waiting"), 1);
  SQLite::Database(Path("second.db"), SQLite::OPEN_READWRITE)
      .exec("DELETE FROM flaky_test_schema WHERE version >= 1000");
  EXPECT_EQ(Run({"deliver"}).code, 0);
  ExpectEqual(2);
}

TEST_F(DualTest, AConflictInTheSecondStoreIsReportedAndTheFirstStoresRunIsKept) {
  SwitchOff();
  Set("FLAKY_TESTS_DB", Path("second.db"));
  PutJournal(spool(), 1,
             DeadHeader(1).SetText("project", "p").Line() + "[\"S.Other\",1,9,\"passed\",1]\n" + kPassedEnd);
  ASSERT_EQ(Run({"deliver"}).code, 0);
  Set("FLAKY_TESTS_DB", Path("first.db"));
  SwitchOn();
  Record(1);
  Record(2);
  const Outcome outcome = Run({"deliver"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("keeps another run"), HasSubstr("--on-conflict replace")));
  EXPECT_THAT(ListWaiting(spool()), IsEmpty());
  EXPECT_EQ(Run({"dual", "verify"}).code, 5);
  EXPECT_EQ(Run({"dual", "backfill", "--on-conflict", "replace"}).code, 0);
  ExpectEqual(2);
}

TEST_F(DualTest, DamagedFilesAreMovedAside) {
  const auto files = TwoThatWait();
  ASSERT_THAT(files, SizeIs(2));
  const fs::path damaged = spool() / "dual" / files[0].name;
  fs::resize_file(damaged, fs::file_size(damaged) / 2);
  WriteFile("spool/dual/nothing of ours", "hello");
  SwitchOn();
  const Outcome outcome = Run({"deliver"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("rejected/" + files[0].name), HasSubstr("flaky dual backfill")));
  EXPECT_TRUE(fs::exists(spool() / "rejected" / (files[0].name + ".reason")));
  EXPECT_THAT(Of("second.db"), SizeIs(1));
  EXPECT_EQ(Run({"dual", "backfill"}).code, 0);
  ExpectEqual(2);
}

// Another flaky on the same machine may have written it. The files after it wait too, so the order is kept.
TEST_F(DualTest, AFileOfALaterFormatWaitsForALaterProgram) {
  const auto files = TwoThatWait();
  ASSERT_THAT(files, SizeIs(2));
  const std::string file = "spool/dual/" + files[0].name, text = Content(Path(file));
  const size_t version = text.find("\"2.0\"");
  ASSERT_NE(version, std::string::npos);
  WriteFile(file, std::string(text).replace(version, 5, "\"9.0\""));
  SwitchOn();
  const Outcome outcome = Run({"deliver"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("dual write"), HasSubstr(files[0].name)));
  EXPECT_THAT(Of("second.db"), IsEmpty());
  EXPECT_EQ(StatusNow().at("unreadable"), 1);
  EXPECT_THAT(ListWaiting(spool()), SizeIs(2));
  WriteFile(file, text);
  EXPECT_EQ(Run({"deliver"}).err, "");
  ExpectEqual(2);
}

// Without the write to the first store being repeated.
TEST_F(DualTest, WhatTheFirstHasIsNotSentToItAgain) {
  TakeAway();
  Record(1);
  Run({"deliver", "--quiet"});
  const auto files = ListWaiting(spool());
  ASSERT_THAT(files, SizeIs(1));
  EXPECT_EQ(files[0].holder, StoreFingerprint(StoreIdentity(ParseLocation("sqlite:" + Path("first.db")))));
  SwitchOn();
  fs::remove(Path("first.db"));
  EXPECT_EQ(Run({"deliver"}).code, 0);
  EXPECT_FALSE(fs::exists(Path("first.db")));
  EXPECT_THAT(Of("second.db"), SizeIs(1));
}

// Killed between the write to the first store and the note for the second, and then the surroundings changed: both
// stores say the same all the same.
TEST_F(DualTest, TheSecondGetsWhatTheFirstHolds) {
  SwitchOff();
  Record(1, "a");
  ASSERT_EQ(Run({"deliver"}).code, 0);
  SwitchOn();
  Record(1, "b");
  ASSERT_EQ(Run({"deliver"}).code, 0);
  ExpectEqual(1);
}

TEST_F(DualTest, WhileAnotherProcessSendsTheFirstIsNotHeldUp) {
  TakeAway();
  for (uint64_t i = 1; i <= 20; ++i) Record(i);
  Run({"deliver", "--quiet"});
  SwitchOn();
  const auto lock = SendLock::Take(spool());
  ASSERT_TRUE(lock);
  Record(21);
  const Outcome outcome = Run({"deliver"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(Of("first.db"), SizeIs(21));
  EXPECT_THAT(Of("second.db"), IsEmpty());
}

TEST_F(DualTest, AFailureToSaveRecordsIsReportedBriefly) {
  fs::create_directories(spool());
  WriteFile("spool/dual", "in the way");
  Record(1);
  const Outcome outcome = Run({"deliver"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("delivered, but kept in"));
  EXPECT_THAT(Of("first.db"), SizeIs(1)) << "the first store has it all the same";
  fs::remove(spool() / "dual");
  EXPECT_EQ(Run({"deliver"}).code, 0);
  ExpectEqual(1);
}

}  // namespace
}  // namespace flaky
