// What a store cannot hold is cut, verified as it was sent, and told: by the copy that meets it, and by the delivery at
// the end of a test program.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program_fixture.h"
#include "tests/servers/sqld_server.h"

namespace flaky {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

constexpr size_t kTooLarge = 6'000'000;  // a row on a libSQL server has less

class ConversionTest : public ProgramTest {
 protected:
  SqldServer server_;
};

TEST_F(ConversionTest, ACopyTellsWhatItCutAndDoneAgainFindsItEqual) {
  Keep({BuildRecord("large").Part("p1", 0, 1).Fail("S.A", std::string(kTooLarge, 'm')).Build(),
        BuildRecord("small").Part("p2", 9, 1).Fail("S.A").Build()});
  const std::vector<std::string> copy = {"migrate-store", "--from", "sqlite:" + Path("h.db"), "--to", server_.url()};
  const Outcome outcome = Run(copy);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\n  converted              1  held what the target cannot hold as it is\n"));
  EXPECT_THAT(outcome.out, HasSubstr("\n  converted: run large: failures.error_message: cut by "));
  EXPECT_THAT(outcome.out, HasSubstr("\nverified: both hold the same but for what was converted, digest "));

  std::vector<std::string> again = copy;
  again.emplace_back("--json");
  const json account = json::parse(Run(again).out);
  EXPECT_EQ(account["unchanged"], 2);
  EXPECT_EQ(account["verified"], true);
  EXPECT_EQ(account["converted"], 1);
  ASSERT_THAT(account["conversions"], SizeIs(1));
  EXPECT_EQ(account["conversions"][0]["run_id"], "large");
  EXPECT_EQ(account["conversions"][0]["column"], "failures.error_message");
  const size_t kept = kTooLarge - account["conversions"][0]["amount"].get<size_t>();
  EXPECT_GT(kept, kTooLarge / 2);

  Set("FLAKY_TESTS_STORE", "turso");
  Set("FLAKY_TESTS_CONNECTION_STRING", server_.url());
  const json run = json::parse(Run({"show", "large", "--json"}).out);
  EXPECT_EQ(run["failures"][0]["error_message"],
            std::string(kept, 'm') + "\n[flaky: " + std::to_string(kTooLarge - kept) + " more bytes were cut]");
}

TEST_F(ConversionTest, ADeliveryTellsItOnce) {
  Unset("GTEST_OUTPUT");
  Set("FLAKY_TESTS_STORE", "turso");
  Set("FLAKY_TESTS_CONNECTION_STRING", server_.url());
  Set("FLAKY_TESTS_MAX_MESSAGE", "16777216");
  Set("FLAKY_TESTS_RUN_ID", "nightly");
  const std::string command =
      "'" FLAKY_FIXTURES "/behaviours' --gtest_filter=Text.FiveMegabytes > /dev/null 2> '" + Path("stderr") + "'";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1);
  const std::string said = Content(Path("stderr"));
  EXPECT_THAT(said, AllOf(StartsWith("flaky: run nightly was converted to what " + server_.url() + " can hold: "),
                          HasSubstr("failures.error_message: cut by ")));
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
  const Outcome delivery = Run({"deliver"});
  EXPECT_EQ(delivery.code, 0);
  EXPECT_EQ(delivery.out, "nothing to deliver\n");
  EXPECT_EQ(delivery.err, "");
  EXPECT_EQ(json::parse(Run({"show", "latest", "--json"}).out)["run"]["failed_tests"], 1);
}

}  // namespace
}  // namespace flaky
