#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "tests/contract/contract.h"

namespace flaky {
namespace {

using namespace std::chrono_literals;

TEST_P(StoreContract, OneHasTheClaimAtATime) {
  const auto other = Open(OpenMode::kBulk);
  const CopyClaim mine = store().Claim("a", 60s, "");
  EXPECT_EQ(mine.holder, "a");
  EXPECT_GT(mine.lapses, 50s);
  EXPECT_LE(mine.lapses, 60s);

  const CopyClaim theirs = other->Claim("b", 600s, "");
  EXPECT_EQ(theirs.holder, "a");
  EXPECT_LE(theirs.lapses, 60s) << "asking does not renew it";
  EXPECT_GT(store().Claim("a", 600s, "").lapses, 500s) << "its holder renews it";

  EXPECT_EQ(other->Claim("b", 0s, "").holder, "a") << "only its holder releases it";
  EXPECT_EQ(store().Claim("a", 0s, "").holder, "");
  EXPECT_EQ(store().Claim("a", 0s, "").holder, "") << "releasing it twice changes nothing";
  EXPECT_EQ(other->Claim("b", 60s, "").holder, "b");
}

TEST_P(StoreContract, AClaimLapsesAndCanBeTakenOver) {
  EXPECT_EQ(store().Claim("dead", 600s, "").holder, "dead");
  EXPECT_EQ(store().Claim("b", 1s, "another").holder, "dead");
  EXPECT_EQ(store().Claim("b", 1s, "dead").holder, "b");
  place().AgeClaims(2s);
  EXPECT_EQ(store().Claim("c", 60s, "").holder, "c");
}

TEST_P(StoreContract, OneOfManyConcurrentClaimantsGetsIt) {
  constexpr int kMany = 8;
  std::vector<std::string> holders(kMany);
  std::vector<std::jthread> threads;
  for (int i = 0; i < kMany; ++i) {
    threads.emplace_back(
        [&, i] { holders[i] = Open(OpenMode::kWrite)->Claim("claimer " + std::to_string(i), 60s, "").holder; });
  }
  threads.clear();
  EXPECT_TRUE(holders.front().starts_with("claimer ")) << holders.front();
  EXPECT_EQ(std::ranges::count(holders, holders.front()), kMany);
}

}  // namespace
}  // namespace flaky
