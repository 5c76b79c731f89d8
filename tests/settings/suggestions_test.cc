// SPDX-License-Identifier: MIT
#include "settings/suggestions.h"

#include <gtest/gtest.h>

#include <vector>

namespace flaky {
namespace {

const std::vector<std::string> kCommands = {"runs", "show", "check", "trend", "config", "migrate-store"};

TEST(SuggestionTest, FindsWhatWasMeant) {
  EXPECT_EQ(Suggestion("chek", kCommands), "check");
  EXPECT_EQ(Suggestion("hceck", kCommands), "check") << "swapped neighbours are one slip";
  EXPECT_EQ(Suggestion("checkk", kCommands), "check");
  EXPECT_EQ(Suggestion("runz", kCommands), "runs");
  EXPECT_EQ(Suggestion("migrate_stor", kCommands), "migrate-store");
}

TEST(SuggestionTest, DoesNotGuessWildly) {
  EXPECT_EQ(Suggestion("xyz", kCommands), "");
  EXPECT_EQ(Suggestion("", kCommands), "");
  EXPECT_EQ(Suggestion("ruuuns", kCommands), "");
  EXPECT_EQ(Suggestion(std::string(1 << 20, 'x'), kCommands), "");
  EXPECT_EQ(Suggestion("check", {}), "");
}

TEST(SuggestionTest, TakesTheNearest) {
  const std::vector<std::string> words = {"window_days", "windows", "window"};
  EXPECT_EQ(Suggestion("windo", words), "window");
  EXPECT_EQ(DidYouMean("windo", words), "; did you mean `window`?");
  EXPECT_EQ(DidYouMean("door", words), "");
}

}  // namespace
}  // namespace flaky
