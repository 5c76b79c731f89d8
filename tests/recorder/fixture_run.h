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

// Running the fixture programs (tests/fixtures) and reading what they recorded, independently of the program's own
// reader.
namespace flaky {

struct Outcome {
  int status = 0;  // as waitpid gives it
  std::string out, err;
};

// One journal, read strictly: every line must be JSON, save an unfinished last one.
struct Recorded {
  std::filesystem::path path;
  nlohmann::json header;
  std::vector<nlohmann::json> lines;  // without the header; an unfinished last one is completed with `]`
  bool unfinished = false;            // the last line was not complete
  std::string text;                   // all bytes up to the first NUL
  std::uintmax_t file_size = 0;

  // The results of `test`, as the line's arrays, in order.
  std::vector<nlohmann::json> Results(const std::string& test) const;
  // The one result's outcome: its text, or "unfinished". Fails the test unless there is exactly one.
  std::string OutcomeOf(const std::string& test) const;
  // The messages of the failures (or skips) in all results of the test, in order.
  std::vector<std::string> MessagesOf(const std::string& test) const;
  // Of failures outside a test: "Suite: message", or ": message" outside of any suite.
  std::vector<std::string> FailuresOutside() const;
  // `passed` of the end line; absent when there is none.
  std::optional<bool> End() const;
  std::optional<std::string> Lost() const;
};

enum class WarningIs { kNotDue, kDue };

class FixtureTest : public testing::Test {
 protected:
  FixtureTest();
  ~FixtureTest() override;

  // Runs a fixture program with an environment of its own: nothing of FLAKY_TESTS_* but the spool, no delivery, and
  // `env` on top (absent: unset).
  Outcome Run(const std::string& fixture, const std::vector<std::string>& arguments = {});
  // Runs `behaviours` with the recorder and without it, and expects the same status, stdout and stderr, times aside.
  // Where a warning is `due`, exactly one line `flaky: …` more on stderr is expected.
  Outcome ExpectSameAsPlain(const std::string& filter, const std::vector<std::string>& more_arguments = {},
                            WarningIs warning = WarningIs::kNotDue);

  // The journals in the spool, or another one; the one there must be.
  std::vector<Recorded> Journals() const { return ReadAll(spool_); }
  static std::vector<Recorded> ReadAll(const std::filesystem::path& spool);
  Recorded TheJournal() const;
  static Recorded Read(const std::filesystem::path& path);

  const std::filesystem::path& folder() const { return folder_; }
  const std::filesystem::path& spool() const { return spool_; }

  std::map<std::string, std::optional<std::string>> env;
  std::function<void()> in_child;       // called in the child before the fixture is executed
  std::optional<std::string> launcher;  // a program that is given the fixture's path and arguments

 private:
  std::filesystem::path folder_, spool_;
};

// What no two runs share out of their output: times, addresses, process ids, and the name of the program.
std::string WithoutTimes(const std::string& out);

int ExitStatus(const Outcome& outcome);

// Where a sanitizer takes part in these programs, it needs descriptors and address space itself.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace flaky

#endif  // FLAKY_TESTS_RECORDER_FIXTURE_RUN_H_
