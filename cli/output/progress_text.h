#ifndef FLAKY_CLI_OUTPUT_PROGRESS_TEXT_H_
#define FLAKY_CLI_OUTPUT_PROGRESS_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "transfer/progress.h"

// What is said of work under way.
namespace flaky {

struct ProgressView {
  Phase phase = Phase::kCopying;
  CopyProgress counts;
  double seconds = 0;  // since the phase began
  std::optional<double> runs_per_second;
  std::optional<double> seconds_left;
  std::optional<double> seconds_stalled;
};

// "copying", "reading back".
std::string_view NameOf(Phase phase);

// "copying  41%  412 of 1,000 runs  1,236 failures  1.2 MB  206 runs/s  0:03 left", without what is not known; the time
// that the phase has taken where the time left is not known; "nothing for 0:12" in a stall.
std::string ProgressLine(const ProgressView& view);

// The same with a bar, in less than `width` columns: what is of the least use is left out first.
std::string ProgressBar(const ProgressView& view, size_t width);

// One JSON object on one line, without its end: docs/reference/commands.md.
enum class PhaseState { kBegun, kRunning, kEnded };
std::string ProgressEvent(const ProgressView& view, PhaseState state);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_PROGRESS_TEXT_H_
