// SPDX-License-Identifier: MIT
#include "cli/copy_into.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cli/copy_claim.h"
#include "cli/output/interrupt.h"
#include "cli/output/log.h"
#include "cli/output/terminal_progress.h"
#include "delivery/open_for_writing.h"
#include "stores/memory/memory_store.h"
#include "transfer/rate_limited_sink.h"

namespace flaky {
namespace {

constexpr std::chrono::minutes kPatience{2};

// A retry every second does not burden a server, and if connections are cut often, many retries help more than long
// waits. A server that needs longer waits asks for them (Retry-After).
constexpr std::chrono::seconds kLongestWait{1};

const std::map<std::string, OnConflict> kOnConflict = {
    {"keep", OnConflict::kKeep}, {"replace", OnConflict::kReplace}, {"fail", OnConflict::kEnd}};

// A dry run must not create anything: a store that is not there yet is as good as an empty one.
std::unique_ptr<Store> OpenTarget(const Location& location, bool dry_run, const RetryPolicy& policy) {
  if (!dry_run) return OpenForWriting(location, OpenMode::kBulk, policy);
  try {
    return OpenStore(location, OpenMode::kRead, policy);
  } catch (const StoreError& error) {
    if (error.kind() != ErrorKind::kMissing) throw;
    return OpenMemory(MakeMemoryHistory(), OpenMode::kRead, location.display_name);
  }
}

}  // namespace

RetryPolicy PatientRetrying(const Session& session) {
  RetryPolicy policy = Retrying(session);
  policy.patience = kPatience;
  policy.longest_wait = kLongestWait;
  return policy;
}

void AddCopyOptions(CLI::App& command, CopyIntoOptions& options) {
  command.add_option("--batch-size", options.batch_size, "at most this many runs per transaction")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  command.add_option("--max-rate", options.max_rate, "write at most this many runs, parts and failures per second")
      ->type_name("ROWS")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000'000}));
  command
      .add_option_function<std::string>(
          "--on-conflict", [&options](const std::string& name) { options.on_conflict = kOnConflict.at(name); },
          "if the target has a different run with the same id: keep it, replace it with the source's, or fail, "
          "which stops the copy")
      ->check(CLI::IsMember({"keep", "replace", "fail"}).description(""))
      ->type_name("keep|replace|fail")
      ->default_str("keep");
  command.add_flag("--strict", options.strict, "fail at a value that the target cannot hold, instead of converting it");
  command.add_flag("--wait", options.wait, "if another copy into the same store is running, wait for it to end");
  command.add_flag("--dry-run", options.dry_run, "report what would be copied, write nothing");
}

CopySummary CopyInto(const Session& session, Source& source, const Location& to, const CopyIntoOptions& options) {
  const RetryPolicy policy = PatientRetrying(session);
  const std::unique_ptr<Store> target = OpenTarget(to, options.dry_run, policy);
  ReportWarnings(session, *target);
  const std::unique_ptr<Store> checking = options.dry_run ? nullptr : OpenStore(to, OpenMode::kRead, policy);
  StoreSink store_sink(*target, checking ? *checking : *target);
  CopyClaimHolder claim(session, store_sink, *target);
  Sink& sink = options.dry_run ? static_cast<Sink&>(store_sink) : claim;
  std::optional<RateLimitedSink> paced;
  if (options.max_rate > 0) paced.emplace(sink, options.max_rate, InterruptGuard::Seen);
  CopyOptions copy;
  copy.limits.records = options.batch_size;
  // A batch is a second's work at most: it is what progress and Ctrl-C go by.
  if (options.max_rate > 0) copy.limits.records = std::min(options.batch_size, static_cast<size_t>(options.max_rate));
  copy.dry_run = options.dry_run;
  copy.on_conflict = options.on_conflict;
  copy.strict = options.strict;
  copy.stop = InterruptGuard::Seen;

  if (!options.dry_run) claim.Take(options.wait);
  TerminalProgress progress(session.err, FormOf(session.terminal, options.json));
  try {
    CopySummary summary = Copy(source, paced ? static_cast<Sink&>(*paced) : sink, copy, progress);
    if (!options.dry_run) claim.GiveUp();
    return summary;
  } catch (const StoreError& error) {
    // A store that does not answer would only be waited for once more.
    if (!options.dry_run && error.kind() != ErrorKind::kTransient) claim.GiveUp();
    throw;
  }
}

}  // namespace flaky
