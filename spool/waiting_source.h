// SPDX-License-Identifier: MIT
#ifndef FLAKY_SPOOL_WAITING_SOURCE_H_
#define FLAKY_SPOOL_WAITING_SOURCE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spool/dual_queue.h"
#include "transfer/source.h"

namespace flaky {

// The records of the waiting files of a dual write, in order. One batch may have several small files. A damaged file is
// moved to rejected/ of the spool. A file of a later format ends the source. Next may run concurrently with the other
// members, except with messages.
class WaitingSource : public Source {
 public:
  // What happens to a file after all its records have arrived in the target.
  enum class Then {
    kRemove,  // removes it
    kHand,    // renames it as a file whose records `holder` has
  };
  // The lock must outlive the source.
  WaitingSource(const SendLock& lock, std::vector<WaitingFile> files, Then then, std::string holder = "");
  ~WaitingSource() override;

  const std::string& name() const override;
  std::optional<Totals> Expected() override { return std::nullopt; }
  std::optional<Batch> Next(const BatchLimits& limits) override;

  // Call it once for each record that Next returned, in the same order. `there`: the record is in the target; if false,
  // its file stays.
  void Settled(bool there);

  // Returns messages about files that were rejected or left alone. Not to be called concurrently with Next.
  const std::vector<std::string>& messages() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_WAITING_SOURCE_H_
