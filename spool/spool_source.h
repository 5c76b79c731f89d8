#ifndef FLAKY_SPOOL_SPOOL_SOURCE_H_
#define FLAKY_SPOOL_SPOOL_SOURCE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spool/journal.h"
#include "spool/record_of.h"
#include "spool/spool.h"
#include "transfer/source.h"

namespace flaky {

// Gives the context of a journal. Called once per part, with its first journal, on the thread that calls
// SpoolSource::Next.
using ContextOf = std::function<RunContext(const Journal&)>;

struct SpoolReport {
  int64_t running = 0;   // journals left alone because their process, or the ctest around it, still runs
  int64_t rejected = 0;  // moved to rejected/
  int64_t newer = 0;     // left alone: of a later format
  std::vector<std::string>
      messages;  // one per journal that was rejected, is newer or could not be opened: name and reason
};

// Seals what is ready and yields it as records, one run id at a time. A process that is a part by itself is ready when
// it has ended or died; processes below one ctest when that ctest has ended. What was sealed earlier for a run comes
// along as further parts of its record. What is ready is decided once, at the first call of Expected or Next. Next may
// run on a thread beside the other members; report may not run beside Next.
class SpoolSource : public Source {
 public:
  // The lock must be held as long as the source lives. `complete` is a group to which nothing will be added any more,
  // though its ctest still runs; empty: none.
  SpoolSource(const SpoolLock& lock, ContextOf context, std::string complete = "");
  ~SpoolSource() override;

  // Changes nothing in the spool.
  std::optional<Totals> Expected() override;

  // Moves what cannot be read to rejected/ and removes what earlier deliveries left. Next does this first.
  void Tidy();

  // Journals that turn out to be damaged are rejected on the way. Throws StoreError (kPermanent) when the spool cannot
  // be changed.
  std::optional<Batch> Next(const BatchLimits& limits) override;

  // Removes the journals of a run that Next gave and that is now in the store.
  void Delivered(const std::string& run_id);
  // Moves them to rejected/, for the given reason.
  void Reject(const std::string& run_id, const std::string& reason);

  const std::string& name() const override;
  const SpoolReport& report() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_SPOOL_SOURCE_H_
