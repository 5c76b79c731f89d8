// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_EXIT_CODE_H_
#define FLAKY_CLI_EXIT_CODE_H_

#include <array>
#include <stdexcept>
#include <string>
#include <string_view>

// The one table of exit codes (docs/reference/exit-codes.md). They are an interface: scripts branch on them.
namespace flaky {

enum class ExitCode : int {
  kOk = 0,
  kFindings = 1,
  kUsage = 2,
  kPartial = 3,
  kDifferences = 5,
  kNothing = 6,
  kUnreachable = 10,
  kLocked = 11,
  kAuth = 12,
  kSchemaTooNew = 13,
  kInterrupted = 130,
};

struct ExitCodeInfo {
  ExitCode code;
  std::string_view meaning;  // one line, no full stop
};
inline constexpr auto kExitCodes = std::to_array<ExitCodeInfo>({
    {ExitCode::kOk, "the command succeeded"},
    {ExitCode::kFindings,
     "the command succeeded and has findings: `check` found tests, `schema status` pending migrations, `dual status` "
     "waiting runs, `doctor` a warning"},
    {ExitCode::kUsage, "invalid argument, setting or data; also every failure without a separate code"},
    {ExitCode::kPartial, "partly done: stderr says what was not; `check`: what ended the latest run is unknown"},
    {ExitCode::kDifferences, "a verification found differences"},
    {ExitCode::kNothing,
     "nothing to judge: the project has no run, the filters match none, all are left out, or no test has that name"},
    {ExitCode::kUnreachable, "the store cannot be reached or does not exist"},
    {ExitCode::kLocked, "the store or the spool is in use by another process"},
    {ExitCode::kAuth, "credentials or permissions were refused"},
    {ExitCode::kSchemaTooNew, "the store was written by a newer flaky"},
    {ExitCode::kInterrupted, "interrupted by Ctrl-C"},
});

class StoreError;

// Returns the exit code for a store's error.
ExitCode ExitCodeOf(const StoreError& error);

// Reports that a command has failed. what() is one sentence for the user.
class CommandError : public std::runtime_error {
 public:
  CommandError(ExitCode code, const std::string& what) : std::runtime_error(what), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

}  // namespace flaky

#endif  // FLAKY_CLI_EXIT_CODE_H_
