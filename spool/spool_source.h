// SPDX-License-Identifier: MIT
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

// Returns the context of a journal. Called once for each part, with its first journal, on the thread that calls
// SpoolSource::Next.
using ContextOf = std::function<RunContext(const Journal&)>;

// Returns true if a part of this run is for the stores of this delivery. The journal is the one that decides
// (ReadDeciding in spool/spool_scan.h), and `ctest_group` is that of its ctest, as CTestGroup without a fixture.
using IsForStores =
    std::function<bool(const std::string& run_id, const std::string& ctest_group, const Journal& journal)>;

struct SpoolReport {
  int64_t running = 0;    // journals left alone because their process, or its ctest, is still running
  int64_t unknown = 0;    // journals left alone because it is not known whether it is still running
  int64_t rejected = 0;   // moved to rejected/
  int64_t newer = 0;      // left alone: a later version of the format
  int64_t unread = 0;     // left alone: journals and parts that could not be opened at this time
  int64_t elsewhere = 0;  // runs left alone because they are for the stores of another project
  std::vector<std::string>
      messages;  // the name and the reason, for each journal that was rejected, is newer or could not be opened
};

// Seals what is ready and returns it as records, one for each run id. A process that is a part by itself is ready when
// it has ended or died. Processes under one ctest are ready when that ctest has ended. Parts of the run that were
// sealed earlier are included in its record. What is ready is decided once, by the first call of Expected or Next. Next
// may run concurrently with the other members, except with report.
class SpoolSource : public Source {
 public:
  // The lock must outlive the source. `complete`: a group to which nothing will be added, although its ctest is still
  // running; empty: none. `is_for_stores` may be null: then every run is.
  SpoolSource(const SpoolLock& lock, ContextOf context, std::string complete = "", IsForStores is_for_stores = nullptr);
  ~SpoolSource() override;

  // Changes nothing in the spool.
  std::optional<Totals> Expected() override;

  // Moves what cannot be read to rejected/, and removes what earlier deliveries left. Next does this first.
  void Tidy();

  // Also rejects journals that turn out to be damaged. Throws StoreError (kPermanent) if the spool cannot be changed.
  std::optional<Batch> Next(const BatchLimits& limits) override;

  // Removes the journals of a run that Next returned and that is now in the store. Returns false if one of them stays;
  // the report says why. It would be delivered again, so nothing more should be delivered.
  bool Delivered(const std::string& run_id);
  // Moves the journals of such a run to rejected/, with the reason.
  void Reject(const std::string& run_id, const std::string& reason);

  const std::string& name() const override;
  const SpoolReport& report() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_SPOOL_SOURCE_H_
