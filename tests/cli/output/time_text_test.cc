#include "cli/output/time_text.h"

#include <gtest/gtest.h>

#include <limits>

namespace flaky {
namespace {

const Timestamp kNow = *Timestamp::Parse("2026-03-15T12:00:00Z");

TEST(ParseTimeTest, AcceptsDatesTimesAndAges) {
  EXPECT_EQ(ParseTime("2026-03-01", kNow), Timestamp::Parse("2026-03-01T00:00:00Z"));
  EXPECT_EQ(ParseTime("2026-03-01T12:30:00Z", kNow), Timestamp::Parse("2026-03-01T12:30:00Z"));
  EXPECT_EQ(ParseTime("2026-03-01 12:30:00+02:00", kNow), Timestamp::Parse("2026-03-01T10:30:00Z"));
  EXPECT_EQ(ParseTime("36h", kNow), Timestamp::Parse("2026-03-14T00:00:00Z"));
  EXPECT_EQ(ParseTime("7d", kNow), Timestamp::Parse("2026-03-08T12:00:00Z"));
  EXPECT_EQ(ParseTime("2w", kNow), Timestamp::Parse("2026-03-01T12:00:00Z"));
  EXPECT_EQ(ParseTime("0d", kNow), kNow);
}

TEST(ParseTimeTest, RejectsEverythingElse) {
  for (const char* text : {"", "d", "7", "7x", "7dd", "-7d", "+7d", " 7d", "7.5d", "100001d", "99999999999999999999d",
                           "now", "2026-02-30", "2026-3-1", "15.03.2026", "2026-03-01T25:00:00Z", "2026-03-01x"}) {
    EXPECT_EQ(ParseTime(text, kNow), std::nullopt) << text;
  }
}

TEST(TimeTextTest, IsReadableUtcWithoutFractions) {
  EXPECT_EQ(TimeText(kNow), "2026-03-15 12:00:00");
  EXPECT_EQ(TimeText(kNow + 999'999), "2026-03-15 12:00:00");
}

TEST(DurationTest, HasAUnitThatFits) {
  EXPECT_EQ(Duration(0), "0 ms");
  EXPECT_EQ(Duration(999), "999 ms");
  EXPECT_EQ(Duration(1000), "1.00 s");
  EXPECT_EQ(Duration(59'999), "59.99 s");
  EXPECT_EQ(Duration(60'000), "1m 00s");
  EXPECT_EQ(Duration(3'599'999), "59m 59s");
  EXPECT_EQ(Duration(3'600'000), "1h 00m");
  EXPECT_EQ(Duration(90'000'000), "25h 00m");
  EXPECT_EQ(Duration(-5), "-5 ms");
  EXPECT_EQ(Duration(std::numeric_limits<int64_t>::max()), "2562047788015h 12m");
}

}  // namespace
}  // namespace flaky
