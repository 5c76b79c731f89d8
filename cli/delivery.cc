#include "cli/delivery.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>

#include "cli/run_context.h"
#include "history/digest.h"
#include "transfer/copy.h"
#include "transfer/fit.h"
#include "transfer/spool.h"
#include "transfer/spool_files.h"

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kGitBudget{2000};
constexpr std::chrono::milliseconds kLockSlice{50};
// The time is looked at between batches, so they are smaller than those of a copy.
constexpr size_t kBatchRuns = 256;

class Silent : public Progress {
 public:
  void Update(const CopyProgress&) override {}
  void Done(const CopyProgress&) override {}
};

// Waits in slices, to notice when another process has delivered all there was.
std::optional<SpoolLock> TakeLock(const std::string& spool, std::chrono::milliseconds wait) {
  const Clock::time_point deadline = Clock::now() + wait;
  for (;;) {
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

// One delivery: the passes over the spool that one call makes.
class Delivery {
 public:
  Delivery(const Session& session, const DeliveryOptions& options)
      : session_(session),
        options_(options),
        spool_(SpoolFolder(session.settings)),
        contexts_(session.settings, GetEnvironment, kGitBudget) {}

  DeliveryAccount Run() {
    std::chrono::milliseconds wait = options_.wait;
    for (bool more = true, first = true; more && HasPending(spool_); first = false) {
      // Between two passes the lock is free for a moment: who takes it then does the work.
      const auto lock = TakeLock(spool_, std::exchange(wait, std::chrono::milliseconds(0)));
      if (!lock) {
        account_.locked = first && HasPending(spool_);
        break;
      }
      more = Pass(*lock) && !IsOver();
    }
    return std::move(account_);
  }

 private:
  // Delivers what is ready now. True if something was delivered or moved aside, so that another look makes sense.
  bool Pass(const SpoolLock& lock) {
    SpoolSource source(
        lock, [this](const Journal& journal) { return contexts_.Of(journal); }, options_.complete);
    const Totals ready = source.Expected().value_or(Totals());
    int64_t settled = 0;
    if (options_.dry_run) {
      account_.runs = ready.runs;
      account_.parts = ready.parts;
    } else {
      source.Tidy();
      if (ready.runs > 0) settled = CopyFrom(source, ready.runs);
    }
    const SpoolReport& report = source.report();
    account_.running = report.running;
    account_.rejected += report.rejected;
    for (const std::string& message : report.messages) AddMessage(message);
    return settled > 0;
  }

  int64_t CopyFrom(SpoolSource& source, int64_t ready) {
    if (!store_) {
      RetryPolicy policy = options_.retry;
      policy.until = options_.until;
      store_ = OpenForWriting(HistoryLocation(session_.settings), OpenMode::kWrite, std::move(policy));
    }
    StoreSink sink(*store_);
    Silent progress;
    int64_t delivered = 0;
    int64_t rejected = 0;
    CopyOptions copy;
    copy.limits.records = kBatchRuns;
    copy.look_first = false;
    copy.stop = [this] { return IsOver(); };
    copy.on_settled = [&](const RunRecord& record, Fate fate, const std::string& why) {
      if (fate == Fate::kConflict && !HoldsParts(sink, record)) {
        source.Reject(record.run.run_id, store_->name() + " has another run of this id: " + why);
        ++rejected;
      } else if (fate == Fate::kDiffers) {
        AddMessage("run " + record.run.run_id + " is kept in " + source.name() + ": " + why);
      } else {
        source.Delivered(record.run.run_id);
        account_.parts += static_cast<int64_t>(record.parts.size());
        ++delivered;
      }
    };
    const CopyAccount copied = Copy(source, sink, copy, progress);
    account_.runs += delivered;
    account_.kept = copied.differing;
    for (const ConvertedRun& run : copied.converted_runs) {
      AddMessage("run " + run.run_id + " was converted to what " + store_->name() +
                 " can hold: " + ConversionPhrase(run.conversions));
    }
    if (copied.stopped && copied.runs < ready) {
      account_.kept += ready - copied.runs;
      AddMessage(std::to_string(ready - copied.runs) + " more runs wait in " + source.name() +
                 ": `flaky deliver` takes them along");
    }
    return delivered + rejected;
  }

  // What a second pass finds again is said once.
  void AddMessage(std::string message) {
    if (std::ranges::find(account_.messages, message) == account_.messages.end()) {
      account_.messages.push_back(std::move(message));
    }
  }

  bool IsOver() const {
    return (options_.until && Clock::now() >= *options_.until) || (options_.stop && options_.stop());
  }

  const Session& session_;
  const DeliveryOptions& options_;
  const std::string spool_;
  RunContexts contexts_;
  std::unique_ptr<Store> store_;
  DeliveryAccount account_;
};

}  // namespace

DeliveryAccount Deliver(const Session& session, const DeliveryOptions& options) {
  return Delivery(session, options).Run();
}

DeliveryAccount DeliverPending(const Session& session, std::chrono::milliseconds wait) {
  const std::chrono::seconds bound(session.settings.Number("FLAKY_TESTS_DELIVERY_TIMEOUT"));
  DeliveryOptions options;
  options.wait = std::min<std::chrono::milliseconds>(wait, bound);
  options.until = Clock::now() + bound;
  options.retry = Retrying(session);
  options.retry.patience = options.wait;
  return Deliver(session, options);
}

}  // namespace flaky
