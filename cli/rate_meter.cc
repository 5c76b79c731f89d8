#include "cli/rate_meter.h"

#include <algorithm>

namespace flaky {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Seconds = std::chrono::duration<double>;

constexpr seconds kWindow(10);
constexpr seconds kLeastToTell(1);
constexpr milliseconds kOneSample(100);  // counts closer together than this are one step
constexpr size_t kTwoSteps = 3;          // samples

}  // namespace

void RateMeter::Add(Time at, int64_t count) {
  if (samples_.size() >= 2 && at - samples_[samples_.size() - 2].at < kOneSample) samples_.pop_back();
  samples_.push_back({at, count});
  while (samples_.size() > kTwoSteps && samples_[1].at <= at - kWindow) samples_.pop_front();
}

RateMeter::Time::duration RateMeter::Grace() const {
  const size_t last = samples_.size() - 1;
  return std::max(samples_[last].at - samples_[last - 1].at, samples_[last - 1].at - samples_[last - 2].at);
}

std::optional<double> RateMeter::PerSecond(Time now) const {
  if (samples_.size() < kTwoSteps) return std::nullopt;
  const Sample& last = samples_.back();
  const Time end = std::max(last.at, now - Grace());
  const Time begin = std::max(samples_.front().at, std::min(end - kWindow, samples_[samples_.size() - kTwoSteps].at));
  if (end - begin < kLeastToTell) return std::nullopt;
  // The count at `begin`, which may lie between two samples.
  const auto after = std::ranges::find_if(samples_, [&](const Sample& sample) { return sample.at > begin; });
  const Sample& before = *std::prev(after);
  const double share = Seconds(begin - before.at) / Seconds(after->at - before.at);
  const double count_at_begin =
      static_cast<double>(before.count) + share * static_cast<double>(after->count - before.count);
  const double gained = static_cast<double>(last.count) - count_at_begin;
  if (gained <= 0) return std::nullopt;
  return gained / Seconds(end - begin).count();
}

std::optional<double> RateMeter::SecondsLeft(Time now, int64_t total) const {
  const std::optional<double> rate = PerSecond(now);
  const Sample& last = samples_.back();
  if (!rate || total <= last.count) return std::nullopt;
  const Seconds in_work = std::min(now - last.at, Grace());
  return std::max(static_cast<double>(total - last.count) / *rate - in_work.count(), 0.0);
}

}  // namespace flaky
