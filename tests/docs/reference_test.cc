// SPDX-License-Identifier: MIT

// Compares docs/reference/data-model.md with the list of fields, docs/reference/jsonl.md with an export and
// docs/reference/journal.md with a journal that was just written.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "formats/results_line.h"
#include "history/fields.h"
#include "tests/support/bazel_stage.h"
#include "tests/support/part_counts.h"
#include "tests/support/temp_folder.h"
#include "transfer/jsonl_writer.h"

namespace flaky {
namespace {

using testing::UnorderedElementsAreArray;

// Returns the names in backticks in the first column of the tables under a heading.
std::multiset<std::string> FirstColumn(const std::string& page, const std::string& heading) {
  std::ifstream lines(std::string(FLAKY_SOURCE_DIR) + "/docs/reference/" + page);
  EXPECT_TRUE(lines) << page;
  std::multiset<std::string> names;
  bool in_section = false;
  const std::regex in_backticks("`([^`]+)`");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) in_section = line == "## " + heading;
    if (!in_section || !line.starts_with("| `")) continue;
    const std::string column = line.substr(1, line.find(" |") - 1);
    for (std::sregex_iterator at(column.begin(), column.end(), in_backticks), end; at != end; ++at)
      names.insert((*at)[1]);
  }
  return names;
}

struct CollectNames {
  std::multiset<std::string> names;
  template <typename T>
  void operator()(std::string_view name, const T&) {
    names.emplace(name);
  }
};

TEST(ResultsPage, DescribesEachFieldOnce) {
  const ResultsLine line;
  const Result result;
  CollectNames of_line, of_result;
  VisitResultsLine(line, of_line);
  VisitResult(result, of_result);
  EXPECT_EQ(FirstColumn("results.md", "Fields of a line"), of_line.names);
  EXPECT_EQ(FirstColumn("results.md", "Fields of a result"), of_result.names);
}

TEST(DataModelPage, DescribesEachColumnOnce) {
  const flaky::Run run;
  const Part part;
  const Failure failure;
  CollectNames runs, parts{{"run_id"}}, failures{{"id", "run_id", "project"}};
  VisitRun(run, runs);
  VisitPart(part, parts);
  VisitFailure(failure, failures);
  EXPECT_THAT(FirstColumn("data-model.md", "`runs`"), UnorderedElementsAreArray(runs.names));
  EXPECT_THAT(FirstColumn("data-model.md", "`parts`"), UnorderedElementsAreArray(parts.names));
  EXPECT_THAT(FirstColumn("data-model.md", "`failures`"), UnorderedElementsAreArray(failures.names));
  EXPECT_THAT(FirstColumn("data-model.md", "`rosters`"), UnorderedElementsAreArray({"roster_id", "tests"}));
}

TEST(JsonlPage, DescribesHeaderRosterAndFooter) {
  RunRecord record;
  record.parts.resize(1);
  GiveTests(record, {{"S.T", {1, 0}}});
  std::string text;
  JsonlWriter writer({"flaky", "", {}}, [&](std::string_view bytes) { text += bytes; });
  writer.Write({&record, 1});
  writer.Finish();
  std::map<std::string, std::multiset<std::string>> written;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json object = nlohmann::json::parse(line);
    std::multiset<std::string>& names = written[object["type"]];
    names.clear();
    for (const auto& [name, value] : object.items()) names.insert(name);
  }
  EXPECT_THAT(FirstColumn("jsonl.md", "The header"), UnorderedElementsAreArray(written["header"]));
  EXPECT_THAT(FirstColumn("jsonl.md", "Rosters"), UnorderedElementsAreArray(written["roster"]));
  EXPECT_THAT(FirstColumn("jsonl.md", "The footer"), UnorderedElementsAreArray(written["footer"]));
}

TEST(JournalPage, DescribesEachFieldOfTheHeader) {
  const TempFolder folder;
  const BazelStage stage(folder.path(), FLAKY_MANY_TESTS);
  // Under a `flaky run` whose environment does not arrive, a ctest and an MPI launcher.
  for (const char* name : {"flaky", "ctest"}) {
    std::ofstream(folder.File(name)) << "#!/bin/sh\n\"$@\"\nexit $?\n";
    std::filesystem::permissions(folder.File(name), std::filesystem::perms::owner_all);
  }
  std::string command =
      "env -u FLAKY_RUN_PROCESS PMI_RANK=1 PMI_SIZE=2 MANY_TESTS=4 FLAKY_TESTS_SPOOL=" + folder.path().string() +
      " FLAKY_TESTS_RUN_ID=r FLAKY_TESTS_PROJECT=p FLAKY_TESTS_FIXTURE=f ";
  for (const auto& [name, value] : stage.Environment({.run_number = 1, .shard = 0}))
    command += name + '=' + value + ' ';
  command += folder.File("flaky") + ' ' + folder.File("ctest") + ' ';
  command += stage.test_setup() + " --gtest_shuffle > " + folder.File("log.txt");
  ASSERT_EQ(std::system(command.c_str()), 0);
  std::string header;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().extension() == ".jsonl") std::getline(std::ifstream(entry.path()), header);
  }
  std::multiset<std::string> written;
  const nlohmann::json fields = nlohmann::json::parse(header);
  for (const auto& [name, value] : fields.items()) written.insert(name);
  EXPECT_THAT(FirstColumn("journal.md", "First line: the header"), UnorderedElementsAreArray(written));
}

}  // namespace
}  // namespace flaky
