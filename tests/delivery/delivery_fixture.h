// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_DELIVERY_DELIVERY_FIXTURE_H_
#define FLAKY_TESTS_DELIVERY_DELIVERY_FIXTURE_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "delivery/delivery.h"
#include "tests/support/contents.h"
#include "tests/support/journal_text.h"
#include "tests/support/part_counts.h"
#include "tests/support/temp_folder.h"

namespace flaky {

namespace fs = std::filesystem;

// One test that passed, of a process that is gone.
inline std::string JournalText(uint64_t number) {
  return DeadHeader(number).Line() + "[\"S.T" + std::to_string(number) + "\",1,1000,\"passed\",1]\n" + kPassedEnd;
}

// What tests of deliveries have in common: a spool and a file to deliver it to, in this process and in others.
class DeliveryTest : public ::testing::Test {
 protected:
  DeliveryTest() { UseStore(file()); }

  static constexpr char kNoLimit[] = "3600";  // seconds: a delivery is not cut short on a machine that stalls

  // From now on deliveries go to this SQLite file.
  void UseStore(const fs::path& store) {
    Settings settings;
    settings.Set(setting::kSpool, {spool().string(), Origin::kEnvironment, ""});
    settings.Set(setting::kDb, {store.string(), Origin::kEnvironment, ""});
    settings.Set(setting::kDeliveryTimeout, {kNoLimit, Origin::kEnvironment, ""});
    resolved_ = Resolve(settings);
  }

  fs::path spool() const { return folder_.path() / "spool"; }
  fs::path file() const { return folder_.path() / "history.db"; }

  std::vector<RunRecord> Stored() const { return ReadAll(*OpenStore(resolved_.history.Get(), OpenMode::kRead)); }

  // Returns how many parts of the store contain each test.
  std::map<std::string, int64_t> StoredTests() const {
    std::map<std::string, int64_t> tests;
    for (const RunRecord& record : Stored()) {
      for (const Part& part : record.parts) {
        for (const auto& [name, counts] : CountsOf(part, record.rosters)) tests[name] += counts.executed;
      }
    }
    return tests;
  }

  void ExpectEachOnce(uint64_t journals) const {
    const auto tests = StoredTests();
    EXPECT_EQ(tests.size(), journals);
    for (const auto& [name, count] : tests) EXPECT_EQ(count, 1) << name;
  }

  size_t Waiting() const {
    size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(spool())) count += entry.path().extension() == ".jsonl";
    return count;
  }

  // Starts `flaky deliver` with this spool and store, or with the store that `variables` name, in the background.
  pid_t StartProgram(const std::vector<std::string>& more = {},
                     const std::map<std::string, std::string>& variables = {}) const {
    std::vector<std::string> arguments = {FLAKY_PROGRAM, "deliver"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const pid_t child = fork();
    if (child == 0) {
      for (const char* name : {"FLAKY_TESTS_STORE", "FLAKY_TESTS_CONNECTION_STRING", "FLAKY_TESTS_TABLE_PREFIX"})
        unsetenv(name);
      setenv("FLAKY_TESTS_SPOOL", spool().c_str(), 1);
      setenv("FLAKY_TESTS_DB", file().c_str(), 1);
      setenv("XDG_CONFIG_HOME", folder_.path().c_str(), 1);
      setenv("FLAKY_TESTS_DELIVERY_TIMEOUT", kNoLimit, 0);
      for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
      const int output = open(folder_.File("output").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(output, STDOUT_FILENO);
      dup2(output, STDERR_FILENO);
      execv(FLAKY_PROGRAM, argv.data());
      _exit(127);
    }
    return child;
  }
  static int StatusOf(pid_t child) {
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  std::string Output() const { return fs::exists(folder_.File("output")) ? ReadWholeFile(folder_.File("output")) : ""; }

  TempFolder folder_;
  ResolvedSettings resolved_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_DELIVERY_DELIVERY_FIXTURE_H_
