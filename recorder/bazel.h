// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_BAZEL_H_
#define FLAKY_RECORDER_BAZEL_H_

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string_view>

#include "environment.h"
#include "errors.h"
#include "fixed_text.h"
#include "settings.h"
#include "system_calls.h"
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

  // `spare` is room for two paths.
  void Read(Path (&spare)[2]) {
    target = Variable("TEST_TARGET");
    active = !target.empty() && !Variable("TEST_SRCDIR").empty() && !Variable("TEST_TMPDIR").empty();
    run_number = time_limit_s = std::nullopt;
    execroot.Clear();
    command_ns = 0;
    if (!active) return;
    // Older versions of Bazel have no TEST_RUN_NUMBER; their seed is the same number.
    run_number = NaturalNumberIn("TEST_RUN_NUMBER");
    if (!run_number) run_number = NaturalNumberIn("TEST_RANDOM_SEED");
    time_limit_s = NaturalNumberIn("TEST_TIMEOUT");
    FindCommand(spare[0], spare[1]);
  }

 private:
  // Bazel runs one command at a time in an output base and starts each with a new command.log. That file is the only
  // thing that identifies a command. The environment is the same for every command, so that results can be cached. A
  // sandbox hides the parent processes, and Bazel's server outlives its commands. The program is a link that leads out
  // of the sandbox, so its real path contains the output base.
  void FindCommand(Path& exe, Path& log) {
    constexpr std::string_view kExecroot = "/execroot/";
    exe.Fill([](char* out, std::size_t size) { return sys::ReadLink("/proc/self/exe", out, size); });
    const std::string_view program = exe.view();
    const std::size_t at = program.rfind(kExecroot);
    if (at == program.npos) return;
    const std::size_t end = program.find('/', at + kExecroot.size());
    if (end == program.npos) return;
    log.Clear();
    (log += program.substr(0, at)) += "/command.log";
    command_ns = BirthOf(log);
    if (command_ns != 0) execroot += program.substr(0, end);
  }

  // Returns 0 if the file does not exist or its birth time is unknown. The inode would not identify the file, because
  // inodes are reused, and neither would the change time, because it moves.
  static std::int64_t BirthOf([[maybe_unused]] const Path& file) {
#if defined(STATX_BTIME)
    struct statx status = {};
    const bool known = file.complete() && RawCall(SYS_statx, AT_FDCWD, Word(file.c_str()), AT_SYMLINK_NOFOLLOW,
                                                  STATX_BTIME, Word(&status)) == 0;
    NoteWritten(&status, sizeof status);
    if (known && (status.stx_mask & STATX_BTIME) != 0) {
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
  const std::string_view outputs = Variable("TEST_UNDECLARED_OUTPUTS_DIR");
  if (outputs.empty() || outputs[0] != '/') return error;
  spool.Clear();
  (spool += outputs) += "/flaky";
  error = spool.complete() ? create() : ENAMETOOLONG;
  if (error == 0) warning.Add({"recorded in test.outputs of ", bazel.target, " instead"});
  return error;
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_BAZEL_H_
