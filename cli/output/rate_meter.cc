#include "cli/output/rate_meter.h"

#include <algorithm>
#include <iterator>

namespace flaky {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Seconds = std::chrono::duration<double>;

constexpr seconds kWindow(10);
constexpr seconds kLeastToTell(1);
constexpr milliseconds kOneSample(100);  // counts closer together than this are one step
constexpr size_t kTwoSteps = 3;          // samples
constexpr seconds kLeastStall(5);
constexpr int kStall = 4;  // times the usual

}  // namespace

void RateMeter::Add(Time at, int64_t count) {
  if (SecondsStalled(at)) {
    samples_ = {{at, count}};
    return;
  }
  if (samples_.size() >= 2 && at - samples_[samples_.size() - 2].at < kOneSample) samples_.pop_back();
  samples_.push_back({at, count});
  while (samples_.size() > kTwoSteps && samples_[1].at <= at - kWindow) samples_.pop_front();
}

std::optional<RateMeter::Time::duration> RateMeter::Grace() const {
  const size_t count = samples_.size();
  if (count < 2) return std::nullopt;
  const Time::duration last = samples_[count - 1].at - samples_[count - 2].at;
  return count < kTwoSteps ? last : std::max(last, samples_[count - 2].at - samples_[count - 3].at);
}

std::optional<double> RateMeter::SecondsStalled(Time now) const {
  const std::optional<Time::duration> grace = Grace();
  const Time::duration idle = now - samples_.back().at;
  if (!grace || idle <= std::max<Time::duration>(kLeastStall, kStall * *grace)) return std::nullopt;
  return Seconds(idle).count();
}

std::optional<double> RateMeter::PerSecond(Time now) const {
  if (samples_.size() < kTwoSteps || SecondsStalled(now)) return std::nullopt;
  const Sample& last = samples_.back();
  const Time end = std::max(last.at, now - *Grace());
  const Time begin = std::max(samples_.front().at, std::min(end - kWindow, samples_[samples_.size() - kTwoSteps].at));
  if (end - begin < kLeastToTell) return std::nullopt;
  // The count at `begin`, which may be between two samples.
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
  const Seconds in_work = std::min(now - last.at, *Grace());
  return std::max(static_cast<double>(total - last.count) / *rate - in_work.count(), 0.0);
}

}  // namespace flaky
