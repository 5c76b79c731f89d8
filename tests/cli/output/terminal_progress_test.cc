// SPDX-License-Identifier: MIT
#include "cli/output/terminal_progress.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <thread>

#include "cli/output/interrupt.h"
#include "cli/output/progress_text.h"
#include "cli/output/rate_meter.h"
#include "cli/output/status_line.h"
#include "tests/cli/terminal.h"
#include "tests/support/wait_for.h"

namespace flaky {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RateMeterTest : public testing::Test {
 protected:
  static RateMeter::Time At(double when) {
    return RateMeter::Time() +
           std::chrono::duration_cast<RateMeter::Time::duration>(std::chrono::duration<double>(when));
  }
  double Rate(double when) const { return meter_.PerSecond(At(when)).value_or(-1); }
  double Left(double when, int64_t total) const { return meter_.SecondsLeft(At(when), total).value_or(-1); }

  // Adds `steps` steps of `count` each, one every `period` seconds.
  void Go(int steps, double period, int64_t count) {
    for (int i = 0; i < steps; ++i) meter_.Add(At(when_ += period), count_ += count);
  }

  RateMeter meter_{At(0)};
  double when_ = 0;
  int64_t count_ = 0;
};

TEST_F(RateMeterTest, IsUnknownWithTooFewSteps) {
  EXPECT_EQ(Rate(5), -1);
  Go(1, 5, 1000);
  EXPECT_EQ(Rate(5), -1) << "one step is not enough";
  EXPECT_EQ(Left(5, 2000), -1);
  RateMeter quick(At(0));
  for (int i = 1; i <= 8; ++i) quick.Add(At(i * 0.11), i * 100);
  EXPECT_FALSE(quick.PerSecond(At(0.9))) << "not a second yet";
  RateMeter nothing(At(0));
  for (int i = 1; i <= 8; ++i) nothing.Add(At(i), 0);
  EXPECT_FALSE(nothing.PerSecond(At(8)));
}

TEST_F(RateMeterTest, IsExactForASteadyRateWithAnySteps) {
  for (const double period : {0.001, 0.05, 0.3, 1.0, 4.0, 16.0}) {
    when_ = 0;
    count_ = 0;
    meter_ = RateMeter(At(0));
    Go(static_cast<int>(40 / period), period, static_cast<int64_t>(1000 * period));
    EXPECT_NEAR(Rate(when_), 1000, 1) << period;
    EXPECT_NEAR(Rate(when_ + period * 0.9), 1000, 1) << period;
    EXPECT_NEAR(Left(when_, count_ + 20'000), 20, 0.1) << period;
  }
}

TEST_F(RateMeterTest, ForgetsAFastStart) {
  Go(50, 0.01, 4096);
  Go(3, 4, 400);
  EXPECT_NEAR(Rate(when_), 100, 1);
}

TEST_F(RateMeterTest, CountsDownBetweenStepsAndSinksWhenOneIsLate) {
  Go(10, 2, 200);
  EXPECT_NEAR(Left(when_, count_ + 1000), 10, 0.1);
  EXPECT_NEAR(Left(when_ + 1, count_ + 1000), 9, 0.1);
  EXPECT_NEAR(Rate(when_ + 2), 100, 1);
  double before = 100.1;
  for (double late = 2; late < 8; late += 0.5) {
    const double rate = Rate(when_ + late);
    EXPECT_LE(rate, before) << late;
    before = rate;
  }
  EXPECT_LT(before, 70);
  EXPECT_GT(Left(when_ + 7.9, count_ + 1000), 12);
  EXPECT_FALSE(meter_.SecondsStalled(At(when_ + 7.9)));
}

TEST_F(RateMeterTest, AStallIsReportedAndDoesNotAffectTheRateAfterIt) {
  Go(100, 0.2, 200);
  EXPECT_FALSE(meter_.SecondsStalled(At(when_ + 4.9)));
  EXPECT_NEAR(meter_.SecondsStalled(At(when_ + 60)).value_or(-1), 60, 0.01);
  EXPECT_EQ(Rate(when_ + 60), -1);
  EXPECT_EQ(Left(when_ + 60, count_ + 1000), -1);
  Go(1, 60, 200);
  EXPECT_EQ(Rate(when_), -1);
  Go(6, 0.2, 200);
  EXPECT_NEAR(Rate(when_), 1000, 10) << "a second later";
}

TEST_F(RateMeterTest, ASlowFirstStepIsNotAStall) {
  EXPECT_FALSE(meter_.SecondsStalled(At(100)));
  Go(3, 30, 30);
  EXPECT_NEAR(Rate(when_), 1, 0.1);
}

TEST_F(RateMeterTest, HasNothingLeftAtTheEnd) {
  Go(10, 1, 100);
  EXPECT_EQ(Left(when_, 1000), -1);
  EXPECT_EQ(Left(when_, 0), -1) << "not known";
}

ProgressView View() {
  ProgressView view;
  view.counts = {41'200, 100'000, 123'456, 120'300'000};
  view.seconds = 4;
  view.runs_per_second = 12'060;
  view.seconds_left = 4.2;
  return view;
}

TEST(ProgressText, ShowsWhatIsKnown) {
  ProgressView view = View();
  EXPECT_EQ(ProgressLine(view),
            "copying  41%  41,200 of 100,000 runs  123,456 failures  120.3 MB  12,060 runs/s  0:05 left");
  view.runs_per_second = 0.25;
  view.seconds_left.reset();
  EXPECT_EQ(ProgressLine(view), "copying  41%  41,200 of 100,000 runs  123,456 failures  120.3 MB  0.2 runs/s  0:04");
  view.counts.total_runs = 41'199;
  view.runs_per_second.reset();
  EXPECT_EQ(ProgressLine(view), "copying  41,200 runs  123,456 failures  120.3 MB  0:04") << "more than was expected";
  view.seconds_stalled = 12.9;
  EXPECT_EQ(ProgressLine(view), "copying  41,200 runs  123,456 failures  120.3 MB  nothing for 0:12");
  view = {};
  view.phase = Phase::kFinishing;
  EXPECT_EQ(ProgressLine(view), "finishing");
  view.seconds = 75.9;
  EXPECT_EQ(ProgressLine(view), "finishing  1:15");
  view.phase = Phase::kReadingBack;
  view.counts = {1000, 1000, 0, 0};
  view.seconds = 0;
  EXPECT_EQ(ProgressLine(view), "reading back  100%  1,000 of 1,000 runs  0 failures  0 B");
}

TEST(ProgressText, LeavesOutTheLeastUsefulParts) {
  const ProgressView view = View();
  EXPECT_EQ(ProgressBar(view, 160),
            "copying  [########............]  41%  41,200 of 100,000 runs  123,456 failures  120.3 MB  12,060 runs/s  "
            "0:05 left");
  EXPECT_EQ(ProgressBar(view, 100),
            "copying  [####........]  41%  41,200 of 100,000 runs  123,456 failures  12,060 runs/s  0:05 left");
  EXPECT_EQ(ProgressBar(view, 80), "copying  [####......]  41%  41,200 of 100,000 runs  12,060 runs/s  0:05 left");
  EXPECT_EQ(ProgressBar(view, 70), "copying  41%  41,200 of 100,000 runs  12,060 runs/s  0:05 left");
  EXPECT_EQ(ProgressBar(view, 60), "copying  41%  41,200 of 100,000 runs  0:05 left");
  EXPECT_EQ(ProgressBar(view, 30), "copying  41%  0:05 left");
  EXPECT_EQ(ProgressBar(view, 15), "copying  41%");
  EXPECT_EQ(ProgressBar(view, 5), "copy");
  for (size_t width = 1; width < 300; ++width) EXPECT_LT(ProgressBar(view, width).size(), width);
  EXPECT_EQ(ProgressBar(view, 0), "");
}

TEST(ProgressText, IsAnObjectOnOneLineForPrograms) {
  const std::string text = ProgressEvent(View(), PhaseState::kRunning);
  EXPECT_THAT(text, Not(HasSubstr("\n")));
  EXPECT_EQ(nlohmann::json::parse(text),
            nlohmann::json::parse(R"({"event": "progress", "version": 1, "phase": "copying", "state": "running",
              "runs": 41200, "total_runs": 100000, "failures": 123456, "bytes": 120300000,
              "runs_per_second": 12060.0, "seconds_left": 5, "elapsed_ms": 4000})"));
  const auto bare = nlohmann::json::parse(ProgressEvent({}, PhaseState::kBegun));
  for (const char* key : {"total_runs", "runs_per_second", "seconds_left"}) EXPECT_EQ(bare[key], nullptr) << key;
  EXPECT_EQ(bare["state"], "begun");
}

TEST(StatusLine, MessagesOfManyThreadsNeverOverwriteTheDrawnLine) {
  std::ostringstream stream;
  StatusLine err(stream);
  std::atomic<bool> done = false;
  std::thread drawing([&] {
    while (!done) err.Draw("[####....]");
  });
  std::vector<std::thread> talking;
  for (int i = 0; i < 4; ++i) {
    talking.emplace_back([&err] {
      for (int j = 0; j < 500; ++j) err.Print("flaky: said\n");
    });
  }
  for (std::thread& thread : talking) thread.join();
  done = true;
  drawing.join();
  err.Draw("");
  Screen screen(40);
  std::string text = stream.str();
  for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.insert(at, "\r");
  screen.Take(text);
  EXPECT_THAT(screen.Lines(), testing::AllOf(testing::SizeIs(2000), testing::Each("flaky: said")));
}

// A stream's text, which may be read while other threads write to it.
class SharedText : public std::streambuf {
 public:
  std::string Text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 protected:
  int_type overflow(int_type c) override {
    const std::lock_guard lock(mutex_);
    text_ += traits_type::to_char_type(c);
    return c;
  }
  std::streamsize xsputn(const char* bytes, std::streamsize count) override {
    const std::lock_guard lock(mutex_);
    text_.append(bytes, static_cast<size_t>(count));
    return count;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

class TerminalProgressTest : public testing::Test {
 protected:
  static constexpr TerminalProgress::Intervals kQuick{milliseconds(20), milliseconds(20)};

  std::string Sent() const { return text_.Text(); }
  // Waits until the text was sent this many times.
  void WaitUntilSent(const std::string& text, int times = 1) const {
    WaitFor("`" + text + "` on the terminal", [&] {
      const std::string sent = Sent();
      int found = 0;
      for (size_t at = 0; (at = sent.find(text, at)) != std::string::npos; ++at) ++found;
      return found >= times;
    });
  }

  SharedText text_;
  std::ostream stream_{&text_};
  StatusLine err_{stream_};
};

TEST_F(TerminalProgressTest, ABarIsRedrawnDuringAPauseAndErasedAtTheEnd) {
  {
    TerminalProgress bar(err_, ProgressForm::kBar, kQuick);
    bar.Begin(Phase::kCopying, 1000);
    bar.Update({500, 1000, 7, 0});
    WaitUntilSent("copying", 2);
    bar.Begin(Phase::kFinishing, 0);
    WaitUntilSent("finishing", 2);
    bar.Done({1000, 1000, 7, 0});
  }
  EXPECT_THAT(Sent(), HasSubstr("copying  [#####.....]  50%  500 of 1,000 runs  7 failures"));
  const size_t first = Sent().find("finishing");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(Sent().find("finishing", first + 1), std::string::npos);
  EXPECT_THAT(Sent(), EndsWith("\r\x1b[J"));
  Screen screen(80);
  screen.Take(Sent());
  EXPECT_THAT(screen.Lines(), ElementsAre());
}

TEST_F(TerminalProgressTest, FailedWorkLeavesNoBar) {
  try {
    TerminalProgress bar(err_, ProgressForm::kBar, kQuick);
    bar.Begin(Phase::kCopying, 1000);
    WaitUntilSent("copying");
    throw std::runtime_error("lost");
  } catch (const std::runtime_error&) {
    err_.Print("flaky: lost\n");
  }
  EXPECT_THAT(Sent(), AllOf(HasSubstr("copying"), EndsWith("\r\x1b[Jflaky: lost\n")));
}

TEST_F(TerminalProgressTest, ShortWorkShowsNothing) {
  for (const ProgressForm form : {ProgressForm::kBar, ProgressForm::kLines}) {
    TerminalProgress progress(err_, form, {std::chrono::hours(1), std::chrono::hours(1)});
    progress.Begin(Phase::kCopying, 1000);
    progress.Update({500, 1000, 0, 0});
    progress.Done({1000, 1000, 0, 0});
  }
  { const TerminalProgress unused(err_, ProgressForm::kBar, kQuick); }
  EXPECT_EQ(Sent(), "");
}

TEST_F(TerminalProgressTest, ALogGetsALineFromTimeToTime) {
  {
    TerminalProgress lines(err_, ProgressForm::kLines, kQuick);
    lines.Begin(Phase::kComparing, 1000);
    lines.Update({500, 1000, 7, 0});
    WaitUntilSent("comparing", 2);
  }
  EXPECT_THAT(Sent(), StartsWith("comparing  50%  500 of 1,000 runs  7 failures  0 B\ncomparing"));
  EXPECT_THAT(Sent(), AllOf(EndsWith("\n"), Not(HasSubstr("\x1b")), Not(HasSubstr("\r")), Not(HasSubstr("["))));
}

TEST_F(TerminalProgressTest, EventsFrameEachPhase) {
  {
    TerminalProgress events(err_, ProgressForm::kEvents);
    events.Begin(Phase::kCounting, 0);
    events.Begin(Phase::kCopying, 1000);
    events.Update({500, 1000, 7, 99});
    events.Begin(Phase::kFinishing, 0);
    events.Done({1000, 1000, 7, 99});
  }
  std::istringstream lines(Sent());
  std::vector<std::string> phases;
  std::vector<nlohmann::json> events;
  for (std::string line; std::getline(lines, line);) {
    events.push_back(nlohmann::json::parse(line));
    phases.push_back(events.back()["phase"].get<std::string>() + " " + events.back()["state"].get<std::string>());
  }
  EXPECT_THAT(phases, ElementsAre("counting begun", "counting ended", "copying begun", "copying ended",
                                  "finishing begun", "finishing ended"));
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(events[2]["total_runs"], 1000);
  EXPECT_EQ(events[2]["runs"], 0);
  EXPECT_EQ(events[3]["runs"], 500);
  EXPECT_EQ(events[3]["bytes"], 99);
  EXPECT_EQ(events[5]["runs"], 1000);
}

TEST_F(TerminalProgressTest, CtrlCIsAnsweredAndEndsTheBar) {
  {
    const InterruptGuard guard;
    TerminalProgress bar(err_, ProgressForm::kBar, kQuick);
    bar.Begin(Phase::kCopying, 1000);
    WaitUntilSent("copying");
    raise(SIGINT);
    WaitUntilSent("interrupted");
  }
  EXPECT_THAT(Sent(), EndsWith("\r\x1b[Jflaky: interrupted: finishing the current batch; press Ctrl-C "
                               "again to stop immediately\n"));
  EXPECT_FALSE(InterruptGuard::Seen()) << "reset with its guard";
}

}  // namespace
}  // namespace flaky
