// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "tests/cli/program_fixture.h"
#include "tests/servers/postgres_server.h"
#include "tests/support/journal_text.h"

// What the commands do if the history is on a hot standby.
namespace flaky {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class StandbyTest : public ProgramTest {
 protected:
  StandbyTest() {
    Set("FLAKY_TESTS_STORE", "postgres");
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
    std::filesystem::create_directories(Path("spool"));
    Use(primary_.Uri());
    const RunRecord record = BuildRecord("kept").Project("demo").Ended(At(9)).Build();
    OpenStore(ParseLocation("postgres:" + primary_.Uri()), OpenMode::kWrite)->Write({&record, 1});
    standby_ = PostgresServer::StandbyOf(primary_);
    standby_->CatchUpWith(primary_);
  }
  void Use(const std::string& uri) { Set("FLAKY_TESTS_CONNECTION_STRING", uri); }
  void Record(uint64_t number) const {
    PutJournal(Path("spool"), number,
               DeadHeader(number).SetText("project", "demo").Line() + "[\"S.T\",1,1000,\"passed\",1]\n" + kPassedEnd);
  }

  const PostgresServer primary_;
  std::unique_ptr<PostgresServer> standby_;
};

TEST_F(StandbyTest, IsReadWithOneWarningAndNothingIsDeliveredThere) {
  Record(1);
  Use(standby_->Uri());
  const std::vector<std::vector<std::string>> commands = {{"runs"}, {"show", "kept"}, {"trend", "--at", "2026-01-02"}};
  for (const std::vector<std::string>& command : commands) {
    const Outcome outcome = Run(command);
    EXPECT_EQ(outcome.code, 0) << command[0];
    EXPECT_THAT(Lines(outcome.err), SizeIs(1)) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("this server is a standby, so the newest runs may be missing"));
  }
  EXPECT_THAT(Run({"runs"}).out, HasSubstr("kept"));
  EXPECT_THAT(InSpool(), SizeIs(1)) << "what was recorded waits";

  const Outcome delivery = Run({"deliver"});
  EXPECT_EQ(delivery.code, 10);
  EXPECT_THAT(delivery.err, AllOf(HasSubstr("this server is a standby, which only reads: name the primary"),
                                  HasSubstr("(25006)"), Not(HasSubstr("trying again"))));
  EXPECT_THAT(Lines(delivery.err), SizeIs(1));
  EXPECT_THAT(InSpool(), SizeIs(1));

  Use(primary_.Uri());
  EXPECT_EQ(Run({"deliver"}).code, 0);
  EXPECT_THAT(InSpool(), IsEmpty());
}

TEST_F(StandbyTest, ACopyToItIsRefused) {
  Keep({BuildRecord("other").Build()});
  const Outcome copy = Run({"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to", standby_->Uri()});
  EXPECT_EQ(copy.code, 10);
  EXPECT_THAT(copy.err, HasSubstr("this server is a standby"));
  EXPECT_EQ(Run({"migrate-store", "--from", standby_->Uri(), "--to", "sqlite:" + Path("new.db")}).code, 0);
}

// Of a server's schema, in which there may be tables of other programs.
TEST_F(StandbyTest, ACopyNamesTheUsersOwnColumnsAndTables) {
  PostgresServer::Execute(
      primary_.Uri(),
      "ALTER TABLE flaky_test_failures ADD COLUMN owner TEXT; CREATE TABLE flaky_test_notes (x INT); "
      "CREATE TABLE other_program (x INT)");
  const Outcome copy = Run({"migrate-store", "--from", primary_.Uri(), "--to", "sqlite:" + Path("new.db")});
  EXPECT_EQ(copy.code, 0);
  EXPECT_THAT(copy.err, HasSubstr(": the copy does not take what flaky did not make: the column "
                                  "flaky_test_failures.owner, the table flaky_test_notes\n"));
}

TEST_F(StandbyTest, AfterThePromotionItTakesDeliveries) {
  Record(1);
  Use("postgres://postgres@127.0.0.1:" + std::to_string(standby_->port()) +
      ",127.0.0.1:" + std::to_string(primary_.port()) + "/postgres?target_session_attrs=read-write");
  EXPECT_EQ(Run({"deliver"}).code, 0) << "the primary is the second of the two";
  Record(2);
  standby_->CatchUpWith(primary_);
  standby_->Promote();
  EXPECT_EQ(Run({"deliver"}).code, 0);
  Use(standby_->Uri());
  const Outcome runs = Run({"runs"});
  EXPECT_EQ(runs.err, "");
  EXPECT_THAT(Lines(runs.out), SizeIs(4));
}

}  // namespace
}  // namespace flaky
