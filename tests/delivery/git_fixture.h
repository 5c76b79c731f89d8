// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_DELIVERY_GIT_FIXTURE_H_
#define FLAKY_TESTS_DELIVERY_GIT_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "delivery/git_facts.h"
#include "delivery/run_context.h"
#include "delivery/subprocess.h"
#include "settings/locations.h"
#include "spool/journal_parser.h"
#include "tests/support/journal_text.h"
#include "tests/support/temp_folder.h"

namespace flaky {

namespace fs = std::filesystem;

inline std::chrono::steady_clock::time_point Soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(60);
}

// Runs git as a user would, with nothing of this machine's configuration.
inline std::string Git(const fs::path& folder, std::vector<std::string> arguments) {
  std::vector<std::string> command = {"git",
                                      "-C",
                                      folder.string(),
                                      "-c",
                                      "user.name=Test",
                                      "-c",
                                      "user.email=t@example.org",
                                      "-c",
                                      "init.defaultBranch=main"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const CommandOutput output =
      RunCommand(command, {"PATH=" + std::string(std::getenv("PATH")), "GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent"},
                 Soon(), 1 << 20);
  EXPECT_TRUE(output.succeeded) << arguments[0];
  return output.text.substr(0, output.text.find('\n'));
}

// A folder outside of any repository, with one in it.
class GitFactsTest : public ::testing::Test {
 protected:
  GitFactsTest() : repo_(folder_.path() / "demo") {
    fs::create_directories(repo_ / "src");
    Git(repo_, {"init", "-q"});
    WriteWholeFile(repo_ / "src" / "a_test.cc", "one\n");
    Git(repo_, {"add", "."});
    Git(repo_, {"commit", "-q", "-m", "one"});
  }

  // A journal of a process that worked in `cwd`, began `after` HEAD last moved and has just ended.
  Journal JournalIn(const fs::path& cwd, int64_t after_us = 1'000'000, const std::string& file = "",
                    const std::string& project = "") const {
    const Timestamp moved = HeadMovedAt(repo_).value_or(Timestamp::Now());
    HeaderText header(1);
    header.SetText("cwd", cwd.string()).Set("started_us", std::to_string((moved + after_us).micros));
    if (!project.empty()) header.Set("project", project);
    return ParseJournal(header.Line() + "{\"file\":" + JsonText(file) + "}\n[\"S.A\",1,1,\"passed\",1]\n" + kPassedEnd);
  }

  RunContext ContextOf(const Journal& journal) {
    RunContexts contexts(
        Resolve(settings_).user_project,
        [this](const char* name) {
          const auto found = environment_.find(name);
          return found == environment_.end() ? nullptr : found->second.c_str();
        },
        std::chrono::seconds(60));
    return contexts.Of(journal);
  }

  TempFolder folder_;
  const fs::path repo_;
  Settings settings_;
  std::map<std::string, std::string> environment_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_DELIVERY_GIT_FIXTURE_H_
