// SPDX-License-Identifier: MIT
#include "history/time.h"

#include <gtest/gtest.h>

#include <random>

namespace flaky {
namespace {

constexpr int64_t kDay = kMicrosPerDay;

TEST(TimestampParse, ParsesWhatStoresWrite) {
  const int64_t base = 1'767'312'000 * kMicrosPerSecond;  // 2026-01-02T00:00:00Z
  const struct {
    const char* text;
    int64_t micros;
  } cases[] = {
      {"2026-01-02T00:00:00.000Z", base},
      {"2026-01-02T00:00:00Z", base},
      {"2026-01-02 00:00:00", base},
      {"2026-01-02 00:00:00.000001+00", base + 1},
      {"2026-01-02T00:00:00.12+00:00", base + 120'000},
      {"2026-01-02T05:30:00+0530", base},
      {"2026-01-01T23:00:00-01:00", base},
      {"2026-01-02T00:00:00.123456789Z", base + 123'456},
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31T23:59:59.999999Z", -1},
      {"2024-02-29T00:00:00Z", 1'709'164'800 * kMicrosPerSecond},
  };
  for (const auto& c : cases) {
    const auto parsed = Timestamp::Parse(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(parsed->micros, c.micros) << c.text;
  }
}

TEST(TimestampParse, RefusesInvalidTimes) {
  for (const char* text : {"",
                           "2026",
                           "2026-01-02",
                           "2026-01-02T",
                           "2026-13-01T00:00:00Z",
                           "2026-02-30T00:00:00Z",
                           "2025-02-29T00:00:00Z",
                           "2026-01-02T24:00:00Z",
                           "2026-01-02T00:60:00Z",
                           "2026-01-02T00:00:60Z",
                           "2026-01-02T00:00:00.Z",
                           "2026-01-02T00:00:00.1234567890Z",
                           "2026-01-02T00:00:00Zx",
                           "2026-01-02T00:00:00+1",
                           "2026-01-02T00:00:00+24",
                           "2026-01-02X00:00:00Z",
                           "x026-01-02T00:00:00Z",
                           " 2026-01-02T00:00:00Z",
                           "+026-01-02T00:00:00Z",
                           "9999-12-31T23:59:59-01:00",
                           "0000-01-01T00:00:00+01:00",
                           "1767312000"}) {
    EXPECT_FALSE(Timestamp::Parse(text)) << text;
  }
}

TEST(TimestampText, HasMicrosecondsOnlyIfNeeded) {
  EXPECT_EQ(Timestamp{0}.ToString(), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(Timestamp{1'500}.ToString(), "1970-01-01T00:00:00.001500Z");
  EXPECT_EQ(Timestamp{-1'000}.ToString(), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(Timestamp{-1}.ToString(), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ((Timestamp{20 * kDay - 1}.Date()), "1970-01-20");
}

TEST(TimestampText, HasTheFirstAndTheLastTime) {
  EXPECT_EQ(Timestamp::kMin.ToString(), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(Timestamp::kMax.ToString(), "9999-12-31T23:59:59.999999Z");
}

TEST(TimestampText, RoundTrips) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<int64_t> any(Timestamp::kMin.micros, Timestamp::kMax.micros);
  for (int i = 0; i < 20'000; ++i) {
    const Timestamp time{any(random)};
    const auto parsed = Timestamp::Parse(time.ToString());
    ASSERT_TRUE(parsed) << time.ToString();
    ASSERT_EQ(parsed->micros, time.micros) << time.ToString();
  }
}

}  // namespace
}  // namespace flaky
