// SPDX-License-Identifier: MIT
#include "delivery/delivery.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "delivery/delivery_pause.h"
#include "delivery/dual_delivery.h"
#include "delivery/open_for_writing.h"
#include "delivery/own_stores.h"
#include "delivery/run_context.h"
#include "history/digest.h"
#include "history/roster.h"
#include "settings/store_identity.h"
#include "spool/ancestors.h"
#include "spool/dual_queue.h"
#include "spool/spool.h"
#include "spool/spool_files.h"
#include "spool/spool_source.h"
#include "transfer/copy.h"
#include "transfer/record_converter.h"

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kGitBudget{2000};
constexpr std::chrono::milliseconds kLockSlice{50};
constexpr std::chrono::milliseconds kLongWait{1000};
// The time is looked at between batches, so they are smaller than those of a copy.
constexpr size_t kBatchRuns = 256;

// Waits in slices, to notice when another process has delivered all there was.
std::optional<SpoolLock> TakeLock(const std::string& spool, std::chrono::milliseconds wait,
                                  std::function<void()> on_long_wait) {
  const Clock::time_point begin = Clock::now(), deadline = begin + wait;
  for (;;) {
    if (on_long_wait && Clock::now() - begin >= kLongWait) std::exchange(on_long_wait, nullptr)();
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    auto lock = SpoolLock::Take(spool, std::clamp(left, std::chrono::milliseconds(0), kLockSlice));
    if (lock || left <= kLockSlice || !HasPending(spool)) return lock;
  }
}

// The digests of a part and of its failures, in order.
std::vector<Digest> PartDigests(const RunRecord& record, const Part& part) {
  std::vector<Digest> digests;
  for (const Failure& failure : record.failures) {
    if (failure.part_id == part.part_id) digests.push_back(DigestOf(failure));
  }
  std::ranges::sort(digests);
  digests.push_back(DigestOf(part));
  return digests;
}

// True if the store has all parts of the record as they are, so that a conflict is only about what surrounded the run:
// it was delivered before, by a process that was killed, and since then a file changed or the branch was renamed.
bool HoldsParts(Sink& sink, const RunRecord& record) {
  const std::vector<RunRecord> stored = sink.ReadBack(std::vector{record.run.run_id});
  if (stored.empty()) return false;
  return std::ranges::all_of(record.parts, [&](const Part& part) {
    const auto same = std::ranges::find(stored.front().parts, part.part_id, &Part::part_id);
    return same != stored.front().parts.end() && PartDigests(record, part) == PartDigests(stored.front(), *same);
  });
}

// Returns the record as the sink has it, reduced to the parts that were sent. If the run was not new, this may differ
// from what was sent: a delivery that was killed may have written it earlier, when the branch had another name. Returns
// nullopt if the run no longer exists.
std::optional<RunRecord> AsHeld(Sink& sink, const RunRecord& sent) {
  std::vector<RunRecord> stored = sink.ReadBack(std::vector{sent.run.run_id});
  if (stored.empty()) return std::nullopt;
  RunRecord& record = stored.front();
  std::set<std::string> part_ids;
  for (const Part& part : sent.parts) part_ids.insert(part.part_id);
  std::erase_if(record.parts, [&](const Part& part) { return !part_ids.contains(part.part_id); });
  std::erase_if(record.failures,
                [&](const Failure& failure) { return !failure.part_id || !part_ids.contains(*failure.part_id); });
  KeepNamedRosters(record);
  SumParts(record);
  return std::move(record);
}

// Releases the journals of delivered runs from the spool. If there is a second store, it does so after the batch was
// saved for that store.
class SpoolReleaser {
 public:
  // `writer`: null without a second store.
  SpoolReleaser(SpoolSource& source, DualWriter* writer) : source_(source), writer_(writer) {}

  void Add(const RunRecord& sent, CopyOutcome outcome, Sink& sink) {
    ++added_;
    if (writer_ == nullptr) {
      Release(sent.run.run_id, static_cast<int64_t>(sent.parts.size()));
      return;
    }
    Guard([&] {
      std::optional<RunRecord> held = outcome == CopyOutcome::kCopied ? sent : AsHeld(sink, sent);
      if (held) writer_->Add(std::move(*held));
      pending_.emplace_back(sent.run.run_id, static_cast<int64_t>(sent.parts.size()));
    });
  }

