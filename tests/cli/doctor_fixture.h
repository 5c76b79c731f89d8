#ifndef FLAKY_TESTS_CLI_DOCTOR_FIXTURE_H_
#define FLAKY_TESTS_CLI_DOCTOR_FIXTURE_H_

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/program_fixture.h"

namespace flaky {

// `flaky doctor` in a home of its own, in which it finds the program.
class DoctorTest : public ProgramTest {
 protected:
  DoctorTest() {
    Set("FLAKY_TESTS_PROGRAM", FLAKY_PROGRAM);
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
  }

  // What it says, which must leave everything as it was.
  nlohmann::json Examine(int code) {
    const auto before = Everything();
    const Outcome outcome = Run({"doctor", "--json"});
    EXPECT_EQ(Everything(), before) << "the doctor changed something";
    EXPECT_EQ(outcome.code, code) << outcome.out;
    EXPECT_EQ(outcome.err, "");
    said_ = outcome.out;
    return nlohmann::json::parse(outcome.out);
  }

  // The texts of the findings of this check and verdict, a line each, with the advice behind a tab.
  static std::string Found(const nlohmann::json& json, const std::string& check, const std::string& verdict) {
    std::string text;
    for (const auto& finding : json["findings"]) {
      if (finding["check"] != check || finding["verdict"] != verdict) continue;
      text += finding["found"].get<std::string>();
      if (!finding["advice"].is_null()) text += '\t' + finding["advice"].get<std::string>();
      text += '\n';
    }
    return text;
  }

  // The whole output of the last Examine.
  const std::string& said() const { return said_; }

 private:
  std::string said_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CLI_DOCTOR_FIXTURE_H_
