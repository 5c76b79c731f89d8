#include "cli/near_miss.h"

#include <gtest/gtest.h>

#include <vector>

namespace flaky {
namespace {

const std::vector<std::string> kCommands = {"runs", "show", "check", "trend", "config", "migrate-store"};

TEST(NearMissTest, FindsWhatWasMeant) {
  EXPECT_EQ(NearMiss("chek", kCommands), "check");
  EXPECT_EQ(NearMiss("hceck", kCommands), "check") << "swapped neighbours are one slip";
  EXPECT_EQ(NearMiss("checkk", kCommands), "check");
  EXPECT_EQ(NearMiss("runz", kCommands), "runs");
  EXPECT_EQ(NearMiss("migrate_stor", kCommands), "migrate-store");
}

TEST(NearMissTest, DoesNotGuessWildly) {
  EXPECT_EQ(NearMiss("xyz", kCommands), "");
  EXPECT_EQ(NearMiss("", kCommands), "");
  EXPECT_EQ(NearMiss("ruuuns", kCommands), "");
  EXPECT_EQ(NearMiss(std::string(1 << 20, 'x'), kCommands), "");
  EXPECT_EQ(NearMiss("check", {}), "");
}

TEST(NearMissTest, TakesTheNearest) {
  const std::vector<std::string> words = {"window_days", "windows", "window"};
  EXPECT_EQ(NearMiss("windo", words), "window");
  EXPECT_EQ(DidYouMean("windo", words), "; did you mean `window`?");
  EXPECT_EQ(DidYouMean("door", words), "");
}

}  // namespace
}  // namespace flaky
