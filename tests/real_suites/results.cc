// SPDX-License-Identifier: MIT
#include "tests/real_suites/results.h"

#include <sys/wait.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <tuple>
#include <vector>

#include "history/part_tests.h"

namespace flaky {
namespace {

using nlohmann::json;

// Returns true if the line contains `what` and the test's name, even if the test has printed something before them.
bool Says(std::string_view line, std::string_view what, const std::string& test) {
  const size_t at = line.find(std::string(what) + test);
  if (at == std::string_view::npos) return false;
  const std::string_view rest = line.substr(at + what.size() + test.size());
  return rest.empty() || rest.starts_with(" (") || rest.starts_with(", where ");
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const TestTally& tally) {
  return stream << tally.executed << " executed, " << tally.skipped << " skipped, " << tally.failed << " failed with "
                << tally.failures << " failures";
}

Printed PrintedResults(const std::string& stdout_text, int status) {
  static const std::regex kColor("\x1B\\[[0-9;]*m");
  const std::string plain = std::regex_replace(stdout_text, kColor, "");
  std::string_view out = plain;
  constexpr std::string_view kRun = "[ RUN      ] ";
  Printed results;
  std::optional<std::string> open;
  int64_t failures = 0;
  const auto end_test = [&](bool failed, bool skipped) {
    TestTally& tally = results.tests[*open];
    ++(skipped ? tally.skipped : tally.executed);
    tally.failed += failed ? 1 : 0;
    results.failed |= failed;
    if (failed) tally.failures += failures;  // otherwise the test took them back
    open.reset();
    failures = 0;
  };
  while (!out.empty()) {
    const std::string_view line = out.substr(0, out.find('\n'));
    out.remove_prefix(std::min(out.size(), line.size() + 1));
    if (line.starts_with("[==========] Running ")) ++results.iterations;
    if (const size_t run = line.find(kRun); run != std::string_view::npos && !open) {
      open = std::string(line.substr(run + kRun.size()));
    } else if (line.ends_with(": Failure")) {
      if (results.iterations > 0) ++(open ? failures : results.between);
      results.failed |= !open;
    } else if (open && Says(line, "[       OK ] ", *open)) {
      end_test(false, false);
    } else if (open && Says(line, "[  FAILED  ] ", *open)) {
      end_test(true, false);
    } else if (open && Says(line, "[  SKIPPED ] ", *open)) {
      end_test(false, true);
    }
  }
  // The process ended in this test. An exit is a failure; a signal that no other process observed is not.
  if (open && !WIFSIGNALED(status)) ++failures;
  if (open && failures > 0) end_test(true, false);
  return results;
}

Written WrittenResults(const std::string& text) {
  static const std::string kListed = "listed";  // for --gtest_list_tests, which writes no results
  Written results;
  // GoogleTest 1.12 writes no comma before the failures outside of tests.
  static const std::regex kMissingComma(R"(\}(\s+)\{)");
  const json document = json::parse(std::regex_replace(text, kMissingComma, "},$1{"));
  for (const json& suite : document.at("testsuites")) {
    for (const json& test : suite.at("testsuite")) {
      const std::string name = test.at("name"), result = test.value("result", kListed);
      // An empty name: failures in the suite's set-up and tear-down.
      if (name.empty() || result == "SUPPRESSED" || result == kListed) continue;
      const std::string full_name = suite.at("name").get<std::string>() + "." + name;
      if (test.at("timestamp").get<std::string>().starts_with("1970-01-01T00:00:00")) {
        if (result == "SKIPPED") results.not_run.insert(full_name);
        continue;
      }
      TestTally& tally = results.tests[full_name];
      ++(result == "SKIPPED" ? tally.skipped : tally.executed);
      if (!test.contains("failures")) continue;
      ++tally.failed;
      tally.failures += static_cast<int64_t>(test["failures"].size());
      results.failed = true;
    }
  }
  return results;
}

Results HistoryResults(const std::string& jsonl) {
  Results results;
  std::vector<RosterPtr> rosters;
  std::set<std::tuple<std::string, std::string, int64_t>> failed_attempts;
  std::istringstream lines(jsonl);
  for (std::string text; std::getline(lines, text);) {
    const json line = json::parse(text);
    const std::string type = line.at("type");
    if (type == "run") {
      results.failed |= line.at("status") == "fail";
    } else if (type == "roster") {
      rosters.push_back(std::make_shared<const Roster>(Roster{line.at("roster_id"), line.at("tests")}));
    } else if (type == "part") {
      Part part;
      part.roster_id = line.at("roster_id").get<std::string>();
      if (line.contains("executions")) part.executions = line["executions"].get<std::string>();
      for (const auto& [program, tests] : TestsOf(part, rosters)) {
        for (const auto& [name, test] : tests) {
          TestTally& tally = results.tests[name];
          tally.executed += test.counts.executed;
          tally.skipped += test.counts.skipped;
        }
      }
    } else if (type == "failure") {
      if (!line.contains("attempt") || line["attempt"].is_null()) {
        ++results.between;
        continue;
      }
      TestTally& tally = results.tests[line.at("test_name")];
      ++tally.failures;
      const auto attempt =
          std::tuple<std::string, std::string, int64_t>(line.at("part_id"), line.at("test_name"), line["attempt"]);
      if (failed_attempts.insert(attempt).second) ++tally.failed;
    }
  }
  return results;
}

}  // namespace flaky
