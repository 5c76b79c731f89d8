// SPDX-License-Identifier: MIT
#ifndef FLAKY_RECORDER_HEADER_H_
#define FLAKY_RECORDER_HEADER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "bazel.h"
#include "json_text.h"
#include "process_facts.h"
#include "processes_above.h"
#include "secret_text.h"
#include "settings.h"

// The first line of a journal.
#pragma GCC visibility push(hidden)
namespace flaky_recorder {

#if defined(__clang__)
#define FLAKY_RECORDER_HAS_FEATURE(name) __has_feature(name)
#else
#define FLAKY_RECORDER_HAS_FEATURE(name) 0
#endif

// The kind of build that the recorder is compiled in.
#if defined(__SANITIZE_ADDRESS__) || FLAKY_RECORDER_HAS_FEATURE(address_sanitizer)
inline constexpr std::string_view kBuildVariant = "asan";
#elif defined(__SANITIZE_THREAD__) || FLAKY_RECORDER_HAS_FEATURE(thread_sanitizer)
inline constexpr std::string_view kBuildVariant = "tsan";
#elif FLAKY_RECORDER_HAS_FEATURE(memory_sanitizer)
inline constexpr std::string_view kBuildVariant = "msan";
#elif defined(NDEBUG)
inline constexpr std::string_view kBuildVariant = "release";
#else
inline constexpr std::string_view kBuildVariant = "debug";
#endif
#undef FLAKY_RECORDER_HAS_FEATURE

#define FLAKY_RECORDER_TEXT(number) #number
#define FLAKY_RECORDER_VERSION(a, b, c) FLAKY_RECORDER_TEXT(a) "." FLAKY_RECORDER_TEXT(b) "." FLAKY_RECORDER_TEXT(c)
#if defined(__clang__)
inline constexpr std::string_view kCompiler =
    "Clang " FLAKY_RECORDER_VERSION(__clang_major__, __clang_minor__, __clang_patchlevel__);
#else
inline constexpr std::string_view kCompiler =
    "GCC " FLAKY_RECORDER_VERSION(__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
#undef FLAKY_RECORDER_VERSION
#undef FLAKY_RECORDER_TEXT

// The facts in a header. Absent numbers, empty texts, and a `project` without data() are left out.
struct Header {
  std::string_view journal_id, process_run_id;
  std::string_view run_id, project, variant, fixture;
  std::string_view cwd;
  bool records_arguments = true;
  std::optional<std::int64_t> shard_index, shard_total;
  Rank rank;
  ProcessesAbove above;
  std::int64_t started_us = 0;
  std::int64_t tests_to_run = 0;
  std::string_view list;
  std::optional<std::int64_t> shuffle_seed;
  BazelFacts bazel;
};

inline constexpr std::size_t kLongestHeader = 64 * 1024;

class HeaderLine {
 public:
  explicit HeaderLine(char* out) : out_(Append(out, "{")) {}

  void Number(std::string_view name, std::int64_t number) {
    Name(name);
    out_ = AppendNumber(out_, number);
  }
  void KnownNumber(std::string_view name, std::int64_t number) {
    if (number != 0) Number(name, number);
  }
  // Left out if it would need more than `limit` bytes: a truncated path or id would name something else.
  void Text(std::string_view name, std::string_view text, std::size_t limit) {
    if (EscapedSize(text) > limit) return;
    Name(name);
    *out_++ = '"';
    out_ = AppendEscaped(out_, text);
    *out_++ = '"';
  }
  void KnownText(std::string_view name, std::string_view text, std::size_t limit) {
    if (!text.empty()) Text(name, text, limit);
  }
  // Each of the `arguments` is followed by NUL. What looks like a secret in them is not written (secret_text.h). The
  // array is cut at `limit` bytes.
  void Arguments(std::string_view name, std::string_view arguments, std::size_t limit) {
    Name(name);
    *out_++ = '[';
    ArgumentMask mask;
    const std::size_t overhead = 4 + kMask.size();
    for (bool first = true; !arguments.empty() && limit > overhead; first = false) {
      const std::string_view text = arguments.substr(0, arguments.find('\0'));
      arguments.remove_prefix(std::min(arguments.size(), text.size() + 1));
      const std::size_t shown = mask.MaskedSizeOf(text);
      const char* const begin = out_;
      out_ = Append(out_, first ? "\"" : ",\"");
      out_ = AppendEscapedUpTo(out_, text.substr(0, shown), limit - overhead);
      if (shown < text.size()) out_ = Append(out_, kMask);
      *out_++ = '"';
      limit -= std::min(limit, static_cast<std::size_t>(out_ - begin));
    }
    *out_++ = ']';
  }
  void Shard(std::int64_t index, std::int64_t total) {
    Name("shard");
    *out_++ = '[';
    out_ = AppendNumber(out_, index);
    *out_++ = ',';
    out_ = AppendNumber(out_, total);
    *out_++ = ']';
  }
  char* Finish() { return out_ = Append(out_, "}\n"); }

 private:
  void Name(std::string_view name) {
    out_ = Append(out_, first_ ? "\"" : ",\"");
    out_ = Append(Append(out_, name), "\":");
    first_ = false;
  }

  char* out_;
  bool first_ = true;
};

// Writes the header line. `out` must have room for kLongestHeader bytes. Returns the end.
inline char* AppendHeader(char* out, const Header& header, const ProcessFacts& facts) {
  constexpr std::size_t kShort = 1024, kName = 6144, kCwd = 8192, kArguments = 16384;
  HeaderLine line(out);
  line.Number("flaky_journal", 1);
  line.Text("journal_id", header.journal_id, kShort);
  line.Text("process_run_id", header.process_run_id, kShort);
  line.KnownText("run_id", header.run_id, kName);
  if (header.project.data() != nullptr) line.Text("project", header.project, kName);
  line.Text("variant", header.variant.empty() ? kBuildVariant : header.variant, kName);
  line.Number("pid", facts.pid);
  line.KnownNumber("pid_seen", facts.pid_seen);
  line.KnownText("boot_id", facts.boot_id.view(), kShort);
  line.KnownText("host", facts.host.view(), kShort);
  line.KnownNumber("pid_ns", facts.pid_namespace);
  line.KnownNumber("parent_pid", facts.parent.pid);
  line.KnownNumber("parent_start", facts.parent.start);
  line.KnownText("parent_name", facts.parent.name.view(), kShort);
  line.KnownNumber("ctest_pid", header.above.ctest.pid);
  line.KnownNumber("ctest_start", header.above.ctest.start);
  line.KnownNumber("missed_run_pid", header.above.missed_run.pid);
  line.KnownNumber("missed_run_start", header.above.missed_run.start);
  line.KnownText("fixture", header.fixture, kName);
  if (header.shard_index && header.shard_total) line.Shard(*header.shard_index, *header.shard_total);
  if (header.rank.number) line.Number("rank", *header.rank.number);
  if (header.rank.number && header.rank.total) line.Number("ranks", *header.rank.total);
  if (header.bazel.active) line.Text("bazel_target", header.bazel.target, kShort);
  if (header.bazel.run_number) line.Number("bazel_run", *header.bazel.run_number);
  line.KnownText("bazel_execroot", header.bazel.execroot.view(), kCwd);
  line.KnownNumber("bazel_command_ns", header.bazel.command_ns);
  if (header.bazel.time_limit_s) line.Number("time_limit_s", *header.bazel.time_limit_s);
  line.Number("started_us", header.started_us);
  line.KnownText("cwd", header.cwd, kCwd);
  const std::size_t program_end = std::min(facts.arguments.find('\0'), facts.arguments.size());
  line.Arguments("args", header.records_arguments ? facts.arguments : facts.arguments.substr(0, program_end),
                 kArguments);
  line.Text("compiler", kCompiler, kShort);
  line.KnownText("system", facts.system.view(), kShort);
  line.Number("tests_to_run", header.tests_to_run);
  line.KnownText("list", header.list, kShort);
  if (header.shuffle_seed) line.Number("shuffle_seed", *header.shuffle_seed);
  return line.Finish();
}

}  // namespace flaky_recorder
#pragma GCC visibility pop

#endif  // FLAKY_RECORDER_HEADER_H_
