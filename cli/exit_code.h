#ifndef FLAKY_CLI_EXIT_CODE_H_
#define FLAKY_CLI_EXIT_CODE_H_

// The one table of exit codes (docs/reference/exit-codes.md). They are an interface: scripts branch on them.
namespace flaky {

enum class ExitCode : int {
  kOk = 0,
  kFindings = 1,       // the command worked and found something: `check` found tests
  kUsage = 2,          // an argument or a setting cannot be used, or the data is not what it should be
  kPartly = 3,         // some was done, some was not: said on stderr
  kDifferences = 5,    // a verification found differences
  kUnreachable = 10,   // the store cannot be reached or is not there
  kLocked = 11,        // the store or the spool is in use by another process
  kAuth = 12,          // credentials or permissions were refused
  kSchemaTooNew = 13,  // the store was written by a newer flaky
  kInterrupted = 130,  // by Ctrl-C
};

}  // namespace flaky

#endif  // FLAKY_CLI_EXIT_CODE_H_
