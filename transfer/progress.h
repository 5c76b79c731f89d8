// SPDX-License-Identifier: MIT
#ifndef FLAKY_TRANSFER_PROGRESS_H_
#define FLAKY_TRANSFER_PROGRESS_H_

#include <cstdint>

namespace flaky {

// The phases of the work. Two may take long and have no count: kCounting asks how much there is, and kFinishing calls
// Store::Finish.
enum class Phase { kCounting, kCopying, kFinishing, kComparing, kWriting, kReadingBack };

// How far a phase has come. Within a phase, counts never decrease.
struct CopyProgress {
  int64_t runs = 0;        // handled so far: written, found equal or in conflict
  int64_t total_runs = 0;  // 0: unknown
  int64_t failures = 0;
  int64_t bytes = 0;  // of text, approximately
};

// Receives progress; cli/ displays it. All calls come from one thread: Begin for each phase, with the number of runs
// that are expected (0: unknown), Update during the phase, and Done after the last phase. Done is not called if the
// work fails.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Begin(Phase /*phase*/, int64_t /*total_runs*/) {}
  virtual void Update(const CopyProgress& progress) = 0;
  virtual void Done(const CopyProgress& progress) = 0;
};

// Ignores progress.
class SilentProgress : public Progress {
 public:
  void Update(const CopyProgress& /*progress*/) override {}
  void Done(const CopyProgress& /*progress*/) override {}
};

}  // namespace flaky

#endif  // FLAKY_TRANSFER_PROGRESS_H_
