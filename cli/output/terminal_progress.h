// SPDX-License-Identifier: MIT
#ifndef FLAKY_CLI_OUTPUT_TERMINAL_PROGRESS_H_
#define FLAKY_CLI_OUTPUT_TERMINAL_PROGRESS_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "cli/output/progress_text.h"
#include "cli/output/rate_meter.h"
#include "cli/output/status_line.h"
#include "transfer/progress.h"

namespace flaky {

// How progress is shown.
enum class ProgressForm {
  kBar,     // a line of the terminal that is redrawn; gone at the end, and from Ctrl-C on, which is answered
  kLines,   // a line now and then, so that short work shows none
  kEvents,  // JSON lines: one as each phase begins and ends, and between them now and then
  kNone,
};

// Returns events if the user asked for JSON; otherwise a bar on a terminal, and lines elsewhere.
ProgressForm FormOf(bool terminal, bool json);

// Shows the progress of one piece of work on standard error, also while nothing happens: a separate thread redraws it
// until Done or the destruction of the object. Uses no colours.
class TerminalProgress : public Progress {
 public:
  using Clock = std::chrono::steady_clock;
  struct Intervals {
    std::chrono::milliseconds first, next;  // what is over sooner than `first` shows nothing but events
  };

  // `err` must outlive the object.
  TerminalProgress(StatusLine& err, ProgressForm form);
  TerminalProgress(StatusLine& err, ProgressForm form, Intervals intervals);
  ~TerminalProgress() override;

  void Begin(Phase phase, int64_t total_runs) override;
  void Update(const CopyProgress& progress) override;
  void Done(const CopyProgress& progress) override;

 private:
  struct Current {
    Phase phase;
    Clock::time_point begin;
    RateMeter meter;
    CopyProgress counts;
  };

  void Run(const std::stop_token& stop);
  void Show();
  void PrintEvent(PhaseState state);
  ProgressView View() const;
  void Stop();

  StatusLine& err_;
  const ProgressForm form_;
  const Intervals intervals_;
  std::mutex mutex_;  // of all below; taken before that of err_
  std::condition_variable_any wake_;
  std::optional<Current> current_;
  bool interrupted_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_TERMINAL_PROGRESS_H_