  void EndBatch() {
    if (writer_ == nullptr) return;
    Guard([&] {
      writer_->Flush();
      for (const auto& [run_id, parts] : pending_) Release(run_id, parts);
      pending_.clear();
    });
  }

  int64_t runs() const { return runs_; }
  int64_t parts() const { return parts_; }
  int64_t kept() const { return added_ - runs_ + stuck_; }
  int64_t stuck() const { return stuck_; }
  const std::string& problem() const { return problem_; }

 private:
  void Release(const std::string& run_id, int64_t parts) {
    if (!source_.Delivered(run_id)) ++stuck_;
    ++runs_;
    parts_ += parts;
  }

  // The first store has the batch. Its journals stay for the second one's sake.
  template <typename Work>
  void Guard(Work&& work) {
    try {
      work();
    } catch (const StoreError& error) {
      pending_.clear();
      problem_ = error.what();
    }
  }

  SpoolSource& source_;
  DualWriter* const writer_;
  std::vector<std::pair<std::string, int64_t>> pending_;  // runs of this batch, and how many parts
  int64_t added_ = 0, runs_ = 0, parts_ = 0;
  int64_t stuck_ = 0;  // runs that were delivered, but whose journals cannot be removed
  std::string problem_;
};

// Returns the run of the `flaky run` above this process, whose stores this process has inherited; empty without one.
std::string RunAbove(const ResolvedSettings& resolved) {
  if (GetEnvironment(kRunProcess) == nullptr) return {};
  const auto given = resolved.everywhere.Given(setting::kRunId);
  return given ? given->text : "";
}

// One delivery: the passes over the spool that one call makes.
class Delivery {
 public:
  Delivery(const ResolvedSettings& resolved, const DeliveryOptions& options)
      : resolved_(resolved),
        options_(options),
        spool_(resolved.spool.Get()),
        own_run_(RunAbove(resolved)),
        contexts_(resolved.user_project, GetEnvironment, kGitBudget),
        own_stores_(resolved) {}

  DeliverySummary Run() {
    std::chrono::milliseconds wait = options_.wait;
    for (bool more = true, first = true; more && HasPending(spool_); first = false) {
      // Between two passes the lock is free for a moment: who takes it then does the work.
      const auto lock = TakeLock(spool_, std::exchange(wait, std::chrono::milliseconds(0)), options_.on_long_wait);
      if (!lock) {
        summary_.locked = first && HasPending(spool_);
        break;
      }
      more = Pass(*lock) && !options_.IsOver();
    }
    return std::move(summary_);
  }

 private:
  // Delivers what is ready now. True if something was delivered or moved aside, so that another look makes sense.
  bool Pass(const SpoolLock& lock) {
    SpoolSource source(
        lock, [this](const Journal& journal) { return contexts_.Of(journal); }, options_.complete,
        [this](const std::string& run_id, const std::string& ctest_group, const Journal& journal) {
          if (!own_run_.empty() && run_id == own_run_) return true;
          if (!ctest_group.empty() && ctest_group == options_.own_ctest) return true;
          return own_stores_.Take(journal);
        });
    const Totals ready = source.Expected().value_or(Totals());
    int64_t settled = 0;
    if (options_.dry_run) {
      summary_.runs = ready.runs;
      summary_.parts = ready.parts;
    } else {
      source.Tidy();
      if (ready.runs > 0) settled = CopyFrom(lock, source, ready.runs);
    }
    const SpoolReport& report = source.report();
    summary_.running = report.running;
    summary_.unknown = report.unknown;
    summary_.unread = report.unread;
    summary_.elsewhere = report.elsewhere;
    summary_.rejected += report.rejected;
    for (const std::string& message : report.messages) AddMessage(message);
    return settled > 0;
  }

