#ifndef FLAKY_TRANSFER_PROGRESS_H_
#define FLAKY_TRANSFER_PROGRESS_H_

#include <cstdint>

namespace flaky {

// How far a copy is. Counts never go down.
struct CopyProgress {
  int64_t runs = 0;        // handled so far: written, found equal or in conflict
  int64_t total_runs = 0;  // 0: not known
  int64_t failures = 0;
  int64_t bytes = 0;  // of text, about
};

// Is told facts; printing them is somebody else's work (cli/). All calls come from the thread that called Copy.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Update(const CopyProgress& progress) = 0;
  virtual void Done(const CopyProgress& progress) = 0;
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_PROGRESS_H_
