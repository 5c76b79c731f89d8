// SPDX-License-Identifier: MIT
#include "cli/output/terminal_progress.h"

#include <string>

#include "cli/output/interrupt.h"

namespace flaky {
namespace {

using std::chrono::milliseconds;

TerminalProgress::Intervals IntervalsOf(ProgressForm form) {
  switch (form) {
    case ProgressForm::kBar:
      return {milliseconds(250), milliseconds(100)};
    case ProgressForm::kLines:
      return {milliseconds(10'000), milliseconds(10'000)};
    case ProgressForm::kEvents:
    case ProgressForm::kNone:
      break;
  }
  return {milliseconds(1000), milliseconds(1000)};
}

}  // namespace

ProgressForm FormOf(bool terminal, bool json) {
  if (json) return ProgressForm::kEvents;
  return terminal ? ProgressForm::kBar : ProgressForm::kLines;
}

TerminalProgress::TerminalProgress(StatusLine& err, ProgressForm form)
    : TerminalProgress(err, form, IntervalsOf(form)) {}

TerminalProgress::TerminalProgress(StatusLine& err, ProgressForm form, Intervals intervals)
    : err_(err), form_(form), intervals_(intervals) {
  if (form != ProgressForm::kNone) thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

TerminalProgress::~TerminalProgress() { Stop(); }

void TerminalProgress::Begin(Phase phase, int64_t total_runs) {
  const std::lock_guard lock(mutex_);
  PrintEvent(PhaseState::kEnded);
  const Clock::time_point now = Clock::now();
  current_.emplace(Current{phase, now, RateMeter(now), {.total_runs = total_runs}});
  PrintEvent(PhaseState::kBegun);
}

void TerminalProgress::Update(const CopyProgress& progress) {
  const std::lock_guard lock(mutex_);
  if (!current_) return;
  current_->counts = progress;
  current_->meter.Add(Clock::now(), progress.runs);
}

void TerminalProgress::Done(const CopyProgress& progress) {
  Stop();
  Update(progress);
  const std::lock_guard lock(mutex_);
  PrintEvent(PhaseState::kEnded);
  current_.reset();
}

void TerminalProgress::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  if (form_ == ProgressForm::kBar) err_.Draw("");
}

void TerminalProgress::Run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (milliseconds wait = intervals_.first;; wait = intervals_.next) {
    wake_.wait_for(lock, stop, wait, [] { return false; });
    if (stop.stop_requested()) return;
    if (current_) Show();
  }
}

void TerminalProgress::Show() {
  switch (form_) {
    case ProgressForm::kBar: {
      // A second Ctrl-C ends the process immediately, so the drawn line must be removed now.
      const size_t width = ErrorWidth();
      if (interrupted_ || width == 0) return;
      interrupted_ = InterruptGuard::Seen();
      if (interrupted_) {
        err_.Print("flaky: interrupted: finishing the current batch; press Ctrl-C again to stop immediately\n");
      } else {
        err_.Draw(ProgressBar(View(), width));
      }
      return;
    }
    case ProgressForm::kLines:
      err_.Print(ProgressLine(View()) + '\n');
      return;
    case ProgressForm::kEvents:
      PrintEvent(PhaseState::kRunning);
      return;
    case ProgressForm::kNone:
      return;
  }
}

void TerminalProgress::PrintEvent(PhaseState state) {
  if (form_ == ProgressForm::kEvents && current_) err_.Print(ProgressEvent(View(), state) + '\n');
}

ProgressView TerminalProgress::View() const {
  const Clock::time_point now = Clock::now();
  const RateMeter& meter = current_->meter;
  return {.phase = current_->phase,
          .counts = current_->counts,
          .seconds = std::chrono::duration<double>(now - current_->begin).count(),
          .runs_per_second = meter.PerSecond(now),
          .seconds_left = meter.SecondsLeft(now, current_->counts.total_runs),
          .seconds_stalled = meter.SecondsStalled(now)};
}

}  // namespace flaky
