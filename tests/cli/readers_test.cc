// SPDX-License-Identifier: MIT

// Foreign text in every field of a history, in paths, settings and arguments: no output may control what reads it.
#include <gmock/gmock.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/early_end.h"
#include "tests/cli/hostile_texts.h"
#include "tests/cli/program_fixture.h"
#include "tests/support/part_counts.h"

namespace flaky {
namespace {

using testing::HasSubstr;

// The history has one run for each text, which has it in all fields. Its files are in a folder with a hostile name.
class ReadersTest : public ProgramTest {
 protected:
  ReadersTest() {
    const std::string folder = Path("::error::x ##vso[y]\x1b[31m\u009b##[z]\u202e");
    std::filesystem::create_directories(folder);
    database_ = folder + "/h.db";
    Set("FLAKY_TESTS_DB", database_);
    Set("FLAKY_TESTS_SPOOL", folder + "/spool");
    const auto store = OpenStore(ParseLocation("sqlite:" + database_), OpenMode::kWrite);
    std::vector<RunRecord> records;
    for (const std::string& text : kHostile) records.push_back(RecordOf(text, std::to_string(records.size())));
    store->Write(records);
  }

  static RunRecord RecordOf(const std::string& text, const std::string& number) {
    RunRecord record = BuildRecord(text + number).Project(text).Part(text, 0, 1).Build();
    Part& part = record.parts[0];
    record.rosters = GiveTests(part, {{text, {1, 0}}, {"Suite.Other", {2, 0}}}, text);
    part.host = text;
    part.variant = part.shard = text;
    flaky::Run& run = record.run;
    run.merge_base = run.edited_tree = text;
    run.git_sha = run.tree_sha = run.branch = run.runtime_version = run.test_args = run.ci_url = text;
    Failure failure;
    failure.part_id = text;
    failure.test_file = failure.test_name = failure.failure_kind = text;
    failure.program = failure.parameter = text;
    failure.error_message = failure.error_stack = failure.preceding_test = failure.signal = text;
    failure.failed_at = At(1);
    failure.attempt = 0;
    record.failures.push_back(failure);
    if (number.back() % 2 == 0) {
      part.account.status.reset();
      run.account.status.reset();
      part.ended_early = EarlyEndsText(
          {{EarlyEnd::Cause::kUnrecorded, text, text, text}, {EarlyEnd::Cause::kInterrupted, text, text, text}});
    } else {
      part.account.status = run.account.status = text;
    }
    return record;
  }

  static void Scan(const std::vector<std::string>& arguments, const std::string& wanted = "") {
    const Outcome outcome = Run(arguments);
    std::string command;
    for (const std::string& argument : arguments) command += argument + " ";
    EXPECT_EQ(Found(outcome.out), "") << command << "\n" << outcome.out.substr(0, 3000);
    EXPECT_EQ(Found(outcome.err), "") << command << "\n" << outcome.err.substr(0, 3000);
    EXPECT_NE(outcome.out + outcome.err, "") << command;
    EXPECT_THAT(outcome.out + outcome.err, HasSubstr(wanted)) << command;
  }

