#include "cli/terminal_progress.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>

#include "cli/numbers.h"

namespace flaky {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kRedraw(100);
constexpr seconds kLine(10);
constexpr int64_t kBarWidth = 24;

std::string Bar(int64_t done, int64_t total) {
  const int64_t full = std::clamp<int64_t>(total > 0 ? done * kBarWidth / total : 0, 0, kBarWidth);
  return '[' + std::string(static_cast<size_t>(full), '#') + std::string(static_cast<size_t>(kBarWidth - full), '.') +
         "] ";
}

}  // namespace

std::string ProgressLine(const CopyProgress& progress, double elapsed) {
  const bool total_known = progress.total_runs >= progress.runs && progress.total_runs > 0;
  std::string line = WithThousands(progress.runs);
  if (total_known) line += " of " + WithThousands(progress.total_runs);
  line += " runs";
  if (total_known) line += "  " + std::to_string(progress.runs * 100 / progress.total_runs) + "%";
  line += "  " + WithThousands(progress.failures) + " failures  " + AsBytes(progress.bytes);
  if (elapsed > 0 && progress.runs > 0) {
    const double rate = static_cast<double>(progress.runs) / elapsed;
    line += "  " + WithThousands(std::llround(rate)) + " runs/s";
    if (total_known && progress.runs < progress.total_runs) {
      const auto left =
          static_cast<int64_t>(std::ceil(static_cast<double>(progress.total_runs - progress.runs) / rate));
      char text[40];
      std::snprintf(text, sizeof text, "  %lld:%02lld left", static_cast<long long>(left / 60),
                    static_cast<long long>(left % 60));
      line += text;
    }
  }
  return line;
}

TerminalProgress::TerminalProgress(std::ostream& err, bool terminal)
    : err_(err),
      terminal_(terminal),
      start_(Clock::now()),
      next_(start_ + (terminal ? milliseconds(0) : milliseconds(kLine))) {}

void TerminalProgress::Update(const CopyProgress& progress) {
  const Clock::time_point now = Clock::now();
  if (now < next_) return;
  next_ = now + (terminal_ ? kRedraw : milliseconds(kLine));
  const std::string line = ProgressLine(progress, std::chrono::duration<double>(now - start_).count());
  if (terminal_) {
    err_ << "\r\033[K" << Bar(progress.runs, progress.total_runs) << line << std::flush;
    drawn_ = true;
  } else {
    err_ << line << '\n' << std::flush;
  }
}

void TerminalProgress::Done(const CopyProgress&) {
  if (drawn_) err_ << "\r\033[K" << std::flush;
  drawn_ = false;
}

}  // namespace flaky
