#ifndef FLAKY_CLI_OUTPUT_PROGRESS_TEXT_H_
#define FLAKY_CLI_OUTPUT_PROGRESS_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "transfer/progress.h"

// The texts that report progress.
namespace flaky {

struct ProgressView {
  Phase phase = Phase::kCopying;
  CopyProgress counts;
  double seconds = 0;  // since the phase began
  std::optional<double> runs_per_second;
  std::optional<double> seconds_left;
  std::optional<double> seconds_stalled;
};

// Returns "copying", "reading back" and so on.
std::string_view NameOf(Phase phase);

// Returns "copying  41%  412 of 1,000 runs  1,236 failures  1.2 MB  206 runs/s  0:03 left". Unknown facts are omitted.
// If the time left is unknown, the time since the start of the phase is shown instead; in a stall, "nothing for 0:12".
std::string ProgressLine(const ProgressView& view);

// Returns the same with a bar, in less than `width` columns: the least useful facts are omitted first.
std::string ProgressBar(const ProgressView& view, size_t width);

// Returns one JSON object on one line, without a line end; docs/reference/commands.md describes it.
enum class PhaseState { kBegun, kRunning, kEnded };
std::string ProgressEvent(const ProgressView& view, PhaseState state);

}  // namespace flaky

#endif  // FLAKY_CLI_OUTPUT_PROGRESS_TEXT_H_
