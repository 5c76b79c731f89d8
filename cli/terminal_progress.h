#ifndef FLAKY_CLI_TERMINAL_PROGRESS_H_
#define FLAKY_CLI_TERMINAL_PROGRESS_H_

#include <chrono>
#include <iosfwd>
#include <string>

#include "transfer/progress.h"

namespace flaky {

// Shows a copy's progress on `err`: on a terminal one line that is redrawn, with a bar, rate and the time left;
// elsewhere a line every ten seconds, so that short copies show none. Colours nothing.
class TerminalProgress : public Progress {
 public:
  // `err` must outlive the object.
  TerminalProgress(std::ostream& err, bool terminal);

  void Update(const CopyProgress& progress) override;
  void Done(const CopyProgress& progress) override;

 private:
  using Clock = std::chrono::steady_clock;

  std::ostream& err_;
  const bool terminal_;
  const Clock::time_point start_;
  Clock::time_point next_;
  bool drawn_ = false;
};

// What one line says: "  412 of 1,000 runs  41%  1,236 failures  1.2 MB  31,000 runs/s  0:02 left". Times of 0 give no
// rate.
std::string ProgressLine(const CopyProgress& progress, double seconds);

}  // namespace flaky

#endif  // FLAKY_CLI_TERMINAL_PROGRESS_H_
