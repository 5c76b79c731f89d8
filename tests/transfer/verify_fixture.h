#ifndef FLAKY_TESTS_TRANSFER_VERIFY_FIXTURE_H_
#define FLAKY_TESTS_TRANSFER_VERIFY_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "stores/memory/memory_store.h"
#include "stores/open.h"
#include "tests/support/generate_history.h"
#include "tests/support/temp_folder.h"
#include "tests/transfer/counting_progress.h"
#include "transfer/verify.h"

namespace flaky {

inline std::vector<RunRecord> Generated(int64_t runs) {
  HistoryShape shape;
  shape.runs = runs;
  shape.npm_share = 0.3;
  shape.max_message = 400;
  return GenerateHistory(shape);
}

// Changes the field of this number, in a way that shows in one character or bit; counts what it sees.
class ChangeField {
 public:
  explicit ChangeField(int number) : number_(number) {}

  template <typename T>
  void operator()(std::string_view name, T& value) {
    if (seen_++ != number_) return;
    name_ = name;
    Change(value);
  }
  int seen() const { return seen_; }
  const std::string& name() const { return name_; }

 private:
  static void Change(std::string& text) { text.empty() ? text.push_back('x') : void(text.back() ^= 1); }
  static void Change(Timestamp& time) { ++time.micros; }
  static void Change(int64_t& number) { ++number; }
  static void Change(bool& value) { value = !value; }
  template <typename T>
  static void Change(std::optional<T>& value) {
    if (!value) {
      value.emplace();
    } else {
      Change(*value);
    }
  }

  int number_;
  int seen_ = 0;
  std::string name_;
};

using Kinds = std::tuple<std::string, std::string>;

class VerifyTest : public testing::TestWithParam<Kinds> {
 protected:
  // An empty store of the kind, opened for writing.
  std::unique_ptr<Store> Make(const std::string& kind) {
    if (kind == "memory") return OpenMemory(MakeMemoryHistory(), OpenMode::kWrite);
    return OpenStore(ParseLocation("sqlite:" + folder_.File(std::to_string(++files_) + ".db")), OpenMode::kWrite);
  }
  void Fill(const std::vector<RunRecord>& source, const std::vector<RunRecord>& target) {
    source_ = Make(std::get<0>(GetParam()));
    target_ = Make(std::get<1>(GetParam()));
    source_->Write(source);
    target_->Write(target);
  }

  VerifySummary Run(VerifyOptions options = {}) {
    runs_.clear();
    whats_.clear();
    options.on_run = [&](const ComparedRun& run) {
      EXPECT_TRUE(runs_.emplace(run.run_id, run.comparison).second) << run.run_id << " was told twice";
      if (run.comparison == Comparison::kDifferent) {
        EXPECT_NE(run.what, "") << run.run_id;
        whats_[run.run_id] = run.what;
      }
    };
    progress_ = {};
    VerifySummary account = Verify(*source_, *target_, options, progress_);
    EXPECT_EQ(progress_.done, 1);
    const auto told = [&](Comparison comparison) {
      return std::ranges::count(runs_, comparison, [](const auto& run) { return run.second; });
    };
    EXPECT_EQ(told(Comparison::kEqual), account.equal);
    EXPECT_EQ(told(Comparison::kOnlySource), account.only_source);
    EXPECT_EQ(told(Comparison::kOnlyTarget), account.only_target);
    EXPECT_EQ(told(Comparison::kDifferent), account.different);
    EXPECT_EQ(told(Comparison::kAhead), account.ahead);
    std::erase_if(runs_, [](const auto& run) { return run.second == Comparison::kEqual; });
    return account;
  }

  // Compares records that differ in one run; gives what is said of it.
  std::string Difference(const std::vector<RunRecord>& source, const std::vector<RunRecord>& target) {
    Fill(source, target);
    const VerifySummary account = Run();
    EXPECT_FALSE(account.SameAs({}));
    EXPECT_NE(account.source.digest, account.target.digest);
    EXPECT_EQ(account.different, 1);
    EXPECT_EQ(account.only_source + account.only_target, 0);
    EXPECT_THAT(whats_, testing::SizeIs(1));
    return whats_.empty() ? "" : whats_.begin()->second;
  }

  TempFolder folder_;
  int files_ = 0;
  std::unique_ptr<Store> source_, target_;
  CountingProgress progress_;
  std::map<std::string, Comparison> runs_;  // that are not equal
  std::map<std::string, std::string> whats_;
};

}  // namespace flaky

#endif  // FLAKY_TESTS_TRANSFER_VERIFY_FIXTURE_H_
