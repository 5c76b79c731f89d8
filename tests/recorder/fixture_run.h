// SPDX-License-Identifier: MIT
#ifndef FLAKY_TESTS_RECORDER_FIXTURE_RUN_H_
#define FLAKY_TESTS_RECORDER_FIXTURE_RUN_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

// Runs the fixture programs (tests/fixtures) and reads their journals, independently of the reader in the program
// `flaky`.
namespace flaky {

struct Outcome {
  int status = 0;  // as waitpid returns it
  std::string out, err;
};

// One journal, read strictly: every line must be JSON, except for an unfinished last one.
struct Recorded {
  std::filesystem::path path;
  nlohmann::json header;
  std::vector<nlohmann::json> lines;  // without the header; an unfinished last one is completed with `]`
  bool unfinished = false;            // the last line was not complete
  std::string text;                   // all bytes up to the first NUL
  std::uintmax_t file_size = 0;

  // Returns the lines of `test`, which are arrays, in order.
  std::vector<nlohmann::json> Results(const std::string& test) const;
  // Returns the outcome of the only result of `test`: its text, or "unfinished". Fails the test if there is not exactly
  // one result.
  std::string OutcomeOf(const std::string& test) const;
  // Returns the messages of the failures (or skips) in all results of the test, in order.
  std::vector<std::string> MessagesOf(const std::string& test) const;
  // Returns the parameter in the first result of the test, or nullopt.
  std::optional<std::string> ParameterOf(const std::string& test) const;
  // Returns the failures outside a test, as "Suite: message", or ": message" outside any suite.
  std::vector<std::string> FailuresOutside() const;
  // Returns `passed` of the end line, or nullopt without such a line.
  std::optional<bool> End() const;
  // Returns the reason in the `lost` line, or nullopt without such a line.
  std::optional<std::string> Lost() const;
};

enum class WarningIs { kNotDue, kDue };

class FixtureTest : public testing::Test {
 protected:
  FixtureTest();
  ~FixtureTest() override;

  // Runs a fixture program, or the program of an absolute path, with a fresh environment: of FLAKY_TESTS_* only the
  // spool and a timeout that prevents delivery, then the variables in `env` (nullopt: unset).
  Outcome Run(const std::string& fixture, const std::vector<std::string>& arguments = {});
  // Runs `behaviours` with the recorder and without it, and expects the same status, stdout and stderr, except for
  // times. If a warning is due, expects exactly one additional line `flaky: …` on stderr.
  Outcome ExpectSameAsPlain(const std::string& filter, const std::vector<std::string>& more_arguments = {},
                            WarningIs warning = WarningIs::kNotDue);

  std::vector<Recorded> Journals() const { return ReadAll(spool_); }
  static std::vector<Recorded> ReadAll(const std::filesystem::path& spool);
  // Returns the only journal in the spool. Fails the test if there is not exactly one.
  Recorded TheJournal() const;
  static Recorded Read(const std::filesystem::path& path);

  const std::filesystem::path& folder() const { return folder_; }
  const std::filesystem::path& spool() const { return spool_; }

  std::map<std::string, std::optional<std::string>> env;
  std::function<void()> in_child;       // called in the child before the fixture is executed
  std::optional<std::string> launcher;  // a program that runs the fixture: its arguments are the fixture's command line

 private:
  std::filesystem::path folder_, spool_;
};

// Removes from a program's output what differs in every run: times, addresses, process ids, and the program's name.
std::string WithoutTimes(const std::string& out);

int ExitStatus(const Outcome& outcome);

// True if these programs are built with a sanitizer, which itself needs descriptors and address space.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace flaky

#endif  // FLAKY_TESTS_RECORDER_FIXTURE_RUN_H_
