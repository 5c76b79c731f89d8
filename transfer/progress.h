#ifndef FLAKY_TRANSFER_PROGRESS_H_
#define FLAKY_TRANSFER_PROGRESS_H_

#include <cstdint>

namespace flaky {

// What is being done. Some take long without a count: kCounting asks how much there is, kFinishing is Store::Finish.
enum class Phase { kCounting, kCopying, kFinishing, kComparing, kWriting, kReadingBack };

// How far a phase is. Counts never go down within one.
struct CopyProgress {
  int64_t runs = 0;        // handled so far: written, found equal or in conflict
  int64_t total_runs = 0;  // 0: not known
  int64_t failures = 0;
  int64_t bytes = 0;  // of text, about
};

// Is told facts; showing them is somebody else's work (cli/). All calls come from one thread: Begin for each phase,
// with the runs that are expected of it (0: not known), Update as it goes on, Done after the last phase. There is no
// Done where the work fails.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Begin(Phase /*phase*/, int64_t /*total_runs*/) {}
  virtual void Update(const CopyProgress& progress) = 0;
  virtual void Done(const CopyProgress& progress) = 0;
};

// For work that nobody watches.
class SilentProgress : public Progress {
 public:
  void Update(const CopyProgress& /*progress*/) override {}
  void Done(const CopyProgress& /*progress*/) override {}
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_PROGRESS_H_
