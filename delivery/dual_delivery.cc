// SPDX-License-Identifier: MIT
#include "delivery/dual_delivery.h"

#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "delivery/delivery_pause.h"
#include "delivery/open_for_writing.h"
#include "settings/store_identity.h"
#include "spool/dual_queue.h"
#include "spool/waiting_source.h"
#include "transfer/copy.h"

namespace flaky {
namespace {

using Clock = std::chrono::steady_clock;

// The time is looked at between batches, and this store may be a slow one.
constexpr size_t kBatchRuns = 64;

// One attempt to bring the waiting records to where they are lacking.
class Sending {
 public:
  Sending(const ResolvedSettings& resolved, const DeliveryOptions& options, const SendLock& lock, DualSummary& summary)
      : queue_(resolved.dual_queue), options_(options), lock_(lock), summary_(summary) {}

  // Also sends what other deliveries add while it runs. Returns true if the second store itself had no trouble, even if
  // the summary reports some.
  bool Run(const Location& first, const Location& second) {
    const std::string holder = StoreFingerprint(StoreIdentity(first));
    while (!options_.IsOver()) {
      std::vector<WaitingFile> held, others;
      for (WaitingFile& file : ListWaiting(lock_.spool(), queue_)) {
        (file.holder == holder ? held : others).push_back(std::move(file));
      }
      if (held.empty() && others.empty()) return true;
      const bool hand = !others.empty();
      std::vector<WaitingFile>& files = hand ? others : held;
      const std::string oldest = files.front().name;
      if (hand) {
        Send(first, std::move(files), WaitingSource::Then::kHand, holder);
      } else {
        summary_.runs += Send(second, std::move(files), WaitingSource::Then::kRemove, holder);
      }
      if (!options_.IsOver() && std::filesystem::exists(lock_.folder() / oldest)) {
        AddTrouble(oldest + " cannot be sent");  // unless it is known why
        return false;
      }
    }
    const bool in_time =
        !options_.until || Clock::now() < *options_.until || ListWaiting(lock_.spool(), queue_).empty();
    if (!in_time) AddTrouble(second.display_name + " did not take all that waits for it in the time that was left");
    return in_time;
  }

 private:
  int64_t Send(const Location& location, std::vector<WaitingFile> files, WaitingSource::Then then,
               const std::string& holder) {
    RetryPolicy policy = options_.retry;
    policy.until = options_.until;
    const std::unique_ptr<Store> store = OpenForWriting(location, OpenMode::kWrite, std::move(policy));
    StoreSink sink(*store);
    WaitingSource source(lock_, std::move(files), then, holder);
    int64_t sent = 0;
    CopyOptions copy;
    copy.limits.records = kBatchRuns;
    copy.look_first = false;
    copy.stop = [this] { return options_.IsOver(); };
    copy.on_settled = [&](const RunRecord& record, CopyOutcome outcome, const std::string& why) {
      source.Settled(outcome != CopyOutcome::kDiffers);
      sent += outcome == CopyOutcome::kDiffers ? 0 : 1;
      if (outcome == CopyOutcome::kDiffers) {
        AddTrouble("run " + record.run.run_id + " waits in " + source.name() + ": " + why);
      } else if (outcome == CopyOutcome::kConflict) {
        AddTrouble(store->name() + " keeps another run " + record.run.run_id + ": " + why +
                   "; `flaky dual backfill --on-conflict replace` makes them equal");
      }
    };
    SilentProgress progress;
    Copy(source, sink, copy, progress);
    for (const std::string& message : source.messages()) AddTrouble(message);
    return sent;
  }

  void AddTrouble(const std::string& text) {
    if (!summary_.trouble) summary_.trouble = "dual write: " + text;
  }

  const std::string queue_;
  const DeliveryOptions& options_;
  const SendLock& lock_;
  DualSummary& summary_;
};

}  // namespace

DualSummary SendToSecond(const ResolvedSettings& resolved, const DeliveryOptions& options) {
  DualSummary summary;
  if (!resolved.dual_is_on || (options.until && Clock::now() >= *options.until)) return summary;
  std::filesystem::path spool;
  std::string pauses, second_store;
  const std::string& queue = resolved.dual_queue;
  bool well = false;
  try {
    spool = resolved.spool.Get();
    pauses = DualFolder(spool, queue).string();
    const Location second = *resolved.second.Get();
    if (ListWaiting(spool, queue).empty()) return summary;
    if (!options.patient && IsDeliveryPaused(pauses, StoreIdentity(second))) {
      if (options.debug) options.debug(second.display_name + " gave trouble a moment ago: nothing is sent there");
      return summary;
    }
    const std::optional<SendLock> lock = SendLock::Take(spool, queue);
    if (!lock) return summary;  // another process is sending, and sends these records too
    second_store = StoreIdentity(second);
    well = Sending(resolved, options, *lock, summary).Run(resolved.history.Get(), second);
  } catch (const SettingError& error) {
    summary.trouble = error.what();
  } catch (const std::exception& error) {
    summary.trouble = std::string("dual write: ") + error.what();
  }
  if (well) {
    ResumeDelivery(pauses);
  } else if (!second_store.empty()) {
    PauseDelivery(pauses, second_store);
  }
  try {
    NoteDualTrouble(spool, summary.trouble.value_or(""), queue);
  } catch (const StoreError&) {  // the summary has the trouble
  }
  return summary;
}

}  // namespace flaky
