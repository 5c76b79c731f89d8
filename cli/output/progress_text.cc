// SPDX-License-Identifier: MIT
#include "cli/output/progress_text.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "cli/output/json_output.h"
#include "cli/output/numbers.h"
#include "history/text.h"

namespace flaky {
namespace {

constexpr int kEventVersion = 1;

// A segment of the line. If there is not enough room, the segments with the highest rank are omitted first.
struct Segment {
  std::string text;
  int rank;
};

std::vector<Segment> SegmentsOf(const ProgressView& view, size_t bar_width) {
  const CopyProgress& counts = view.counts;
  std::vector<Segment> segments = {{std::string(NameOf(view.phase)), 0}};
  const bool total_known = counts.total_runs > 0 && counts.total_runs >= counts.runs;
  if (total_known) {
    const double share = static_cast<double>(counts.runs) / static_cast<double>(counts.total_runs);
    if (bar_width > 0) {
      const auto full = static_cast<size_t>(share * static_cast<double>(bar_width));
      segments.push_back({'[' + std::string(full, '#') + std::string(bar_width - full, '.') + ']', 5});
    }
    segments.push_back({std::to_string(static_cast<int>(share * 100)) + '%', 1});
    segments.push_back({WithThousands(counts.runs) + " of " + WithThousands(counts.total_runs) + " runs", 3});
  } else if (counts.runs > 0) {
    segments.push_back({WithThousands(counts.runs) + " runs", 3});
  }
  if (counts.runs > 0) {
    segments.push_back({WithThousands(counts.failures) + " failures", 6});
    segments.push_back({AsBytes(counts.bytes), 7});
  }
  if (view.runs_per_second) {
    const double rate = *view.runs_per_second;
    const std::string number = rate < 10 ? Decimals(rate, 1) : WithThousands(std::llround(rate));
    segments.push_back({number + " runs/s", 4});
  }
  if (view.seconds_stalled) {
    segments.push_back({"nothing for " + AsClock(std::floor(*view.seconds_stalled)), 2});
  } else if (view.seconds_left) {
    segments.push_back({AsClock(*view.seconds_left) + " left", 2});
  } else if (view.seconds >= 1) {
    segments.push_back({AsClock(std::floor(view.seconds)), 2});
  }
  return segments;
}

}  // namespace

std::string_view NameOf(Phase phase) {
  switch (phase) {
    case Phase::kCounting:
      return "counting";
    case Phase::kCopying:
      return "copying";
    case Phase::kFinishing:
      return "finishing";
    case Phase::kComparing:
      return "comparing";
    case Phase::kWriting:
      return "writing";
    case Phase::kReadingBack:
      return "reading back";
  }
  return "";
}

std::string ProgressLine(const ProgressView& view) { return Join(SegmentsOf(view, 0), "  ", &Segment::text); }

std::string ProgressBar(const ProgressView& view, size_t width) {
  std::vector<Segment> segments = SegmentsOf(view, std::clamp<size_t>(width / 8, 10, 30));
  std::string line = Join(segments, "  ", &Segment::text);
  while (line.size() >= width && segments.size() > 1) {
    segments.erase(std::ranges::max_element(segments, {}, &Segment::rank));
    line = Join(segments, "  ", &Segment::text);
  }
  return line.substr(0, std::max<size_t>(width, 1) - 1);
}

std::string ProgressEvent(const ProgressView& view, PhaseState state) {
  constexpr std::string_view kStates[] = {"begun", "running", "ended"};
  const CopyProgress& counts = view.counts;
  Json json = Json::object();
  json["event"] = "progress";
  json["version"] = kEventVersion;
  json["phase"] = NameOf(view.phase);
  json["state"] = kStates[static_cast<size_t>(state)];
  json["runs"] = counts.runs;
  json["total_runs"] = counts.total_runs > 0 ? Json(counts.total_runs) : Json();
  json["failures"] = counts.failures;
  json["bytes"] = counts.bytes;
  json["runs_per_second"] = view.runs_per_second ? Json(std::round(*view.runs_per_second * 10) / 10) : Json();
  json["seconds_left"] = view.seconds_left ? Json(std::llround(std::ceil(*view.seconds_left))) : Json();
  json["elapsed_ms"] = std::llround(view.seconds * 1000);
  return JsonLine(json);
}

}  // namespace flaky
