#ifndef FLAKY_TESTS_CLI_DOCTOR_FIXTURE_H_
#define FLAKY_TESTS_CLI_DOCTOR_FIXTURE_H_

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/program_fixture.h"

namespace flaky {

// Runs `flaky doctor` in a separate home, with settings that name the program.
class DoctorTest : public ProgramTest {
 protected:
  DoctorTest() {
    Set("FLAKY_TESTS_PROGRAM", FLAKY_PROGRAM);
    Set("FLAKY_TESTS_SPOOL", Path("spool"));
  }

  // Returns its report. Expects this exit code, and that it changed nothing.
  nlohmann::json Examine(int code) {
    const auto before = Everything();
    const Outcome outcome = Run({"doctor", "--json"});
    EXPECT_EQ(Everything(), before) << "the doctor changed something";
    EXPECT_EQ(outcome.code, code) << outcome.out;
    EXPECT_EQ(outcome.err, "");
    output_ = outcome.out;
    return nlohmann::json::parse(outcome.out);
  }

  // Returns the texts of the findings of this check and verdict, one per line, each with its advice after a tab.
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

  // Returns the whole output of the last Examine.
  const std::string& output() const { return output_; }

 private:
  std::string output_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_CLI_DOCTOR_FIXTURE_H_
