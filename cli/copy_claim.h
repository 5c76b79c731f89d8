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

// Holds the claim of one copy on its target store (Store::Claim). It is a sink around another sink, and it extends the
// claim while records are written. The inner sink, the store and the session must outlive it.
class CopyClaimHolder : public Sink {
 public:
  static constexpr std::chrono::seconds kLease{60};

  // The claim lasts for `lease` and is extended when a quarter of that time has passed.
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  CopyClaimHolder(const Session& session, Sink& inner, Store& store, std::chrono::seconds lease = kLease,
                  Clock clock = std::chrono::steady_clock::now);

  // Takes the claim. Call it before anything is written. If another copy holds the claim, logs that and, with `wait`,
  // waits for the other copy to end. Without `wait`, throws CommandError (kLocked) as soon as it is certain that the
  // other copy is still running. If the other copy runs on another machine, this may take as long as its claim lasts.
  // Throws CommandError (kInterrupted) at Ctrl-C, and StoreError.
  void Take(bool wait);

  // Releases the claim. If this is never called, the claim expires, or the next copy on this machine notices that this
  // process has ended.
  void GiveUp();

  const std::string& name() const override { return inner_.name(); }
  StoreLimits limits() const override { return inner_.limits(); }
  // These throw CommandError (kLocked) if the claim has expired, because the store did not answer for too long, and
  // another copy holds it now.
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