  std::string database_;
};

TEST_F(ReadersTest, TheScannerFindsEveryText) {
  for (const std::string& text : kHostile) {
    const bool is_harmless = text == ":" || text == "#" || text == "##" || text.starts_with("`rm") || text[0] == '-' ||
                             text.starts_with(".so");
    EXPECT_EQ(Found(text).empty(), is_harmless) << text;
  }
}

TEST_F(ReadersTest, ListsOfRunsAndTests) {
  Scan({"runs", "--all", "--limit", "1000"}, ":\\x3aerror");
  Scan({"runs", "--all", "--limit", "1000", "--json"}, ":\\u003aerror");
  Scan({"trend", "--all"});
  for (const std::string& text : kHostile) {
    Scan({"check", "--rule", "npm", "--project", text, "--threshold", "1", "--at", "2026-01-02"});
    Scan({"check", "--rule", "npm", "--project", text, "--threshold", "1", "--at", "2026-01-02", "--json"});
    Scan({"trend", "--at", "2026-01-02", "--json", "--", text});
  }
}

TEST_F(ReadersTest, ARun) {
  for (size_t i = 0; i < kHostile.size(); ++i) {
    const std::string id = kHostile[i] + std::to_string(i);
    Scan({"show", "--all", "--", id});
    const Outcome json = Run({"show", "--all", "--json", "--", id});
    EXPECT_EQ(Found(json.out), "") << json.out;
    const auto shown = nlohmann::json::parse(json.out, nullptr, false);
    ASSERT_TRUE(shown.is_object()) << json.out << json.err;
    EXPECT_EQ(shown["run"]["project"], kHostile[i]) << "the value is exact";
    EXPECT_EQ(shown["failures"][0]["error_message"], kHostile[i]);
    EXPECT_TRUE(shown["parts"][0]["tests"][kHostile[i]].contains(kHostile[i])) << json.out;
    EXPECT_EQ(shown["parts"][0]["ended_early"].is_array(), i % 2 == 0);
  }
}

TEST_F(ReadersTest, CopiesExportsAndImports) {
  const std::string other = "sqlite:" + database_ + "##[copy]";
  const std::string file = Path("::error::x ##[e]\n.jsonl");
  Scan({"export", file}, "verified");
  EXPECT_EQ(Found(Content(file)), "");
  Scan({"export", "-"}, "#\\u0023vso");
  Scan({"export", "-", "--json"});
  Scan({"import", file, "--to", other}, "verified: source and target are equal");
  Scan({"import", file, "--to", other, "--json"}, "\"unchanged\": " + std::to_string(kHostile.size()));
  Scan({"verify", "--source", "sqlite:" + database_, "--target", other}, "equal");
  Scan({"verify", "--source", "sqlite:" + database_, "--target", other, "--json"});
  Scan({"migrate-store", "--from", other, "--to", "sqlite:" + Path("##vso[x]")}, "verified");
  WriteFile("##[bad].jsonl", "{\"type\":\"##vso[x]\"}\n::error::x\n");
  Scan({"import", Path("##[bad].jsonl"), "--to", other}, "is not the header");
}

// Runs that two stores hold differently.
TEST_F(ReadersTest, Differences) {
  const std::string other = Path("other.db");
  std::vector<RunRecord> records;
  for (const std::string& text : kHostile) {
    records.push_back(RecordOf(text, std::to_string(records.size())));
    records.back().run.branch = "other";
    records.back().parts[0].variant = "other";
  }
  OpenStore(ParseLocation("sqlite:" + other), OpenMode::kWrite)->Write(records);
  Scan({"verify", "--source", "sqlite:" + database_, "--target", "sqlite:" + other}, "NOT equal");
  Scan({"verify", "--source", "sqlite:" + database_, "--target", "sqlite:" + other, "--json"});
  Scan({"migrate-store", "--from", "sqlite:" + database_, "--to", "sqlite:" + other}, "in conflict");
  Scan({"migrate-store", "--from", "sqlite:" + database_, "--to", "sqlite:" + other, "--json"}, "conflicts");
}

TEST_F(ReadersTest, SettingsStoresAndTheSpool) {
  const std::string spool = Path("##[spool]\u009b");
  Set("FLAKY_TESTS_SPOOL", spool);
  WriteFile("##[spool]\u009b/##vso[x] ::error::y\u202e.jsonl", "##vso[x]\n::error::x\n");
  std::filesystem::permissions(spool, std::filesystem::perms::owner_all);
  for (const std::string form : {"text", "json"}) {
    const auto scan = [&](std::vector<std::string> command) {
      if (form == "json") command.push_back("--json");
      Scan(command);
    };
    scan({"doctor"});
    scan({"config"});
    scan({"schema", "status"});
    scan({"schema", "migrate", "--dry-run"});
    scan({"dual", "status"});
    scan({"deliver", "--dry-run"});
    scan({"deliver"});
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(spool)) {
    if (entry.path().extension() != ".reason") continue;
    EXPECT_EQ(Found(Content(entry.path())), "");
  }
  for (const std::string& text : kHostile) {
    Set("FLAKY_TESTS_VARIANT", text);
    Set("FLAKY_TESTS_PROJECT", text);
    Scan({"config"});
    Scan({"config", "--json"});
  }
}

TEST_F(ReadersTest, Errors) {
  std::vector<std::string> texts = kHostile;
  for (const std::string bytes : {"\xff::error::x", "\xed\xa0\x80##vso[", "\xc2", "##\xff[x]", "\x1b\xc2\x9b"}) {
    texts.push_back(bytes);
  }
  for (const std::string& text : texts) {
    Scan({text});
    Scan({"runs", text});
    Scan({"runs", "--since", text});
    Scan({"runs", "--limit", text});
    Scan({"runs", "--project", text});
    Scan({"runs", "--" + text});
    Scan({"show", "--", text + "not there"});
    Scan({"import", text});
    Scan({"export", Path("no folder/" + text)});
    Scan({"export", Path("x"), "--from", text});
    Scan({"migrate-store", "--from", text, "--to", "sqlite:" + text});
    Scan({"migrate-store", "--from", "sqlite:" + database_, "--to", "sqlite:y", "--map-project", text});
    Scan({"schema", "sql", "--store", text});
    Scan({"schema", "sql", "--store", "sqlite", "--adopt-from", text});
    Scan({"schema", "adopt", "--from-prefix", text});
    Scan({"verify", "--source", "sqlite:" + database_, "--target", "sqlite:" + database_, "--project", text});
    Scan({"run", "--", "/no such program " + text});
    WriteFile("work/.flaky.toml", "project = \"" + text + "\n" + text + " = 1\n");
    Scan({"runs"});
    std::filesystem::remove(Path("work/.flaky.toml"));
    for (const char* setting :
         {"FLAKY_TESTS_STORE", "FLAKY_TESTS_WINDOW", "FLAKY_TESTS_LOG", "FLAKY_TESTS_TABLE_PREFIX", "FLAKY_TESTS_DB"}) {
      Set(setting, text);
      Scan({"check"});
      Scan({"check", "--rule", "npm"});
      setting == std::string_view("FLAKY_TESTS_DB") ? Set(setting, database_) : Unset(setting);
    }
  }
}

// A log file is read in terminals as well.
TEST_F(ReadersTest, TheLogFile) {
  const std::string log = Path("##[log]");
  Set("FLAKY_TESTS_LOG_FILE", log);
  Set("FLAKY_TESTS_LOG", "debug");
  for (const std::string& text : kHostile) Run({"import", text});
  EXPECT_EQ(Found(Content(log)), "");
  EXPECT_THAT(Content(log), HasSubstr("cannot open the file"));
  Set("FLAKY_TESTS_LOG_FILE", Path("none/##vso[x]::\u009b"));
  Scan({"import", "x"}, "cannot write");
}

// The time grows with the number of tests and not with its square. Before that, 300,000 tests took minutes.
TEST_F(ReadersTest, ARunOfManyTestsAsJsonTakesSeconds) {
  Counts entries;
  for (int i = 0; i < 300'000; ++i) entries["Suite.Test" + std::to_string(i)] = {1, 0};
  RunRecord record = BuildRecord("many").Project("demo").Part("p", 0).Build();
  GiveTests(record, entries);
  OpenStore(ParseLocation("sqlite:" + database_), OpenMode::kWrite)->Write(std::span(&record, 1));
  const auto begin = std::chrono::steady_clock::now();
  const Outcome outcome = Run({"show", "many", "--json"});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30)) << "the machine may be slow";
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(nlohmann::json::parse(outcome.out)["parts"][0]["tests"]["suite_test"].size(), entries.size());
}

}  // namespace
}  // namespace flaky
