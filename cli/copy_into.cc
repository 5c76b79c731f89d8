#include "cli/copy_into.h"

#include <chrono>
#include <memory>
#include <optional>

#include "cli/interrupt.h"
#include "cli/terminal_progress.h"
#include "stores/memory/memory_store.h"
#include "transfer/paced_sink.h"

namespace flaky {
namespace {

constexpr std::chrono::minutes kPatience{2};

// A dry run must not create anything: a store that is not there yet is as good as an empty one.
std::unique_ptr<Store> OpenTarget(const Location& location, bool dry_run, const RetryPolicy& policy) {
  if (!dry_run) return OpenForWriting(location, OpenMode::kBulk, policy);
  try {
    return OpenStore(location, OpenMode::kRead, policy);
  } catch (const StoreError& error) {
    if (error.kind() != ErrorKind::kMissing) throw;
    return OpenMemory(MakeMemoryHistory(), OpenMode::kRead, location.shown);
  }
}

}  // namespace

RetryPolicy PatientRetrying(const Session& session) {
  RetryPolicy policy = Retrying(session);
  policy.patience = kPatience;
  return policy;
}

void AddCopyOptions(CLI::App& command, CopyIntoOptions& options) {
  command.add_option("--max-rate", options.max_rate, "runs, parts and failures to write per second, at most")
      ->type_name("ROWS")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000'000}));
  command.add_flag("--dry-run", options.dry_run, "say what would be copied, write nothing");
}

CopyAccount CopyInto(const Session& session, Source& source, const Location& to, const CopyIntoOptions& options) {
  const RetryPolicy policy = PatientRetrying(session);
  const std::unique_ptr<Store> target = OpenTarget(to, options.dry_run, policy);
  const std::unique_ptr<Store> checking = options.dry_run ? nullptr : OpenStore(to, OpenMode::kRead, policy);
  StoreSink sink(*target, checking ? *checking : *target);
  std::optional<PacedSink> paced;
  if (options.max_rate > 0) paced.emplace(sink, options.max_rate, InterruptGuard::Seen);
  TerminalProgress progress(session.err, FormOf(session, options.json));
  CopyOptions copy;
  copy.limits.records = options.batch_size;
  copy.dry_run = options.dry_run;
  copy.stop = InterruptGuard::Seen;
  return Copy(source, paced ? static_cast<Sink&>(*paced) : sink, copy, progress);
}

}  // namespace flaky
