// SPDX-License-Identifier: MIT

// Values that a store cannot hold are converted, verified as they were sent, and reported: by the copy that sends them,
// and by the delivery at the end of a test program.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "history/digest.h"
#include "tests/cli/program_fixture.h"
#include "tests/servers/postgres_server.h"
#include "tests/servers/sqld_server.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

constexpr size_t kTooLarge = 6'000'000;  // more than a row on a libSQL server can hold

class ConversionTest : public ProgramTest {
 protected:
  SqldServer server_;
};

TEST_F(ConversionTest, ACopyReportsWhatItCutAndASecondOneFindsItEqual) {
  Keep({BuildRecord("large").Part("p1", 0, 1).Fail("S.A", std::string(kTooLarge, 'm')).Build(),
        BuildRecord("small").Part("p2", 9, 1).Fail("S.A").Build()});
  const std::vector<std::string> copy = {"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to", server_.url()};
  const Outcome outcome = Run(copy);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\n  converted              1  held values that the target cannot hold\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\n  converted: run large: failures.error_message: cut by "));
  EXPECT_THAT(outcome.out, HasSubstr("\nverified: source and target are equal except for converted values, digest "));

  std::vector<std::string> again = copy;
  again.emplace_back("--json");
  const json summary = json::parse(Run(again).out);
  EXPECT_EQ(summary["unchanged"], 2);
  EXPECT_EQ(summary["verified"], true);
  EXPECT_EQ(summary["converted"], 1);
  ASSERT_THAT(summary["conversions"], SizeIs(1));
  EXPECT_EQ(summary["conversions"][0]["run_id"], "large");
  EXPECT_EQ(summary["conversions"][0]["column"], "failures.error_message");
  const size_t kept = kTooLarge - summary["conversions"][0]["amount"].get<size_t>();
  EXPECT_GT(kept, kTooLarge / 2);

  Set("FLAKY_TESTS_STORE", "turso");
  Set("FLAKY_TESTS_CONNECTION_STRING", server_.url());
  const json run = json::parse(Run({"show", "large", "--json"}).out);
  EXPECT_EQ(run["failures"][0]["error_message"],
            std::string(kept, 'm') + "\n[flaky: " + std::to_string(kTooLarge - kept) + " more bytes were cut]");
}

// The invalid values that an older tool may have left in an SQLite file, copied into every store and back.
TEST_F(ConversionTest, InvalidValuesOfAnOlderToolArriveTheSameInEveryStore) {
  Keep({BuildRecord("odd").Part("p1", 0, 1).Fail("S.A").Fail("S.B").Build(),
        BuildRecord("odder").Part("p2", 5, 1).Fail("S.A").Build(),
        BuildRecord("fine").Part("p3", 9, 1).Fail("S.A").Build()});
  const std::string sql =
      "UPDATE flaky_test_failures SET error_message = CAST(x'6100ff62' AS TEXT), failed_at = 'year!', "
      "failure_kind = 'flake' WHERE run_id = 'odd' AND test_name = 'S.A'; "
      "UPDATE flaky_test_runs SET total_tests = 1e300, passed_tests = 2.5, status = 'odd', git_dirty = 7, "
      "branch = CAST(x'ff' AS TEXT) WHERE run_id = 'odder'; UPDATE flaky_test_parts SET shard = 12 WHERE run_id = "
      "'odder'";
  ASSERT_EQ(std::system(("sqlite3 '" + Path("h.db") + "' \"" + sql + "\"").c_str()), 0);
  const std::string whole = "fine";
  const auto fine =
      DigestOf(OpenStore(ParseLocation("sqlite:" + Path("h.db")), OpenMode::kRead)->Fetch({&whole, 1}).at(0));

  const std::string from = "sqlite:" + Path("h.db");
  PostgresServer& postgres = PostgresServer::Shared();
  for (const std::string& to : {"sqlite:" + Path("n.db"), server_.url(), postgres.CreateDatabase()}) {
    Outcome outcome = Run({"migrate-store", "--from", from, "--to", to, "--strict"});
    EXPECT_EQ(outcome.code, 2) << to;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("run 'odd"), HasSubstr("as it is"))) << to;

    outcome = Run({"migrate-store", "--from", from, "--to", to});
    EXPECT_EQ(outcome.code, 0) << to << outcome.err;
    EXPECT_THAT(outcome.out, HasSubstr("converted              2")) << to;
    EXPECT_THAT(outcome.out, HasSubstr("converted: run odd: failures.failed_at: 'year!' as 1970")) << to;
    EXPECT_THAT(outcome.out, HasSubstr("failures.error_message: bytes that are not UTF-8, or NUL")) << to;
    EXPECT_THAT(outcome.out, HasSubstr("converted: run odder: runs.total_tests: ")) << to;
    EXPECT_THAT(outcome.out, HasSubstr("verified: source and target are equal except for converted values")) << to;
    EXPECT_EQ(outcome.out.find("failure_kind") != std::string::npos, to.starts_with("postgres")) << to;

    EXPECT_EQ(Run({"verify", "--source", from, "--target", to}).code, 0) << to;
    EXPECT_EQ(Run({"verify", "--source", to, "--target", from}).code, 0) << to << " in the other direction";
    EXPECT_THAT(Run({"migrate-store", "--from", from, "--to", to}).out, HasSubstr("unchanged              3")) << to;
    const auto store = OpenStore(ParseLocation(to), OpenMode::kRead);
    EXPECT_EQ(DigestOf(store->Fetch({&whole, 1}).at(0)), fine) << "other runs are unchanged";
  }
  EXPECT_EQ(Run({"export", Path("h.jsonl"), "--from", from}).code, 0);
  EXPECT_EQ(Run({"import", Path("h.jsonl"), "--to", "sqlite:" + Path("again.db")}).code, 0);
  EXPECT_EQ(Run({"verify", "--source", "sqlite:" + Path("n.db"), "--target", "sqlite:" + Path("again.db")}).code, 0);
}

TEST_F(ConversionTest, ADeliveryReportsItOnce) {
  Unset("GTEST_OUTPUT");
  Set("FLAKY_TESTS_STORE", "turso");
  Set("FLAKY_TESTS_CONNECTION_STRING", server_.url());
  Set("FLAKY_TESTS_MAX_MESSAGE", "16777216");
  Set("FLAKY_TESTS_DELIVERY_WAIT", kLongWait);
  Set("FLAKY_TESTS_RUN_ID", "nightly");
  const std::string command =
      "'" FLAKY_FIXTURES "/behaviours' --gtest_filter=Text.FiveMegabytes > /dev/null 2> '" + Path("stderr") + "'";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1);
  const std::string message = Content(Path("stderr"));
  EXPECT_THAT(message, AllOf(StartsWith("flaky: run nightly was converted to what " + server_.url() + " can hold: "),
                             HasSubstr("failures.error_message: cut by ")));
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 1);
  const Outcome delivery = Run({"deliver"});
  EXPECT_EQ(delivery.code, 0);
  EXPECT_EQ(delivery.out, "nothing to deliver\n");
  EXPECT_EQ(delivery.err, "");
  EXPECT_EQ(json::parse(Run({"show", "latest", "--json"}).out)["run"]["failed_tests"], 1);
}

}  // namespace
}  // namespace flaky
