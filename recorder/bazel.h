#ifndef FLAKY_RECORDER_BAZEL_H_
#define FLAKY_RECORDER_BAZEL_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "errors.h"
#include "fixed_text.h"
#include "settings.h"
#include "warning.h"

// What Bazel's environment variables say about a test, and which Bazel command the test belongs to.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

struct BazelFacts {
  bool active = false;                       // Bazel started this process; if not, nothing else is known
  std::string_view target;                   // "//shop:basket_test"
  std::optional<std::int64_t> run_number;    // of --runs_per_test
  std::optional<std::int64_t> time_limit_s;  // after which Bazel kills the test

  // The folder in which Bazel builds, `OUTPUT_BASE/execroot/WORKSPACE`, and when the log of the current command was
  // created, in nanoseconds since 1970. Empty and 0 if they are not visible, as on a machine for remote execution.
  Path execroot;
  std::int64_t command_ns = 0;

  void Read() {
    const auto text = [](const char* name) {
      const char* const value = std::getenv(name);
      return value == nullptr ? std::string_view() : std::string_view(value);
    };
    target = text("TEST_TARGET");
    active = !target.empty() && !text("TEST_SRCDIR").empty() && !text("TEST_TMPDIR").empty();
    if (!active) return;
    // Older versions of Bazel have no TEST_RUN_NUMBER; their seed is the same number.
    run_number = NaturalNumberIn("TEST_RUN_NUMBER");
    if (!run_number) run_number = NaturalNumberIn("TEST_RANDOM_SEED");
    time_limit_s = NaturalNumberIn("TEST_TIMEOUT");
    FindCommand();
  }

 private:
  // Bazel runs one command at a time in an output base and starts each with a new command.log. That file is the only
  // thing that identifies a command. The environment is the same for every command, so that results can be cached. A
  // sandbox hides the parent processes, and Bazel's server outlives its commands. The program is a link that leads out
  // of the sandbox, so its real path contains the output base.
  void FindCommand() {
    constexpr std::string_view kExecroot = "/execroot/";
    char buffer[4096];
    const ssize_t size = readlink("/proc/self/exe", buffer, sizeof buffer);
    if (size <= 0) return;
    const std::string_view program(buffer, static_cast<std::size_t>(size));
    const std::size_t at = program.rfind(kExecroot);
    if (at == program.npos) return;
    const std::size_t end = program.find('/', at + kExecroot.size());
    if (end == program.npos) return;
    Path log;
    (log += program.substr(0, at)) += "/command.log";
    command_ns = BirthOf(log);
    if (command_ns != 0) execroot += program.substr(0, end);
  }

  // Returns 0 if the file does not exist or its birth time is unknown. The inode would not identify the file, because
  // inodes are reused, and neither would the change time, because it moves.
  static std::int64_t BirthOf(const Path& file) {
#if defined(STATX_BTIME)
    struct statx status = {};
    if (file.complete() && statx(AT_FDCWD, file.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BTIME, &status) == 0 &&
        (status.stx_mask & STATX_BTIME) != 0) {
      return static_cast<std::int64_t>(status.stx_btime.tv_sec) * 1'000'000'000 + status.stx_btime.tv_nsec;
    }
#endif
    return 0;
  }
};

// For a test that could not create a journal in `spool`, because of `error`: sets `spool` to a folder in the test's
// undeclared outputs (`test.outputs`), which Bazel keeps, and calls `create` again. Returns an errno if that fails too.
template <typename Create>
int KeepWithBazelOutputs(const BazelFacts& bazel, Path& spool, int error, Warning& warning, const Create& create) {
  if (spool.empty()) {
    warning.Add({"FLAKY_TESTS_SPOOL is not set to an absolute path (use --test_env)"});
  } else {
    warning.Add({"cannot write to the spool ", spool.view(), ": ", ErrorText(error), " (use --sandbox_writable_path)"});
  }
  const char* const outputs = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  if (outputs == nullptr || outputs[0] != '/') return error;
  spool.Clear();
  (spool += outputs) += "/flaky";
  error = spool.complete() ? create() : ENAMETOOLONG;
  if (error == 0) warning.Add({"recorded in test.outputs of ", bazel.target, " instead"});
  return error;
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_BAZEL_H_
