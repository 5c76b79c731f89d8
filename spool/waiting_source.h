#ifndef FLAKY_SPOOL_WAITING_SOURCE_H_
#define FLAKY_SPOOL_WAITING_SOURCE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spool/dual_queue.h"
#include "transfer/source.h"

namespace flaky {

// The records of waiting files, in order, several small files in one batch. A file that is damaged is moved to
// rejected/ of the spool; one of a later format ends the source. Next may run on a thread beside the other members.
class WaitingSource : public Source {
 public:
  enum class Then {
    kRemove,  // a file of which every record was settled
    kHand,    // calls it one that `holder` has
  };
  // The lock must be held as long as the source lives.
  WaitingSource(const SendLock& lock, std::vector<WaitingFile> files, Then then, std::string holder = "");
  ~WaitingSource() override;

  const std::string& name() const override;
  std::optional<Totals> Expected() override { return std::nullopt; }
  std::optional<Batch> Next(const BatchLimits& limits) override;

  // The next record that Next gave, in the order in which it did, is in the target, or (`there` false) is not and
  // stays.
  void Settled(bool there);

  // Of files that were rejected or left alone; not beside Next.
  const std::vector<std::string>& messages() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flaky

#endif  // FLAKY_SPOOL_WAITING_SOURCE_H_
