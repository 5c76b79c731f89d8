#ifndef FLAKY_CLI_COPY_CLAIM_H_
#define FLAKY_CLI_COPY_CLAIM_H_

#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "cli/session.h"
#include "transfer/sink.h"

namespace flaky {

// The claim of one copy on the store that it copies into (Store::Claim), and the way to it: a sink that prolongs the
// claim while it is written. The sink within, the store and the session must outlive it.
class CopyClaimHolder : public Sink {
 public:
  static constexpr std::chrono::seconds kLease{60};

  // A claim lasts for `lease` and is prolonged when a quarter of it is over.
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  CopyClaimHolder(const Session& session, Sink& inner, Store& store, std::chrono::seconds lease = kLease,
                  Clock clock = std::chrono::steady_clock::now);

  // Takes the claim, before anything is written. Where another copy is going on, says so and, with `wait`, waits for it
  // to end; without, throws CommandError (kLocked) as soon as it is certain that it still runs, which takes as long as
  // a claim lasts where it runs on another machine and died there. Throws CommandError (kInterrupted) at Ctrl-C, and
  // StoreError.
  void Take(bool wait);

  // Gives it up. Where that never happens, it lapses, or the next copy on this machine sees that this process is gone.
  void GiveUp();

  const std::string& name() const override { return inner_.name(); }
  StoreLimits limits() const override { return inner_.limits(); }
  // These throw CommandError (kLocked) where the claim lapsed, because the store did not answer for long, and another
  // copy has it now.
  std::vector<WriteResult> Write(std::span<const RunRecord> records, OnExisting on_existing) override;
  std::vector<RunRecord> Present(std::span<const std::string> run_ids) override;
  std::vector<RunRecord> ReadBack(std::span<const std::string> run_ids) override { return inner_.ReadBack(run_ids); }
  void Finish() override { inner_.Finish(); }

 private:
  void Prolong();

  const Session& session_;
  Sink& inner_;
  Store& store_;
  const std::chrono::seconds lease_;
  const std::string holder_;
  const Clock clock_;
  std::chrono::steady_clock::time_point prolonged_;
};

}  // namespace flaky

#endif  // FLAKY_CLI_COPY_CLAIM_H_
