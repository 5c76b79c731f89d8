#ifndef FLAKY_CLI_EXIT_CODE_H_
#define FLAKY_CLI_EXIT_CODE_H_

#include <stdexcept>
#include <string>

// The one table of exit codes (docs/reference/exit-codes.md). They are an interface: scripts branch on them.
namespace flaky {

enum class ExitCode : int {
  kOk = 0,        // the command did what it was asked for
  kFindings = 1,  // the command worked and found something: `check` found tests, `schema status` migrations to come
  kUsage = 2,     // an argument, a setting or the data cannot be used; also every failure that has no code of its own
  kPartly = 3,    // some was done, some was not: said on stderr
  kDifferences = 5,    // a verification found differences
  kUnreachable = 10,   // the store cannot be reached or is not there
  kLocked = 11,        // the store or the spool is in use by another process
  kAuth = 12,          // credentials or permissions were refused
  kSchemaTooNew = 13,  // the store was written by a newer flaky
  kInterrupted = 130,  // by Ctrl-C
};

class StoreError;

// What a store's error means for the one who called the program.
ExitCode ExitCodeOf(const StoreError& error);

// A command cannot do what it was asked for. what() is one sentence for the user.
class CommandError : public std::runtime_error {
 public:
  CommandError(ExitCode code, const std::string& what) : std::runtime_error(what), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

}  // namespace flaky

#endif  // FLAKY_CLI_EXIT_CODE_H_