  int64_t CopyFrom(const SpoolLock& lock, SpoolSource& source, int64_t ready) {
    const Location& history = resolved_.history.Get();
    if (!store_) {
      pause_.emplace(spool_, StoreIdentity(history), options_.pause_after);
      RetryPolicy policy = options_.retry;
      policy.until = options_.until;
      store_ = OpenForWriting(history, OpenMode::kWrite, std::move(policy));
      for (std::string& warning : store_->warnings()) AddMessage(std::move(warning));
    }
    StoreSink sink(*store_);
    SilentProgress progress;
    std::optional<DualWriter> second;
    if (resolved_.keeps_for_second) second.emplace(lock, StoreIdentity(history), resolved_.dual_queue);
    SpoolReleaser releaser(source, second ? &*second : nullptr);
    int64_t rejected = 0;
    CopyOptions copy;
    copy.limits.records = kBatchRuns;
    copy.look_first = false;
    copy.stop = [&] { return options_.IsOver(); };
    copy.on_batch_settled = [&] { releaser.EndBatch(); };
    copy.on_settled = [&](const RunRecord& record, CopyOutcome outcome, const std::string& why) {
      if (outcome == CopyOutcome::kConflict && !HoldsParts(sink, record)) {
        source.Reject(record.run.run_id, store_->name() + " has another run of this id: " + why);
        ++rejected;
      } else if (outcome == CopyOutcome::kDiffers) {
        AddMessage("run " + record.run.run_id + " is kept in " + source.name() + ": " + why);
      } else {
        releaser.Add(record, outcome, sink);
      }
    };
    const CopySummary copied = Copy(source, sink, copy, progress);
    summary_.runs += releaser.runs();
    summary_.parts += releaser.parts();
    summary_.kept = copied.differing + releaser.kept();
    if (!releaser.problem().empty()) {
      AddMessage("delivered, but kept in " + source.name() + " for the second store: " + releaser.problem());
    }
    for (const ConvertedRun& run : copied.converted_runs) {
      AddMessage("run " + run.run_id + " was converted to what " + store_->name() +
                 " can hold: " + ConversionPhrase(run.conversions));
    }
    if (copied.stopped && copied.runs < ready) {
      summary_.kept += ready - copied.runs;
      AddMessage(std::to_string(ready - copied.runs) + " more runs are waiting in " + source.name() +
                 "; `flaky deliver` delivers them");
    }
    // Another pass would deliver what is stuck again.
    return releaser.stuck() > 0 ? 0 : releaser.runs() + rejected;
  }

  // What a second pass finds again is said once.
  void AddMessage(std::string message) {
    if (std::ranges::find(summary_.messages, message) == summary_.messages.end()) {
      summary_.messages.push_back(std::move(message));
    }
  }

  const ResolvedSettings& resolved_;
  const DeliveryOptions& options_;
  const std::string spool_;
  const std::string own_run_;
  RunContexts contexts_;
  OwnStores own_stores_;
  std::optional<PauseWhileSilent> pause_;
  std::unique_ptr<Store> store_;
  DeliverySummary summary_;
};

}  // namespace

DeliverySummary Deliver(const ResolvedSettings& resolved, const DeliveryOptions& options) {
  if (options.dry_run) return Delivery(resolved, options).Run();
  try {
    DeliverySummary summary = Delivery(resolved, options).Run();
    summary.dual = SendToSecond(resolved, options);
    if (summary.dual.trouble) summary.messages.push_back(*summary.dual.trouble);
    return summary;
  } catch (const StoreError&) {
    // What the history's store got earlier is sent all the same.
    SendToSecond(resolved, options);
    throw;
  }
}

DeliverySummary DeliverPending(const ResolvedSettings& resolved, std::chrono::milliseconds wait,
                               DeliveryOptions options) {
  const std::chrono::seconds bound = resolved.delivery_timeout.Get();
  options.wait = std::min<std::chrono::milliseconds>(std::max(options.wait, wait), bound);
  options.until = Clock::now() + bound;
  options.retry.patience = std::min<std::chrono::milliseconds>(wait, bound);
  options.pause_after = bound / 2;
  return Deliver(resolved, options);
}

}  // namespace flaky
